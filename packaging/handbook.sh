#!/bin/sh
# Copies the handbook as people read it: without the lines that are for the lab.
#
#   packaging/handbook.sh FROM TO
set -eu
for language in zh-CN en; do
    install -d "$2/$language"
    for page in "$1/$language"/*.md; do
        # shellcheck disable=SC2016  # back-ticks of Markdown
        sed -e '/^<!-- lab: /d' -e 's/^```console .*/```console/' "$page" >"$2/$language/${page##*/}"
        chmod 0644 "$2/$language/${page##*/}"
    done
done
