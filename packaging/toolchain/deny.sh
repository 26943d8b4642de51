#!/bin/sh
# Runs `cargo deny check`, where it is installed, on what is linked into what we ship: by deny.toml, and without a network. Advisories are
# looked up in the copy of the database that an earlier `cargo deny fetch` has left, where there is one.
#
#   packaging/toolchain/deny.sh
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"
use_cargo
cd "$repository"

if ! cargo deny --version >/dev/null 2>&1; then
    echo 'test cargo-deny ... ignored (not installed; tests/layout checks the same)'
    exit 0
fi
checks='bans licenses sources'
[ ! -d "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" ] || checks="advisories $checks"
metadata=$(mktemp)
trap 'rm -f "$metadata"' EXIT
# What other platforms need is not downloaded.
cargo metadata --locked --offline --format-version 1 --filter-platform x86_64-unknown-linux-gnu >"$metadata"
# shellcheck disable=SC2086 # several words
cargo deny --offline --metadata-path "$metadata" check --hide-inclusion-graph --allow unmatched-skip $checks
