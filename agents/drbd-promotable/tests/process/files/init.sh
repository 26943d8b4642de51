# First process of a test node, in its own mount and process namespaces. Ends, and all others with it, when its input does.
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/upper /run/work /run/tools /run/drbd /run/cib
mount -t overlay -o lowerdir=/dev,upperdir=/run/upper,workdir=/run/work overlay /dev
mknod /dev/drbd7 b 147 7
mount -t tmpfs tmpfs /sys/module
for tool in drbdadm drbdsetup modprobe modinfo; do
    cp "$FILES/drbd.sh" /run/tools/$tool
done
for tool in $CRM_TOOLS; do
    cp "$FILES/pacemaker.sh" /run/tools/$tool
done
chmod 755 /run/tools/*
mount --bind /run/tools /usr/sbin
cp "$FIXTURES/crm_mon.xml" /run/cib/crm_mon.xml
cd /run/drbd
touch calls changes configured
printf %s "$VERSION" >version
printf %s Secondary >role
printf %s UpToDate >disk
printf %s Connected >link
printf %s Secondary >peer-role
printf %s UpToDate >peer-disk
printf %s Established >replication
printf %s 0 >out-of-sync
printf %s yes >quorum
cp "$DUMP" dump.xml
echo ready
# The shell collects orphans while it waits.
exec >/dev/null 3<&0
cat <&3 &
wait "$!"
