#!/bin/sh
# Runs libFuzzer on each of the readers in tests/parsers, for some seconds each; prints a line for each of them.
#
#   packaging/fuzz.sh DIRECTORY SECONDS [TARGET...]
#
# DIRECTORY keeps what is built and the inputs that reached something new. It needs a nightly compiler, with which alone the code can be
# given the counters that guide the fuzzer; where there is none it says so and ends well.
set -eu
cd "$(dirname "$0")/.."
directory=$1 seconds=$2
shift 2

# rustup's name for it, or a cargo that is one.
for nightly in 'cargo +nightly' cargo; do
    case $($nightly --version 2>/dev/null) in *-nightly*) break ;; esac
    nightly=
done
if [ -z "$nightly" ]; then
    echo 'fuzz: left out, because there is no nightly compiler here (rustup toolchain install nightly --profile minimal)' >&2
    exit 0
fi
packaging/toolchain/need.sh g++ libc6-dev

host=$(rustc -vV | sed -n 's/^host: //p')
passes='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters'
passes="$passes -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
RUSTFLAGS="$passes --cfg fuzzing" CARGO_TARGET_DIR="$directory/target" \
    $nightly build --locked --release --quiet --manifest-path tests/parsers/fuzz/Cargo.toml --target "$host"
program=$directory/target/$host/release/fuzz

# shellcheck disable=SC2046 # names without blanks
[ $# -gt 0 ] || set -- $(sed -n 's/^    ("\([a-z0-9-]*\)", .*/\1/p' tests/parsers/src/lib.rs)
failed=
for target in "$@"; do
    corpus=$directory/corpus/$target
    mkdir -p "$corpus" "$directory/artifacts"
    log=$directory/$target.log
    result=well
    FUZZ_TARGET=$target "$program" "$corpus" tests/parsers/seeds tests/fixtures \
        "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        "-artifact_prefix=$directory/artifacts/$target-" >"$log" 2>&1 || { result="FAILED, see $log"; failed=1; }
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    printf '%-18s %s s, %s executions, %s inputs kept, %s MB: %s\n' \
        "$target" "$seconds" "${executions:-?}" "$(find "$corpus" -type f | wc -l)" "${memory:-?}" "$result"
done
[ -z "$failed" ]
