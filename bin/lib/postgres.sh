# Where Postgres is on this machine, and how to fetch it when it is not.

# postgres_candidates [MAJOR]: prints the directories that may hold its programs, best first.
postgres_candidates() {
    if [ -n "${PORTAL_PG_BIN:-}" ]; then
        echo "$PORTAL_PG_BIN"
        return
    fi
    for program in postgres initdb; do
        found=$(command -v "$program") && dirname "$(readlink -f "$found")"
    done
    for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
        /usr/local/opt/postgresql@*/bin /Applications/Postgres.app/Contents/Versions/*/bin \
        "$(portal_cache)"/postgres-*/bin; do
        [ ! -x "$dir/postgres" ] || echo "$dir"
    done | sort -r -t/ -V
}

# Where things are kept that were fetched once, for every checkout on this machine.
portal_cache() {
    if [ "$(id -u)" = 0 ]; then
        echo "${XDG_CACHE_HOME:-/var/cache}/presence-portal"
    else
        echo "${XDG_CACHE_HOME:-$HOME/.cache}/presence-portal"
    fi
}

postgres_fetch() {
    return 1
}
