# Boots a node: its root is an overlay over the image, kept from power-off to power-on like a disk.
# Runs in the lab's namespaces. Arguments: directory of the lab, node, image, control group, cgroup hierarchies...
set -eu
directory=$1 node=$2 image=$3 group=$4
shift 4
root=$directory/root/$node

if ! mountpoint -q "$root"; then
    mkdir -p "$directory/upper/$node" "$directory/work/$node" "$root"
    mount -t overlay -o "lowerdir=$image,upperdir=$directory/upper/$node,workdir=$directory/work/$node" lab "$root"
fi
# A control group of its own, or the two nodes' systemds would take each other's processes for theirs.
for hierarchy in "$@"; do
    mkdir -p "$hierarchy/$group"
    echo $$ >"$hierarchy/$group/cgroup.procs"
done
# --capability=all as a real server has; --notify-ready=no, --register=no: no service manager is asked.
setsid systemd-nspawn --quiet --directory="$root" --boot --machine="$node" --register=no --keep-unit \
    --network-namespace-path="$directory/netns/$node" --capability=all --console=read-only \
    --resolv-conf=off --timezone=off --link-journal=no >>"$directory/$node.console" 2>&1 </dev/null &
