# Makes the next release of the vendor's package in a node: the program that is installed there, with some bytes behind it.
set -eu
cd "$(mktemp -d)"
mkdir -p root/DEBIAN root/usr/local/kaiwudb/bin /root/kwdb_install/packages
cp /usr/local/kaiwudb/bin/* root/usr/local/kaiwudb/bin/
echo 3.2.2 >>root/usr/local/kaiwudb/bin/kwbase
printf 'Package: kaiwudb-server\nVersion: 3.2.2\nArchitecture: amd64\nMaintainer: lab\nDescription: server\n' >root/DEBIAN/control
dpkg-deb --root-owner-group --build root /root/kwdb_install/packages/kaiwudb-server-3.2.2.deb
echo 3.2.2 >/root/kwdb_install/packages/.version
