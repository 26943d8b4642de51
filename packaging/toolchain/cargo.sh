#!/bin/sh
# Runs cargo with a toolchain that can build this workspace: the one in PATH when it is new enough, otherwise
# Debian's, which is installed when it is missing.
#
#   packaging/toolchain/cargo.sh build --release
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"

use_cargo
# A toolchain may have been installed without these.
case ${1:-} in
clippy | fmt) cargo "$1" --version >/dev/null 2>&1 || use_debian_cargo ;;
esac
exec cargo "$@"
