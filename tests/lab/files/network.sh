# Joins one node to one of the lab's networks. Runs in the lab's namespaces.
# Arguments: network namespace of the node, network, port on the bridge, address of the lab, address of the node.
set -eu
netns=$1 network=$2 port=$3 lab=$4 address=$5

if ! ip link show "$network" >/dev/null 2>&1; then
    ip link add "$network" type bridge
    ip addr add "$lab" dev "$network"
    ip link set "$network" up
    # A client here must notice at once that the virtual IP has moved; by default it asks once a second.
    echo 100 >"/proc/sys/net/ipv4/neigh/$network/retrans_time_ms"
fi
if [ ! -e "$netns" ]; then
    touch "$netns"
    unshare --net="$netns" ip link set lo up
fi
ip link add "$port" type veth peer name peer
exec 8<"$netns"
ip link set peer netns /proc/self/fd/8 name "$network"
ip link set "$port" master "$network" up
nsenter --net="$netns" ip addr add "$address" dev "$network"
nsenter --net="$netns" ip link set "$network" up
