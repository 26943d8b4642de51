#!/bin/sh
# The kaiwudb agent of an earlier commit, built as the lab's are, to be measured beside the present one: prints its path.
#
#   packaging/before.sh DIRECTORY COMMIT x86_64|aarch64
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/toolchain/lib.sh"

[ $# -eq 3 ] || die "usage: $0 DIRECTORY COMMIT x86_64|aarch64"
commit=$(git -C "$repository" rev-parse --verify "$2^{commit}") || die "there is no commit $2 in $repository"
source=$(realpath -m "$1")/$commit
agent=$source/target/$3-unknown-linux-musl/lab/kaiwudb
if [ ! -x "$agent" ]; then
    mkdir -p "$source"
    git -C "$repository" archive "$commit" | tar -x -C "$source"
    CARGO_TARGET_DIR=$source/target "$source/packaging/toolchain/static-build.sh" "$3" lab -p kaiwudb-agent >&2
fi
echo "$agent"
