//! What `plan` says.

texts! {
    HEADING: "What changes in the cluster's configuration (+ added, ~ changed, = as it is; nothing is removed):",
        "集群配置的变化（+ 新增，~ 修改，= 不变；不会删除任何内容）：";
    NOTHING: "Nothing to do: the configuration is as it shall be.", "无需改动：配置已符合要求。";
    NO_CLUSTER: "No cluster runs here yet: everything is new. Form it first, for example: pcs cluster setup kwdb {nodes} --start --enable",
        "此处还没有运行集群：全部为新增。请先组建集群，例如：pcs cluster setup kwdb {nodes} --start --enable";
    UNFENCED: "No fencing device: a node that hangs or is cut off is never switched off, and both nodes may write. 'apply' refuses this. Write into {file}:",
        "没有隔离设备：挂起或失联的节点永远不会被关闭，两个节点可能同时写入。apply 会拒绝执行。请写入 {file}：";
    PROPERTY: "cluster option", "集群选项";
    DEFAULT: "resource default", "资源默认值";
    GROUP: "group {id}", "组 {id}";
    CLONE: "clone {id} {meta}", "克隆 {id} {meta}";
    IN_GROUP: "first in the group {group}", "组 {group} 的第一个成员";
    IN_GROUP_AFTER: "in the group {group}, after {after}", "在组 {group} 中，位于 {after} 之后";
    WITH: "{resource} runs where {with} runs", "{resource} 与 {with} 运行在同一节点";
    WITH_PROMOTED: "{resource} runs where {with} is promoted", "{resource} 运行在 {with} 被提升的节点";
    AFTER: "{then} starts after {first}", "{then} 在 {first} 之后启动";
    AFTER_PROMOTION: "{then} starts after {first} is promoted", "{then} 在 {first} 提升之后启动";
    AVOIDS: "{resource} does not run on {node}", "{resource} 不在 {node} 上运行";
    OTHER_AGENT: "{resource} is managed by {old}; it becomes {new} without a stop of the database by: kaiwudb-ha migrate",
        "{resource} 由 {old} 管理；用 kaiwudb-ha migrate 可在不停止数据库的情况下改为 {new}";
    SIMULATED: "What Pacemaker would then do (crm_simulate; nothing is touched):", "之后 Pacemaker 将如何动作（crm_simulate 模拟，不影响集群）：";
    NOT_SIMULATED: "What Pacemaker would do could not be simulated: {why}", "无法模拟 Pacemaker 的动作：{why}";
    INTERRUPTED: "The change itself interrupts: {resources}", "修改本身会中断：{resources}";
    NOW: "after the change", "修改之后";
    NODE_LOST: "{node} is lost", "{node} 失联";
    DATABASE_FAILED: "the database fails on {node}", "数据库在 {node} 上失败";
    DISK_FAILED: "the file system fails on {node}", "文件系统在 {node} 上失败";
    DATABASE_ON: "database on", "数据库所在";
    ADDRESS_ON: "virtual IP on", "虚拟 IP 所在";
    SWITCHED_OFF: "switched off", "被关闭";
    NOWHERE: "nowhere", "无";
    MISSING_HEADING: "Some things cannot be found out. Write into {file} what is true:",
        "有些内容无法自动获知。请将实际情况写入 {file}：";
    MISSING_NODES: "the two nodes, by their names in the cluster, with their own addresses", "两个节点：集群中的名称及各自的地址";
    MISSING_ADDRESS: "the virtual IP: a free address in the clients' network", "虚拟 IP：客户端网络中的空闲地址";
    MISSING_DEVICE: "the disk of the database: a DRBD resource, or the device of a disk that both nodes reach ([storage] device = \"/dev/...\")",
        "数据库所用的磁盘：DRBD 资源，或两个节点都能访问的磁盘设备（[storage] device = \"/dev/...\"）";
    MISSING_KIND: "the file system on that disk", "该磁盘上的文件系统";
    MISSING_DRBD: "which DRBD resource is the database's", "数据库使用哪个 DRBD 资源";
}
