#!/bin/sh
# Installs the Debian packages named that are missing.
#
#   packaging/toolchain/need.sh PACKAGE...
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"

need_packages "$@"
