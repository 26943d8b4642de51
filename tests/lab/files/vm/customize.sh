# Makes a Debian tree a machine that boots by itself. Argument: the tree.
set -eu
tree=$1
chroot "$tree" systemctl enable --quiet lab-machine.service lab-agent.service
# Nothing here is needed in a machine that lives for minutes, and each costs a second under emulation.
chroot "$tree" systemctl mask --quiet systemd-random-seed.service systemd-update-utmp.service systemd-pstore.service \
    systemd-update-utmp-runlevel.service systemd-journal-flush.service modprobe@drm.service modprobe@configfs.service \
    modprobe@efi_pstore.service modprobe@fuse.service systemd-user-sessions.service systemd-timesyncd.service \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-logind.service \
    keyboard-setup.service console-setup.service nfs-server.service nfs-blkmap.service rpcbind.socket rpcbind.service \
    rpc-statd-notify.service serial-getty@ttyS0.service
: >"$tree/etc/fstab"
