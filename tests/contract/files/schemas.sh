#!/bin/sh
# Puts pcs's schemas of meta-data into DIRECTORY: those of the installed pcs, else those of Debian's package, which is not
# installed for it (its daemon would start).
#
#   schemas.sh DIRECTORY
set -eu

directory=$1
installed=/usr/share/pcs/data
if [ -e "$installed/ocf-1.1.rng" ]; then
    exec cp "$installed"/ocf-1.0.rng "$installed"/ocf-1.1.rng "$directory"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get -qq download pcs 2>log || { apt-get -qq update && apt-get -qq download pcs; }
dpkg-deb -x pcs_*.deb .
cp ."$installed"/ocf-1.0.rng ."$installed"/ocf-1.1.rng "$directory"
