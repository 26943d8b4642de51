#!/usr/bin/env bash
# Runs make targets as test suites, all of them whatever fails, side by side where they do not disturb one another, and
# closes with one line per suite and one for all. Exits 0 only if every suite ran tests and none failed.
#
#   packaging/run-suites.sh LOGS SUITE...
#
# SUITE_TIMEOUT (seconds, default 1500) is the longest that one suite may take. SKIPS is a file that lists the tests that may
# be skipped, with reasons (tests/skips); any other skipped test has failed. Without it they are only counted and named.
set -euo pipefail
# shellcheck source=packaging/progress.sh
. "${BASH_SOURCE[0]%/*}/progress.sh"
# shellcheck source=packaging/lab-phases.sh
. "${BASH_SOURCE[0]%/*}/lab-phases.sh"

logs=$1
shift
mkdir -p "$logs"
# A suite that fails does not keep the others from running.
keep_going=1
# Once for all suites.
export LAB_IS_READY=1

# counts LOG: how many tests passed, failed and were skipped, from the closing lines of cargo test, which calls them ignored, and
# from plain "N passed, N failed, N skipped" ones.
counts() {
    awk '
        /^test result: / { passed += $4; failed += $6; skipped += $8 }
        /^([a-z-]+: )?[0-9]+ passed, [0-9]+ failed/ {
            sub(/^[a-z-]+: /, ""); passed += $1; failed += $3; skipped += $5
        }
        END { print passed + 0, failed + 0, skipped + 0 }
    ' "$1"
}

# skips LOG: the names of the tests that were skipped, as "test NAME ... ignored" says.
skips() {
    sed -n 's/^test \([^ ]*\) *\.\.\. ignored.*/\1/p' "$1"
}

# is_listed SUITE TEST: whether $SKIPS has a line "SUITE TEST REASON".
is_listed() {
    awk -v suite="$1" -v test="$2" '
        $1 == suite && $2 == test && NF > 2 { found = 1 }
        END { exit !found }
    ' "$SKIPS"
}

# What failed, out of a log: cargo's errors, what the failed tests printed, and the lines that say which they are.
failures() {
    awk '
        /^failures:$/ { shown = 1 }
        /^error/ { left = 30 }
        /^test result: / { shown = 0 }
        shown || left > 0 || /^test .*FAILED$/ { print; left-- }
    ' "$1" | grep . || tail -n 40 "$1"
}

# Only suites go on after a failure, and have a time of their own.
run_phase() {
    case " $suites " in
    *" $1 "*) exec setsid timeout --kill-after=60 "${SUITE_TIMEOUT:-1500}" make -k "$1" ;;
    *) exec setsid make "$1" ;;
    esac
}

summary=
total_passed=0
total_failed=0
total_skipped=0
skipped_tests=

# ended TARGET
ended() {
    local suite=$1 log=$logs/$1.log code=${status[$1]} passed failed skipped listed=0 verdict=ok test
    case " $suites " in
    *" $suite "*) ;;
    *)
        say_line "$(outcome "$suite")  $log"
        if [ "$code" -ne 0 ]; then
            total_failed=$((total_failed + 1))
            tail -n 30 "$log"
        fi
        return
        ;;
    esac
    read -r passed failed skipped <<<"$(counts "$log")"
    if [ "$code" -ne 0 ]; then
        # A suite that did not compile or was stopped has failed, though no test says so.
        [ "$failed" -gt 0 ] || failed=1
        verdict="FAILED (exit $code)"
        [ "$code" -ne 124 ] || verdict="FAILED (longer than ${SUITE_TIMEOUT:-1500} s)"
    elif [ "$passed" -eq 0 ]; then
        failed=1
        verdict='FAILED (ran no test)'
    fi
    for test in $(skips "$log"); do
        if [ -n "${SKIPS:-}" ] && is_listed "$suite" "$test"; then
            listed=$((listed + 1))
        fi
        skipped_tests+="    $suite $test"$'\n'
    done
    if [ -n "${SKIPS:-}" ] && [ "$listed" -lt "$skipped" ]; then
        failed=$((failed + skipped - listed))
        [ "$verdict" != ok ] || verdict="FAILED (skips that are not in $SKIPS)"
    fi
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
    summary+=$(printf '%-22s %6d %6d %7d %6d s  %s' "$suite" "$passed" "$failed" "$skipped" "${took[$suite]}" "$verdict")$'\n'
    [ "$verdict" = ok ] || status[$suite]=1
    say_line "$(outcome "$suite"): $passed passed, $failed failed, $skipped skipped  $log"
    # A log of somewhere else has every result.
    [ -n "$bar" ] || grep -E '^test .* \.\.\. |^[a-z-]+: [0-9]+ passed' "$log" || true
    [ "$verdict" = ok ] || failures "$log"
}

# What others may run beside. Two take turns with another one, so that no more than four run at a time.
declare -A beside=(
    [contract-test]='' [administration-test]='' [kwbase-standin-test]='' [lab-test]=''
    [hostile-test]=kwbase-standin-test [toolchain-test]=lab-test
)

# plan SUITE...: what runs beside what. Compiling takes both processors, so that is done first; then come the suites that wait
# for events most of the time, side by side; then those with bounds on time, each with the machine for itself.
plan() {
    local suite turn before prepared='' compiled=''
    case " $* " in
    *-test\ * | *matrix-*)
        lab_phases
        prepared='lab-image lab-programs lab-packages'
        ;;
    esac
    for suite in "$@"; do
        case $suite in
        check | unit)
            phase "$suite" 90 "$compiled" "$suite"
            compiled=$suite
            prepared+=" $suite"
            ;;
        esac
    done
    before=$prepared
    for suite in "$@"; do
        [ -n "${beside[$suite]+is}" ] || continue
        turn=${beside[$suite]}
        case " $* " in
        *" ${turn:-none} "*) ;;
        *) turn='' ;;
        esac
        phase "$suite" 150 "$prepared $turn" "$suite"
        before+=" $suite"
    done
    for suite in "$@"; do
        case $suite in
        check | unit) continue ;;
        esac
        [ -z "${beside[$suite]+is}" ] || continue
        phase "$suite" 250 "$before" "$suite"
        before+=" $suite"
    done
}

suites=$*
plan "$@"
run_phases

printf '\n%-22s %6s %6s %7s %8s\n' suite passed failed skipped time
printf '%s' "$summary"
[ -z "$skipped_tests" ] || printf 'skipped:\n%s' "$skipped_tests"
printf 'all in %d s; the logs are in %s\n\n' "$((EPOCHSECONDS - first))" "$logs"
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ "$total_failed" -eq 0 ]
