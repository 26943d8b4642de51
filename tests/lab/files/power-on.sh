# Boots a node. Runs in the lab's namespaces.
# Arguments: directory of the lab, node, control group, cgroup hierarchies...
set -eu
directory=$1 node=$2 group=$3
shift 3

# A control group of its own, or the two nodes' systemds would take each other's processes for theirs.
for hierarchy in "$@"; do
    mkdir -p "$hierarchy/$group"
    echo $$ >"$hierarchy/$group/cgroup.procs"
done
# systemd 258 and later starts on the unified hierarchy only, which a hybrid machine has, too.
for library in "$directory/root/$node"/usr/lib/*/systemd/libsystemd-shared-*.so; do
    release=${library##*-}
    release=${release%%[!0-9]*}
    [ "${release:-0}" -lt 258 ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
done
# --capability=all and the system calls that nspawn withholds, as a real server has them (Docker needs them); --register=no
# and --keep-unit: no service manager of this machine is asked.
setsid systemd-nspawn --quiet --directory="$directory/root/$node" --boot --machine="$node" --register=no --keep-unit \
    --network-namespace-path="$directory/netns/$node" --capability=all --system-call-filter='@keyring bpf' \
    --console=read-only --resolv-conf=off --timezone=off --link-journal=no >>"$directory/$node.console" 2>&1 </dev/null &
# From here on it can be found by its arguments.
until grep -qs systemd-nspawn "/proc/$!/cmdline"; do
    kill -0 $! 2>/dev/null || exit 0
    sleep 0.01
done
