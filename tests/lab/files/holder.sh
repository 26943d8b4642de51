# First process of the lab's own mount, pid and network namespaces. It ends when its standard input does, that is, with
# the lab that started it; the kernel then kills everything else in here and drops every mount, link and loop device.
# Arguments: directory of the lab, disk size, directory for the disk's backing file.
set -eu
directory=$1 size=$2 backing=$3

mount -t tmpfs -o mode=0755 lab "$directory"
mkdir "$directory"/netns
ip link set lo up

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
