# Keeps the initial RAM disk small: unpacking it takes seconds under emulation. Argument: the tree.
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\nCOMPRESS=gzip\nFSTYPE=ext4\n' >"$1/etc/initramfs-tools/conf.d/lab"
printf '%s\n' virtio_pci virtio_blk virtio_net virtio_rng ext4 crc32c >"$1/usr/share/initramfs-tools/modules.d/lab"
