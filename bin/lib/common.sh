# What every script here begins with: saying, asking, and a place for what is fetched once.

say() {
    printf '%s\n' "$*" >&2
}

# fail SENTENCE: the last word.
fail() {
    say "$*"
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

is_root() {
    [ "$(id -u)" = 0 ]
}

# Where things are kept that were fetched once, for every checkout on this machine.
portal_cache() {
    if is_root; then
        echo "${XDG_CACHE_HOME:-/var/cache}/presence-portal"
    else
        echo "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/presence-portal"
    fi
}

# keep WORK FINAL: puts what was fetched in its place, whole or not at all.
keep() {
    chmod -R a+rX "$1" && { mv "$1" "$2" 2>/dev/null || [ -d "$2" ]; }
}

# holds FILE SHA256
holds() {
    if have sha256sum; then
        echo "$2  $1" | sha256sum --check --status -
    else
        [ "$(shasum -a 256 "$1" | cut -d' ' -f1)" = "$2" ]
    fi
}
