#!/bin/bash
# In place of the vendor's deploy.sh, as far as an upgrade of one node from its packages goes: refuses while a server answers on this node,
# replaces the packages, notes the release, starts nothing. Source of these facts: kaiwudb_install/ of KWDB 3.2.1.
set -eu
[ "$*" = 'upgrade -l' ] || { echo "usage: deploy.sh upgrade -l" >&2; exit 1; }
if kw-status >/dev/null 2>&1; then
    echo 'Current local node is not support online upgrade! Please stop KaiwuDB then try again.' >&2
    exit 1
fi
cd "$(dirname "$0")/packages"
dpkg -r kaiwudb-server >/dev/null 2>&1 || true
dpkg -i ./kaiwudb-server*.deb >/dev/null
chown -R kaiwudb:kaiwudb /usr/local/kaiwudb
cp -f .version /etc/kaiwudb/info/
echo '[UPGRADE COMPLETED]:Local node upgrade successfully.'
