#!/bin/sh
# Installs what the lab, the server's stand-in and the tests run on this machine.
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/lib.sh"

# Debian's PostgreSQL would start a server of its own; only its programs are wanted. A machine that has it keeps its
# settings.
settings=/etc/postgresql-common/createcluster.conf
if ! installed postgresql-common && [ "$(id -u)" -eq 0 ] && [ ! -e "$settings" ]; then
    mkdir -p "${settings%/*}"
    echo 'create_main_cluster = false' >"$settings"
fi
need_packages mmdebstrap debian-archive-keyring systemd-container iproute2 e2fsprogs util-linux procps postgresql \
    openssl curl libxml2-utils xsltproc
