#!/bin/sh
# Builds the RPM package from what `make install` installs. The same commit gives the same bytes.
#
#   packaging/rpm/build.sh DIRECTORY x86_64|aarch64 VERSION
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"

directory=$1
machine=$2
version=$3
command -v rpmbuild >/dev/null || need_packages rpm

cd "$repository"
source_date_epoch
mkdir -p "$directory"
top=$(mktemp -d "$directory/.top.XXXXXX")
trap 'rm -rf "$top"' EXIT
rpmbuild -bb --quiet --target "$machine-linux" \
    --define "_topdir $top" --define "our_version $version" --define "our_machine $machine" \
    --define "our_source $repository" --define "our_files $top/files" packaging/rpm/kaiwudb-ha.spec
mv "$top/RPMS/$machine/"*.rpm "$directory"
echo "$directory/kaiwudb-ha-$version-1.$machine.rpm"
