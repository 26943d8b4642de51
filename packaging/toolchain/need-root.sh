#!/bin/sh
# Ends a make target with one sentence unless it was started by root.
#
#   packaging/toolchain/need-root.sh TARGET REASON
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || die "'make $1' has to be run as root: $2"
