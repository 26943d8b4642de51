#!/usr/bin/env bash
# Makes the lab ready: Debian packages, the nodes' root file system and the programs.
#
#   packaging/prepare-lab.sh LOGS
set -euo pipefail
# shellcheck source=packaging/progress.sh
. "${BASH_SOURCE[0]%/*}/progress.sh"
# shellcheck source=packaging/lab-phases.sh
. "${BASH_SOURCE[0]%/*}/lab-phases.sh"

logs=$1
mkdir -p "$logs"

# ended TARGET
ended() {
    say_line "$(outcome "$1")  $logs/$1.log"
    [ "${status[$1]}" -eq 0 ] || tail -n 30 "$logs/$1.log" >&2
}

lab_phases
run_phases
