# Debian packages without root: downloaded with apt's own signatures, unpacked into a directory.
