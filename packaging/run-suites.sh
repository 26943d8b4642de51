#!/bin/sh
# Runs make targets as test suites, one after the other, all of them whatever fails, shows their output as it comes,
# and closes with one line per suite and one for all. Exits 0 only if every suite ran tests and none failed.
#
#   packaging/run-suites.sh LOGS SUITE...
#
# SUITE_TIMEOUT (seconds, default 1500) is the longest that one suite may take.
set -eu

logs=$1
shift
mkdir -p "$logs"
child=
# timeout(1) passes the signal on to everything that the suite has started.
trap 'trap "" INT TERM HUP; [ -z "$child" ] || kill -TERM "$child" || true; echo "interrupted" >&2; exit 130' INT TERM HUP

# counts LOG: how many tests passed, failed and were ignored, from the closing lines of cargo test and from plain
# "N passed, N failed" ones.
counts() {
    awk '
        /^test result: / { passed += $4; failed += $6; ignored += $8 }
        /^([a-z-]+: )?[0-9]+ passed, [0-9]+ failed/ { sub(/^[a-z-]+: /, ""); passed += $1; failed += $3 }
        END { print passed + 0, failed + 0, ignored + 0 }
    ' "$1"
}

summary=
total_passed=0
total_failed=0
began=$(date +%s)
for suite in "$@"; do
    printf '\n==> suite %s\n' "$suite"
    log=$logs/$suite.log
    start=$(date +%s)
    : >"$log"
    timeout --kill-after=60 "${SUITE_TIMEOUT:-1500}" make -k "$suite" >"$log" 2>&1 </dev/null &
    child=$!
    tail -n +1 -s 0.2 -f --pid="$child" "$log"
    status=0
    wait "$child" || status=$?
    child=
    seconds=$(($(date +%s) - start))

    read -r passed failed ignored <<COUNTS
$(counts "$log")
COUNTS
    verdict=ok
    if [ "$status" -ne 0 ]; then
        # A suite that did not compile or was stopped has failed, though no test says so.
        [ "$failed" -gt 0 ] || failed=1
        verdict="FAILED (exit $status)"
        [ "$status" -ne 124 ] || verdict="FAILED (longer than ${SUITE_TIMEOUT:-1500} s)"
    elif [ "$passed" -eq 0 ]; then
        failed=1
        verdict='FAILED (ran no test)'
    fi
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    summary="$summary$(printf '%-22s %6d %6d %7d %6d s  %s' "$suite" "$passed" "$failed" "$ignored" "$seconds" "$verdict")
"
done

printf '\n%-22s %6s %6s %7s %8s\n' suite passed failed ignored time
printf '%s' "$summary"
printf 'all in %d s; the logs are in %s\n\n' "$(($(date +%s) - began))" "$logs"
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
