# shellcheck shell=bash
# First process of a container.
# Arguments: its root, a directory in it to work in, number of words, that many words (a hierarchy of control groups and the
# container's group in it, in turn), a command.
set -eu
root=$1 directory=$2 words=$3
shift 3

hostname fresh
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
while [ "$words" -gt 0 ]; do
    mount --bind "$2" "$root$1"
    shift 2
    words=$((words - 2))
done
mount -t devtmpfs dev "$root/dev"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
cd "$root"
pivot_root . mnt
umount --lazy /mnt

umask 077
cd "$directory" 2>/dev/null || cd /
# Not exec: the first process reaps those whose parents have ended.
"$@"
