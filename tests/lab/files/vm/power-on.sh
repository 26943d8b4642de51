# Starts a virtual machine, with its cables plugged in. Runs in the lab's namespaces.
# KAIWUDB_HA_VM_NICE is the priority of the machines, 5 by default: they are not to disturb what is measured elsewhere.
# Arguments: directory of the lab, node number, snapshot to start from or "", kind of accelerator, kernel, initial RAM disk
set -eu
directory=$1/vm number=$2 snapshot=$3 accelerator=$4 kernel=$5 initrd=$6

set --
card=0
for network in cluster replication management console; do
    port=n${number}_$network
    # The bridge of the console belongs to virtual machines only.
    if [ "$network" = console ] && ! ip link show console >/dev/null 2>&1; then
        ip link add console type bridge
        ip addr add 10.77.9.1/24 dev console
        ip link set console up
    fi
    # A bridge has the lowest address of its ports unless told otherwise: a machine from a snapshot would look for another one.
    ip link set "$network" address "52:54:00:77:0$card:01"
    ip link delete "$port" 2>/dev/null || true
    ip tuntap add dev "$port" mode tap
    ip link set "$port" master "$network" up
    set -- "$@" -netdev "tap,id=$network,ifname=$port,script=no,downscript=no" \
        -device "virtio-net-pci,netdev=$network,mac=52:54:00:77:0$card:1$number,romfile="
    card=$((card + 1))
done
for disk in root data second; do
    set -- "$@" -drive "id=$disk,file=$directory/node$number-$disk.qcow2,if=none,format=qcow2,cache=writeback" \
        -device "virtio-blk-pci,drive=$disk"
done
case $accelerator in
kvm) set -- "$@" -accel kvm -cpu host ;;
*) set -- "$@" -accel tcg,thread=multi,tb-size=256 -cpu max ;;
esac
# A machine from a snapshot waits, so that both continue at the same instant.
[ -z "$snapshot" ] || set -- "$@" -loadvm "$snapshot" -S
rm -f "$directory/node$number.monitor"
setsid nice -n "${KAIWUDB_HA_VM_NICE:-5}" qemu-system-x86_64 -name "guest=node$number" -machine pc -smp 2 -m 1200 -nodefaults -display none \
    -kernel "$kernel" -initrd "$initrd" \
    -append "root=/dev/vda rw console=ttyS0 quiet mitigations=off net.ifnames=0 panic=1 systemd.show_status=0 \
systemd.hostname=node$number lab.node=$number" \
    -device virtio-rng-pci -rtc base=utc \
    -chardev "file,id=console,path=$directory/node$number.console,append=on" -serial chardev:console \
    -monitor "unix:$directory/node$number.monitor,server,nowait" "$@" >>"$directory/node$number.qemu" 2>&1 </dev/null &
