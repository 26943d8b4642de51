# Takes a node off the lab's networks, as it is without power, and with "on" puts it on them as a fresh machine: addresses
# and firewall of its last life are gone. Runs in the lab's namespaces.
# Arguments: on or off, network namespace of the node, NETWORK=PORT=ADDRESS/PREFIX...
set -eu
power=$1 netns=$2
shift 2

for cable in "$@"; do
    port=${cable#*=}
    ip link delete "${port%%=*}" 2>/dev/null || true
done
if [ -e "$netns" ]; then
    umount "$netns"
    rm "$netns"
fi
[ "$power" = on ] || exit 0

mkdir -p "${netns%/*}"
touch "$netns"
unshare --net="$netns" ip link set lo up
exec 8<"$netns"
for cable in "$@"; do
    network=${cable%%=*} port=${cable#*=} address=${cable##*=}
    port=${port%%=*}
    ip link add "$port" type veth peer name peer
    ip link set peer netns /proc/self/fd/8 name "$network"
    ip link set "$port" master "$network" up
    nsenter --net="$netns" ip addr add "$address" dev "$network"
    nsenter --net="$netns" ip link set "$network" up
done
