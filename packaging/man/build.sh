#!/bin/sh
# Renders the agents' manual pages, English and Chinese, from ocf-metadata/1.1.
#
#   packaging/man/build.sh DIRECTORY VERSION
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"

directory=$1
version=$2
need_packages xsltproc

# page LANGUAGE DIRECTORY XML
page() {
    mkdir -p "$2"
    xsltproc --nonet --novalid --stringparam lang "$1" --stringparam version "$version" \
        "$repository/packaging/man/agent.xsl" "$3" >"$2/ocf_kaiwudb_$(basename "$3" .xml).7"
}

rm -rf "$directory"
for xml in "$repository"/ocf-metadata/1.1/*.xml; do
    [ -e "$xml" ] || die "ocf-metadata/1.1 is empty: run 'make metadata'"
    page en "$directory/man7" "$xml"
    page zh-CN "$directory/zh_CN/man7" "$xml"
done
