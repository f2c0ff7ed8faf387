# A PgBouncer that keeps prepared statements (1.21 or newer): this machine's own, or Debian 13's,
# fetched once with its own libraries and run by its own loader, so that it runs on older Debians.

PGBOUNCER_PACKAGES='pgbouncer libc6 libcares2 libevent-2.1-7t64 libpam0g libssl3t64 libsystemd0
libaudit1 libcap2 libcap-ng0 libgcc-s1 libzstd1 zlib1g liblzma5 liblz4-1'

# pgbouncer_find: prints a command that runs one.
pgbouncer_find() {
    if found=$(command -v pgbouncer) && pgbouncer_is_new "$found"; then
        echo "$found"
        return
    fi
    wrapped=$(portal_cache)/pgbouncer/pgbouncer
    [ -x "$wrapped" ] || pgbouncer_fetch || return 1
    pgbouncer_is_new "$wrapped" && echo "$wrapped"
}

pgbouncer_is_new() {
    "$1" --version 2>/dev/null | awk '$1 == "PgBouncer" { split($2, v, "."); exit !(v[1] > 1 || v[2] >= 21) }'
}

pgbouncer_fetch() (
    have apt-get && have dpkg || return 1
    work=$(portal_cache)/fetching.$$
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/root" || return 1
    echo 'deb http://deb.debian.org/debian trixie main' >"$work/sources.list"
    trixie() {
        program=$1
        shift
        "$program" -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
            -o Dir::State="$work/apt" -o Dir::State::status=/var/lib/dpkg/status \
            -o Dir::Cache="$work/apt" -o APT::Sandbox::User=root "$@" >/dev/null 2>&1
    }
    trixie apt-get update || return 1
    # shellcheck disable=SC2086 # a list of packages
    (cd "$work" && trixie apt-get download $PGBOUNCER_PACKAGES) || return 1
    for package in "$work"/*.deb; do
        dpkg -x "$package" "$work/root" 2>/dev/null || return 1
    done
    loader=$(cd "$work/root" && find usr/lib -name 'ld-linux*.so.*' | head -n 1)
    [ -n "$loader" ] || return 1
    final=$(portal_cache)/pgbouncer
    {
        echo '#!/bin/sh'
        echo "exec '$final/$loader' --library-path '$final/$(dirname "$loader")' '$final/usr/sbin/pgbouncer' \"\$@\""
    } >"$work/root/pgbouncer"
    chmod +x "$work/root/pgbouncer"
    keep "$work/root" "$final"
)
