#!/bin/sh
# Builds the Debian package from what `make install` installs. The same commit gives the same bytes.
#
#   packaging/deb/build.sh DIRECTORY x86_64|aarch64 VERSION PROFILE
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"

directory=$1
machine=$2
version=$3
profile=$4
# xz: bullseye's dpkg reads no zstd. The lab's own package is made and unpacked soon instead.
compression=-Zxz
[ "$profile" = release ] || compression='-Zgzip -z1'
case $machine in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) die "no Debian architecture is known for '$machine'" ;;
esac

cd "$repository"
changed=$(sed -n '1s/^kaiwudb-ha (\(.*\)) .*/\1/p' packaging/deb/changelog)
[ "$changed" = "$version" ] || die "packaging/deb/changelog is at version '$changed', Cargo.toml at '$version'"
source_date_epoch

mkdir -p "$directory"
root=$(mktemp -d "$directory/.root.XXXXXX")
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"
# Not part of a parallel make that may have called this.
MAKEFLAGS='' make --no-print-directory install DESTDIR="$root" MACHINE="$machine" PROFILE="$profile"

# Debian's own places for these.
rm -f "$root/usr/share/doc/kaiwudb-ha/LICENSE"
install -D -m 0644 packaging/deb/lintian-overrides "$root/usr/share/lintian/overrides/kaiwudb-ha"
install -m 0644 packaging/deb/copyright "$root/usr/share/doc/kaiwudb-ha/copyright"
gzip -9n <packaging/deb/changelog >"$root/usr/share/doc/kaiwudb-ha/changelog.gz"
chmod 0644 "$root/usr/share/doc/kaiwudb-ha/changelog.gz"
find "$root/usr/share/man" -type f -exec gzip -9n {} +

mkdir "$root/DEBIAN"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" \
    -e "s/@SIZE@/$(du -k -s --apparent-size "$root/usr" | cut -f 1)/" packaging/deb/control >"$root/DEBIAN/control"
chmod 0644 "$root/DEBIAN/control" "$root/DEBIAN/md5sums"

package=$directory/kaiwudb-ha_${version}_$architecture.deb
# shellcheck disable=SC2086  # words
dpkg-deb --root-owner-group $compression --build "$root" "$package" >&2
echo "$package"
