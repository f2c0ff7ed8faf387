# What compiling takes: Rust, which must be there, and a C compiler, which is fetched if need be.

ensure_cargo() {
    have cargo || PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin
    have cargo || fail "Rust is needed, and cargo is not in PATH. Install it from https://rustup.rs."
    export PATH
}

ensure_compiler() {
    ! have cc || return 0
    kept=$(portal_cache)/compiler
    if [ -x "$kept/bin/cc" ]; then
        export PATH="$kept/bin:$PATH"
        return 0
    fi
    have apt-get || fail "A C compiler is needed: install gcc (or clang) and the C library's headers."
    if is_root; then
        say "Installing a C compiler (apt-get install gcc libc6-dev)."
        apt_install gcc libc6-dev
    else
        say "Fetching a C compiler from this machine's Debian archive, once; nothing is installed."
        fetch_compiler "$kept" ||
            fail "A C compiler could not be fetched. Have gcc and libc6-dev installed."
        export PATH="$kept/bin:$PATH"
    fi
}

# apt_install PACKAGE…: as root.
apt_install() {
    [ -n "$(find /var/lib/apt/lists -name '*Packages*' -mtime -7 2>/dev/null | head -n 1)" ] ||
        apt-get -qq update >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" \
        >/dev/null 2>&1 || fail "apt-get could not install $*. Install it, and try again."
}

# A compiler in a directory takes its headers and libraries from there, so the C library that is
# installed is unpacked beside them.
fetch_compiler() (
    final=$1
    work=$(portal_cache)/fetching.$$
    trap 'rm -rf "$work"' EXIT
    debian_lists || exit 1
    packages=$(debian_missing gcc libc6-dev)
    [ -n "$packages" ] || exit 1
    # shellcheck disable=SC2086 # a list of packages
    debian_unpack "$work" $packages libc6 libgcc-s1 || exit 1
    gcc=$(cd "$work/usr/bin" && ls -d gcc-[0-9]* | head -n 1)
    [ -n "$gcc" ] || exit 1
    mkdir -p "$work/bin"
    paths=$final/usr/lib/$("$work/usr/bin/$gcc" -dumpmachine):
    for name in cc gcc; do
        wrap "$work/bin/$name" "$paths" "$final/usr/bin/$gcc" "--sysroot=$final" "-B$final/usr/bin"
    done
    for name in ar as ld nm ranlib strip objcopy; do
        wrap "$work/bin/$name" "$paths" "$final/usr/bin/$name"
    done
    keep "$work" "$final"
)
