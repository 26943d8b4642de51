# The cluster that the KWDB guide's commands for pcs make, as a file: DRBD itself is not in a container.
set -eu
cib=$1
cibadmin --empty |
    sed 's:<nodes/>:<nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>:' >"$cib"
pcs() { command pcs -f "$cib" "$@" 2>&1; }
pcs property set stonith-enabled=false
pcs property set no-quorum-policy=ignore
pcs resource create ClusterIP ocf:heartbeat:IPaddr2 ip=10.77.0.100 cidr_netmask=24 op monitor interval=30s
pcs resource create KaiwuData ocf:linbit:drbd drbd_resource=drbd3 op monitor interval=10s
pcs resource promotable KaiwuData promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 notify=true
pcs resource create KaiwuFS ocf:heartbeat:Filesystem device=/dev/drbd3 directory=/var/lib/kaiwudb fstype=ext4
pcs constraint colocation add KaiwuFS with KaiwuData-clone INFINITY with-rsc-role=Master
pcs constraint order promote KaiwuData-clone then start KaiwuFS
pcs resource create KaiwuDB systemd:kaiwudb.service op monitor on-fail=restart
# pcs 0.12 no longer knows the guide's words.
pcs resource defaults migration-threshold=2 || pcs resource defaults update migration-threshold=2
pcs resource meta KaiwuDB failure-timeout=10s
pcs constraint colocation add KaiwuDB with KaiwuFS INFINITY
pcs constraint order start KaiwuFS then start KaiwuDB
pcs resource group add KaiwuDBGrp KaiwuFS KaiwuDB
pcs constraint colocation add ClusterIP with KaiwuDB INFINITY
