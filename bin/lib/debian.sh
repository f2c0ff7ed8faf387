# Debian packages without root: downloaded with apt's own signatures, unpacked into a directory.

# debian_apt PROGRAM ARGUMENT…: apt with lists of its own, so that it needs neither root nor the
# system's lists, and changes nothing of either.
debian_apt() (
    state=$(portal_cache)/apt
    mkdir -p "$state/lists/partial" "$state/archives/partial" || exit 1
    program=$1
    shift
    "$program" -qq -o Dir::State="$state" -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$state" -o APT::Sandbox::User=root "$@"
)

# Fetches the lists, unless that was done today.
debian_lists() {
    have apt-get && have dpkg || return 1
    fresh=$(find "$(portal_cache)/apt/lists" -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)
    [ -n "$fresh" ] || debian_apt apt-get update >/dev/null 2>&1 || true
    [ -n "$(find "$(portal_cache)/apt/lists" -name '*Packages*' 2>/dev/null | head -n 1)" ]
}

# debian_missing PACKAGE…: these packages and what they need, as far as it is not installed here.
debian_missing() {
    debian_apt apt-get -s --no-install-recommends install "$@" 2>/dev/null |
        awk '$1 == "Inst" { print $2 }'
}

# debian_unpack DIR PACKAGE…: exactly these packages, unpacked below DIR.
debian_unpack() (
    into=$1
    shift
    mkdir -p "$into/.packages" && cd "$into/.packages" || exit 1
    debian_apt apt-get download "$@" >/dev/null 2>&1 || exit 1
    for package in *.deb; do
        dpkg -x "$package" "$into" 2>/dev/null || exit 1
    done
    rm -rf "$into/.packages" "$into/usr/share/doc" "$into/usr/share/man"
)

# Where the libraries of unpacked packages are, for LD_LIBRARY_PATH.
debian_libraries() {
    for dir in "$1"/usr/lib/*-linux-gnu* "$1"/usr/lib/*-linux-gnu*/pulseaudio \
        "$1"/lib/*-linux-gnu*; do
        [ ! -d "$dir" ] || printf '%s:' "$dir"
    done
}

# wrap FILE LIBRARIES PROGRAM ARGUMENT…: a command that runs an unpacked program.
wrap() (
    file=$1 libraries=$2
    shift 2
    {
        echo '#!/bin/sh'
        echo "export LD_LIBRARY_PATH='$libraries'\"\${LD_LIBRARY_PATH:-}\""
        printf 'exec'
        printf " '%s'" "$@"
        echo ' "$@"'
    } >"$file"
    chmod +x "$file"
)
