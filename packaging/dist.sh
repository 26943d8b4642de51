#!/bin/sh
# Packs the committed source with every crate it needs, so that it builds without a network. The same commit and the
# same Debian compiler give the same bytes.
#
#   packaging/dist.sh DIRECTORY VERSION
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/toolchain/lib.sh"

directory=$1
name=kaiwudb-ha-$2
use_cargo
need_packages rust-web-src xz-utils
cd "$repository"
source_date_epoch
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
work=$(mktemp -d "$directory/.dist.XXXXXX")
trap 'rm -rf "$work"' EXIT

git archive --prefix="$name/" HEAD | tar -x -C "$work"
cd "$work/$name"
mkdir .cargo
# The standard library's own crates too, because static-build.sh may have to compile it. Its manifest uses features
# that only the bootstrap switch allows.
say "collecting the crates"
RUSTC_BOOTSTRAP=1 cargo vendor --quiet --locked --versioned-dirs \
    --sync /usr/lib/rustlib/src/rust/library/sysroot/Cargo.toml vendor
cat >.cargo/config.toml <<CONFIG
[source.crates-io]
replace-with = "vendor"

[source.vendor]
directory = "vendor"
CONFIG
say "packing"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -c "$name" |
    xz -T0 -6 >"$work/$name.tar.xz"
mv "$work/$name.tar.xz" "$directory"
echo "$directory/$name.tar.xz"
