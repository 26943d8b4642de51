#!/bin/bash
# Runs make targets on machines that are as bare as Debian installs them, in containers made for it, and closes with the time
# that each took. The repository comes as a tarball of the commit, without a git directory, caches or a target directory, to a
# path with a blank and with umask 077.
#
#   packaging/fresh/test.sh LOGS SUITE-LISTS...
#
# SUITE is bookworm or trixie. LISTS tells what apt knows: "empty" nothing; "old" what a machine knows that has not asked for a
# month and has the Rust of then. FRESH_STEPS are the targets (default: demo demo test; the second demo finds everything
# built), FRESH_TIMEOUT the seconds that each may take (3600).
set -euo pipefail
# Whatever ends make, even SIGKILL, ends this and what it has started.
[ "${FRESH_CHILD:-}" = "$PPID" ] || FRESH_CHILD=$PPID exec setpriv --pdeathsig TERM "$0" "$@"
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"
container=$repository/packaging/fresh/container.sh
cache=${KAIWUDB_HA_CACHE:-/var/cache/kaiwudb-ha}/fresh

[ $# -ge 2 ] || die "usage: $0 LOGS SUITE-LISTS..."
mkdir -p "$1" "$cache"
logs=$(cd "$1" && pwd)
shift
for machine in "$@"; do
    case $machine in
    bookworm-empty | bookworm-old | trixie-empty | trixie-old) ;;
    *) die "no machine is called '$machine'; allowed are bookworm-empty, bookworm-old, trixie-empty and trixie-old" ;;
    esac
done
[ -z "$(git -C "$repository" status --porcelain)" ] || say "what is not committed is not part of the test"

directory=
child=
table=
failed=0
passed=0
status=0

# A machine's directory is locked as long as this script lives.
begin() {
    directory=$cache/$machine.$$
    mkdir -p "$directory"
    exec 8>"$directory/lock"
    flock --nonblock 8
}

end() {
    [ -n "$directory" ] || return 0
    if [ -n "$child" ]; then
        kill -KILL "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    "$container" remove "$directory"
    exec 8>&-
    directory=
}
trap end EXIT

remove_leftovers() {
    local left
    for left in "$cache"/*/; do
        if [ -d "$left" ] && flock --nonblock "$left/lock" true; then
            "$container" remove "${left%/}"
        fi
    done
}

# step NAME ACTION [COMMAND...]: with a line in the table. The end of its output is shown when it fails.
step() {
    local log=$logs/$machine-${1// /-}.log start=$SECONDS verdict=ok
    say "$machine: $1 (the log is $log)"
    status=0
    # In the background, so that a signal ends this script at once.
    setpriv --pdeathsig KILL "$container" "$2" "$directory" "${@:3}" >"$log" 2>&1 </dev/null 8>&- &
    child=$!
    wait "$child" || status=$?
    child=
    case $status in
    0) passed=$((passed + 1)) ;;
    137) verdict="FAILED (killed, or longer than ${FRESH_TIMEOUT:-3600} s)" ;;
    *) verdict="FAILED (exit $status)" ;;
    esac
    if [ "$status" -ne 0 ]; then
        failed=$((failed + 1))
        tail -n 40 "$log" >&2
    fi
    table+=$(printf '%-16s %-22s %6d s  %s' "$machine" "$1" $((SECONDS - start)) "$verdict")$'\n'
}

remove_leftovers
for machine in "$@"; do
    begin
    step 'root file system' create
    number=0
    for target in ${FRESH_STEPS:-demo demo test}; do
        [ "$status" -eq 0 ] || break
        number=$((number + 1))
        step "$number make $target" run make "$target"
    done
    end
done

printf '\n%-16s %-22s %8s  %s\n%s\n%s passed, %s failed\n' machine step time verdict "$table" "$passed" "$failed"
[ "$failed" -eq 0 ]
