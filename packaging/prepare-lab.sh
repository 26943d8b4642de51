#!/usr/bin/env bash
# Makes ready what the lab needs, side by side: Debian packages, the nodes' root file system and the programs.
#
#   packaging/prepare-lab.sh LOGS
set -euo pipefail
# shellcheck source=packaging/progress.sh
. "${BASH_SOURCE[0]%/*}/progress.sh"

logs=$1
mkdir -p "$logs"

# ended TARGET
ended() {
    say_line "$(outcome "$1")  $logs/$1.log"
    [ "${status[$1]}" -eq 0 ] || tail -n 30 "$logs/$1.log" >&2
}

# Seconds on two processors that have nothing else to do, with nothing there.
phase image-packages 10 '' "$(words mmdebstrap mmdebstrap)"
phase lab-image 70 image-packages "$(words 'node image' 节点镜像)"
phase lab-programs 220 image-packages "$(words programs 程序)"
phase lab-packages 20 image-packages "$(words 'host packages' 主机软件包)"
run_phases
