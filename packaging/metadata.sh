#!/bin/sh
# Writes what each agent prints as its meta-data, in the dialects of OCF 1.0 and 1.1, to DIRECTORY/1.0/AGENT.xml and
# DIRECTORY/1.1/AGENT.xml. Files there of agents that no longer exist are removed.
#
#   packaging/metadata.sh BINARIES DIRECTORY AGENT...
set -eu

binaries=$1
directory=$2
shift 2

for dialect in 1.0 1.1; do
    mkdir -p "$directory/$dialect"
    rm -f "$directory/$dialect"/*.xml
    for agent in "$@"; do
        # OCF 1.1 callers say so in the environment; callers that say nothing get OCF 1.0.
        set_version=
        [ "$dialect" = 1.0 ] || set_version='OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=1'
        file=$directory/$dialect/$agent.xml
        # shellcheck disable=SC2086  # words
        env -i OCF_ROOT=/usr/lib/ocf $set_version timeout 10 "$binaries/$agent" meta-data >"$file" || {
            echo "error: '$agent meta-data' failed (OCF $dialect)" >&2
            rm -f "$file"
            exit 1
        }
        [ -s "$file" ] || {
            echo "error: '$agent meta-data' printed nothing (OCF $dialect)" >&2
            exit 1
        }
    done
done
