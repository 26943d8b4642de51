# First process of the lab's own mount, pid and network namespaces. It ends when its standard input does, that is, with
# the lab that started it; the kernel then kills everything else in here and drops every mount, link and loop device.
# Arguments: directory of the lab, disk size, directory for the disk's backing file, then NETWORK=ADDRESS/PREFIX...
set -eu
directory=$1 size=$2 backing=$3
shift 3

mount -t tmpfs -o mode=0755 lab "$directory"
ip link set lo up
for network in "$@"; do
    name=${network%%=*}
    ip link add "$name" type bridge
    # Said explicitly it stays: otherwise it changes with the ports, and a survivor looks in vain for the power switch until it
    # has asked for the address anew.
    read -r _ _ address _ <<<"$(ip -brief link show dev "$name")"
    ip link set "$name" address "$address"
    ip addr add "${network#*=}" dev "$name"
    ip link set "$name" up
    # A client here must notice at once that the virtual IP has moved; by default it asks once a second.
    echo 100 >"/proc/sys/net/ipv4/neigh/$name/retrans_time_ms"
done

# The file is unlinked at once and the device detached while it is open here: both vanish with the last user.
file=$(mktemp -p "$backing" disk.XXXXXX)
truncate -s "$size" "$file"
loop=$(losetup --find --show "$file")
exec 9<>"$loop"
losetup --detach "$loop"
rm "$file"
mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1 -L kaiwudb "$loop"

echo "ready $loop"
# Reading in the foreground: bash reaps the orphans that are handed to the first process.
read -r _ || true
