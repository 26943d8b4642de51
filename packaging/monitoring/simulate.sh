#!/bin/sh
# One Prometheus with many simulated pairs: how long does each query of the dashboard take, and do the rules keep up?
#
#   packaging/monitoring/simulate.sh [PAIRS [SECONDS]]
#
# A program answers for two nodes of each of PAIRS (1000) pairs with what a node of the lab has said, under other names; every hundredth pair
# has faults. Debian's Prometheus scrapes all of them every 15 s for SECONDS (180), evaluates our rules, and is asked every query of the
# dashboard as Grafana asks it. Exit status 1: one took longer than a second.
set -eu
# shellcheck source=packaging/toolchain/lib.sh
. "$(dirname "$0")/../toolchain/lib.sh"

need_packages prometheus python3
exec python3 "$repository/packaging/monitoring/simulate.py" "${1:-1000}" "${2:-180}"
