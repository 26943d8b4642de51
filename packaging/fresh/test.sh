#!/bin/bash
# Runs make targets on machines that are as bare as Debian installs them, in containers made for it, and closes with the time
# that each took. The repository comes as a tarball of the commit, without a git directory, caches or a target directory.
#
#   packaging/fresh/test.sh LOGS SUITE-LISTS...
#
# SUITE is bookworm or trixie. LISTS tells what apt knows: "empty" nothing; "old" what a machine knows that has not asked for a
# month and has a Rust that was new then. FRESH_STEPS are the targets (default: demo demo test, so the second demo finds
# everything built), FRESH_TIMEOUT the seconds that each may take (3600).
set -euo pipefail
# When make is killed, this has to clean up.
[ "${FRESH_CHILD:-}" = "$PPID" ] || FRESH_CHILD=$PPID exec setpriv --pdeathsig TERM "$0" "$@"
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"
here=$repository/packaging/fresh
cache=${KAIWUDB_HA_CACHE:-/var/cache/kaiwudb-ha}/fresh

[ $# -ge 2 ] || die "usage: $0 LOGS SUITE-LISTS..."
mkdir -p "$1" "$cache"
logs=$(cd "$1" && pwd)
shift
for machine in "$@"; do
    case $machine in
    bookworm-empty | bookworm-old | trixie-empty | trixie-old) ;;
    *) die "no machine is called '$machine': bookworm-empty, bookworm-old, trixie-empty and trixie-old are" ;;
    esac
done
[ -z "$(git -C "$repository" status --porcelain)" ] || say "what is not committed is not part of the test"

# shellcheck source=packaging/fresh/container.sh
. "$here/container.sh"

remove_leftovers
table=
failed=0
passed=0
status=0

# step NAME COMMAND...: runs it for this machine, with a line in the table. Its output is shown when it fails.
step() {
    local log=$logs/$machine-$1.log start=$SECONDS verdict=ok
    log=${log// /-}
    say "$machine: $1 (the log is $log)"
    status=0
    waited "${@:2}" >"$log" 2>&1 || status=$?
    case $status in
    0) passed=$((passed + 1)) ;;
    137) verdict="FAILED (longer than $timeout s)" ;;
    *) verdict="FAILED (exit $status)" ;;
    esac
    if [ "$status" -ne 0 ]; then
        failed=$((failed + 1))
        tail -n 40 "$log" >&2
    fi
    table+=$(printf '%-16s %-22s %6d s  %s' "$machine" "$1" $((SECONDS - start)) "$verdict")$'\n'
}

timeout=${FRESH_TIMEOUT:-3600}
for machine in "$@"; do
    begin "$machine"
    step 'root file system' make_root
    number=0
    for target in ${FRESH_STEPS:-demo demo test}; do
        [ "$status" -eq 0 ] || break
        number=$((number + 1))
        step "$number make $target" contained make "$target"
    done
    end
done

printf '\n%-16s %-22s %8s  %s\n%s\n%s passed, %s failed\n' machine step time verdict "$table" "$passed" "$failed"
[ "$failed" -eq 0 ]
