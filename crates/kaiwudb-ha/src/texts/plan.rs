//! What `plan` says.

site::texts! {
    HEADING: "What changes in the cluster's configuration (+ added, ~ changed, = unchanged; nothing is removed):",
        "集群配置的变化（+ 新增，~ 修改，= 不变；不会删除任何内容）：";
    NOTHING: "Nothing to do: the configuration already matches the plan.", "无需改动：配置已与计划一致。";
    NO_CLUSTER: "No cluster runs here yet: everything is new. Form it first, for example: pcs cluster setup kwdb {nodes} --start --enable",
        "此处还没有运行集群：全部为新增。请先组建集群，例如：pcs cluster setup kwdb {nodes} --start --enable";
    UNFENCED: "No fencing device: a node that hangs or is isolated cannot be fenced, and both nodes may write. 'apply' refuses this. Add to {file}:",
        "没有隔离设备：无响应或失联的节点无法被隔离，两个节点可能同时写入。apply 会拒绝执行。请写入 {file}：";
    PROPERTY: "cluster option", "集群属性";
    DEFAULT: "resource default", "资源默认值";
    GROUP: "group {id}", "组 {id}";
    CLONE: "clone {id} {meta}", "克隆 {id} {meta}";
    IN_GROUP: "first in the group {group}", "组 {group} 的第一个成员";
    IN_GROUP_AFTER: "in the group {group}, after {after}", "在组 {group} 中，位于 {after} 之后";
    WITH: "{resource} runs where {with} runs", "{resource} 与 {with} 运行在同一节点";
    WITH_PROMOTED: "{resource} runs where {with} is promoted", "{resource} 运行在 {with} 被提升的节点";
    AFTER: "{then} starts after {first}", "{then} 在 {first} 之后启动";
    AFTER_PROMOTION: "{then} starts after {first} is promoted", "{then} 在 {first} 提升之后启动";
    ALERT: "{id} {path} is told of events, and tells people", "{id} {path} 接收集群事件并通知运维人员";
    AVOIDS: "{resource} does not run on {node}", "{resource} 不在 {node} 上运行";
    NOT_FOR_CRMSH: "{resource}: crmsh would change the value of {name}, which has a backslash, or characters beyond ASCII beside quotation marks, & or <; use 'kaiwudb-ha apply' or another --format",
        "{resource}：参数 {name} 的值含有反斜杠，或同时含有非 ASCII 字符与引号、& 或 <，crmsh 会改变它；请使用 kaiwudb-ha apply 或其他 --format";
    OTHER_AGENT: "{resource} is managed by {old}; it becomes {new} without a stop of the database by: kaiwudb-ha migrate",
        "{resource} 由 {old} 管理；用 kaiwudb-ha migrate 可在不停止数据库的情况下改为 {new}";
    SIMULATED: "What Pacemaker would do then (crm_simulate; nothing is changed):", "之后 Pacemaker 将如何动作（crm_simulate 模拟，不影响集群）：";
    NOT_SIMULATED: "What Pacemaker would do could not be simulated: {why}", "无法模拟 Pacemaker 的动作：{why}";
    INTERRUPTED: "The change itself interrupts: {resources}", "修改本身会中断：{resources}";
    NOW: "after the change", "修改之后";
    NODE_LOST: "{node} is lost", "{node} 失联";
    DATABASE_FAILED: "the database fails on {node}", "数据库在 {node} 上失败";
    DISK_FAILED: "the file system fails on {node}", "文件系统在 {node} 上失败";
    DATABASE_ON: "database on", "数据库所在";
    ADDRESS_ON: "virtual IP on", "虚拟 IP 所在";
    SWITCHED_OFF: "fenced", "被隔离";
    NOWHERE: "nowhere", "无";
    MISSING_HEADING: "Some values could not be determined. Add them to {file}:",
        "有些值无法自动确定。请写入 {file}：";
    MISSING_NODES: "the two nodes, by their names in the cluster, with their own addresses", "两个节点：集群中的名称及各自的地址";
    MISSING_ADDRESS: "the virtual IP: a free address in the clients' network", "虚拟 IP：客户端网络中的空闲地址";
    MISSING_DEVICE: "the disk of the database: a DRBD resource, or the device of a disk that both nodes reach ([storage] device = \"/dev/...\")",
        "数据库所用的磁盘：DRBD 资源，或两个节点都能访问的磁盘设备（[storage] device = \"/dev/...\"）";
    MISSING_KIND: "the file system on that disk", "该磁盘上的文件系统";
    MISSING_DRBD: "which DRBD resource is the database's", "数据库使用哪个 DRBD 资源";
    MISSING_DRBD_FILE: "the DRBD resource to create", "要创建的 DRBD 资源";
    MISSING_DISKS: "each node's disk below DRBD and its address", "各节点 DRBD 之下的磁盘及地址";
    DRBD_DIFFERS: "the nodes have different versions of DRBD ({versions}), and one file cannot fit both; install the same on both nodes",
        "两个节点的 DRBD 版本不同（{versions}），同一个文件无法同时适用；请在两个节点上安装相同版本";
    DRBD_HEAD: "{file}: the same on both nodes, mode 0600; it holds a secret.\nThe commands destroy what is on the disks. With the file in place, on both nodes:\n    drbdadm create-md {resource} && drbdadm up {resource}\nThen on one node, which copies its disk to the other one:\n    drbdadm primary --force {resource} && mkfs -t {type} {device} && drbdadm secondary {resource}\nFencing between the nodes begins when the cluster runs: put this in place before 'kaiwudb-ha apply'.",
        "{file}：两个节点内容相同，权限 0600，内含密钥。\n以下命令会清除磁盘上的内容。文件就位后，在两个节点上执行：\n    drbdadm create-md {resource} && drbdadm up {resource}\n然后在其中一个节点上执行，其磁盘会复制到另一节点：\n    drbdadm primary --force {resource} && mkfs -t {type} {device} && drbdadm secondary {resource}\n集群运行后节点间的隔离才生效：请在 kaiwudb-ha apply 之前完成。";
    INIT_HEAD: "Settings of kaiwudb-ha: /etc/kaiwudb-ha/ha.toml on the node where you run it.\nEmpty values are required; commented lines are optional.\n'kaiwudb-ha plan' shows the result, 'kaiwudb-ha apply' applies it.",
        "kaiwudb-ha 的设置：保存为执行命令的节点上的 /etc/kaiwudb-ha/ha.toml。\n空值必须填写，注释行可选。\nkaiwudb-ha plan 显示结果，kaiwudb-ha apply 执行。";
    INIT_NODES: "The nodes by their names in the cluster: own address, the disk below DRBD, and the device that fences the node.",
        "节点（集群中的名称）：自己的地址、DRBD 之下的磁盘，以及该节点的隔离设备。";
    INIT_ADDRESS: "The address by which clients find the database: a free one in their network.", "客户端访问数据库的地址：其网络中的空闲地址。";
    INIT_STORAGE: "The disk of the database: a DRBD resource, or a device that both nodes reach.", "数据库的磁盘：DRBD 资源，或两个节点都能访问的设备。";
    INIT_FENCING: "One device that fences both nodes, if they have none of their own; with 'delay' the node with the database survives.",
        "两个节点没有各自的隔离设备时，共用的隔离设备；“delay”用于优先保留运行数据库的节点。";
    INIT_DATABASE: "Parameters of ocf:kaiwudb:kaiwudb; everything is taken from the installation otherwise.", "ocf:kaiwudb:kaiwudb 的参数；未写的均取自安装信息。";
    INIT_ALERTS: "Who gets a message when something fails, and when it is over; the same on both nodes.",
        "发生故障和恢复时通知谁；两个节点须相同。";
    INIT_CERTIFICATES: "Certificates kept in sync by cert-sync (if the server uses any), and further names that they must contain.",
        "由 cert-sync 保持两节点证书一致（服务端使用证书时），以及证书还须包含的名称。";
}
