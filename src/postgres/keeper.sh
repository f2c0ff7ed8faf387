# Keeps a Postgres server for as long as anybody holds a shared lock on a file, and starts it
# again when it falls. The kernel lets go of the lock whatever becomes of its holder, so no
# server is ever left behind; and no new user gets the lock until the server is down.
#
# keeper USERS SIGNAL LEAVE COMMAND…
#   USERS   the file
#   SIGNAL  what asks the server to stop
#   LEAVE   a directory to remove at the end, or nothing

users=$1 signal=$2 leave=$3
shift 3
exec 9<"$users"

until_nobody() {
    if command -v flock >/dev/null 2>&1; then
        flock -x 9
    else
        perl -e 'use Fcntl ":flock"; open(my $file, "<&=", 9) and flock($file, LOCK_EX) or exit 1'
    fi
}

leaving=
trap 'leaving=yes' TERM
trap '' INT HUP
keeper=$$
(until_nobody && kill -TERM "$keeper") &

falls=0
while [ -z "$leaving" ]; do
    "$@" 9<&- &
    server=$!
    while kill -0 "$server" 2>/dev/null; do
        if [ -z "$leaving" ]; then
            wait "$server"
        else
            kill -"$signal" "$server" 2>/dev/null
            sleep 0.05
        fi
    done
    falls=$((falls + 1))
    [ -n "$leaving" ] || if [ "$falls" -lt 40 ]; then sleep 0.2; else sleep 2; fi
done
[ -z "$leave" ] || rm -rf "$leave"
