# What the operator writes into the file that `kaiwudb-ha plan --init` prints: disks, links of DRBD, virtual IP, fencing device.
/^\[nodes\.node1\]/,/^# disk/ s,^# disk = .*,disk = "/dev/vdb"\nreplication_address = "10.77.1.11",
/^\[nodes\.node2\]/,/^# disk/ s,^# disk = .*,disk = "/dev/vdb"\nreplication_address = "10.77.1.12",
/^\[virtual_ip\]/,/^address/ s/^address = .*/address = "10.77.0.100"/
s/^# prefix = 24/prefix = 24/
/^# \[drbd\]/,/^# port/ s/^# //
/^# \[fencing\.device\]/,$ {
    s/^# \[fencing\.device\]/[fencing.device]/
    s/^# agent = .*/agent = "fence_lab"\npcmk_host_map = "node1:node1;node2:node2"/
}
