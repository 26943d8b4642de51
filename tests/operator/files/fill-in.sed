# What the operator writes into the file that `kaiwudb-ha plan --init` prints: virtual IP, disk, fencing device.
/^\[virtual_ip\]/,/^address/ s/^address = .*/address = "10.77.0.100"/
s/^# prefix = 24/prefix = 24/
s,^# device = "/dev/\.\.\.",device = "/dev/kaiwudb-data",
/^# \[fencing\.device\]/,$ {
    s/^# \[fencing\.device\]/[fencing.device]/
    s/^# agent = .*/agent = "fence_lab"\npcmk_host_map = "node1:node1;node2:node2"/
}
