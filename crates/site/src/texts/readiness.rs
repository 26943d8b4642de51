//! Why a failover would not succeed now.

crate::texts! {
    NOT_SERVED: "the database runs nowhere: there is nothing to take over", "数据库没有在任何节点运行，无从接管";
    NO_OTHER_NODE: "the cluster has no second node", "集群没有第二个节点";
    OFFLINE: "{node} is offline", "{node} 离线";
    UNCLEAN: "{node} is unclean: it must be fenced first", "{node} 状态不明：必须先被隔离";
    STANDBY: "{node} is in standby", "{node} 处于待机";
    NODE_MAINTENANCE: "the cluster leaves the resources of {node} alone (maintenance)", "{node} 处于维护模式，集群不管理其资源";
    CLUSTER_MAINTENANCE: "the cluster is in maintenance mode", "集群处于维护模式";
    NOT_FENCEABLE: "{node}, which serves now, cannot be fenced: when it fails, {other} waits for ever, or both write", "正在提供服务的 {node} 无法被隔离：它发生故障后，{other} 会一直等待，或两个节点同时写入";
    DEVICE_STOPPED: "the fencing device {resource} does not run", "隔离设备 {resource} 未运行";
    BANNED: "{resource} may not run on {node} until its failure is cleaned up: crm_resource --cleanup -r {resource} -N {node}", "{resource} 在故障被清除之前不能在 {node} 上运行：crm_resource --cleanup -r {resource} -N {node}";
    CONSTRAINT: "{id} keeps {resource} from {node}", "{id} 使 {resource} 不能在 {node} 上运行";
    HELD: "{resource} is held back by {id}", "{resource} 因 {id} 不受集群控制";
    REPLICA_DOWN: "DRBD resource {resource} is down on {node}", "{node} 上的 DRBD 资源 {resource} 未启动";
    REPLICA_OLD: "the disk of {resource} on {node} is {state}, not UpToDate", "{node} 上 {resource} 的磁盘状态为 {state}，不是 UpToDate";
    REPLICA_APART: "{resource} on {node} is not connected to its peer: what is written now is missing there", "{node} 上的 {resource} 未与对端连接：当前写入的数据不会复制到该节点";
    REPLICA_SYNCING: "{resource} on {node} is being resynchronised", "{node} 上的 {resource} 正在重新同步";
    SPLIT_BRAIN: "split brain of {resource}", "{resource} 脑裂";
    NO_SCORE: "{resource} has no promotion score on {node}: Pacemaker would not promote it", "{resource} 在 {node} 上没有提升分数：Pacemaker 不会提升它";
    SILENT: "{node} did not say what it has: {why}", "{node} 没有应答：{why}";
    CLUSTER_SILENT: "the cluster did not answer: {why}", "集群没有应答：{why}";
    PROGRAM_MISSING: "{node} has no {program}", "{node} 上没有 {program}";
    PROGRAM_DIFFERS: "{program} is another one on {node} than on {other}", "{node} 与 {other} 上的 {program} 不同";
    RELEASE_DIFFERS: "{node} has release {release} of the server, and {other} has {other_release}", "{node} 上的服务端版本是 {release}，{other} 上是 {other_release}";
    ACCOUNT_MISSING: "the server's account does not exist on {node}", "{node} 上没有服务端账户";
    ACCOUNT_DIFFERS: "the server's account has other numbers on {node} than on {other}: it cannot read the store", "服务端账户在 {node} 与 {other} 上的编号不同，将无法读取数据目录";
    AGENT_MISSING: "{node} does not have the agent {agent}", "{node} 上没有代理 {agent}";
    CERTIFICATES_MISSING: "{node} has no certificates, and the server uses some", "{node} 上没有证书，而服务端需要证书";
    CERTIFICATES_DIFFER: "the certificates of {node} and {other} differ", "{node} 与 {other} 的证书不同";
    CERTIFICATE_EXPIRED: "certificate {certificate} on {node} has expired", "{node} 上的证书 {certificate} 已过期";
    UNIT_ENABLED: "{unit} is enabled on {node}: it starts the server outside of the cluster", "{node} 上启用了 {unit}，会在集群之外启动服务端";
    SERVER_OUTSIDE: "a server runs on {node} that the cluster has not started", "{node} 上有不是由集群启动的服务端";
    PORT_TAKEN: "something else listens on port {port} of {node}", "{node} 的端口 {port} 已被占用";
    NO_ROOM: "{place} on {node} is full", "{node} 上的 {place} 已满";
    STORE_FULL: "the store is nearly full: the server crashes on either node", "数据目录即将写满：在任一节点上服务端都会崩溃";
    STORE_MOUNTED: "the store is mounted on {node} although {other} serves it", "{other} 正在提供服务，但数据目录也挂载在 {node} 上";
    MODULE_MISSING: "the running kernel of {node} ({kernel}) has no DRBD module", "{node} 正在运行的内核（{kernel}）没有 DRBD 模块";
    NEXT_KERNEL: "the kernel that {node} boots next ({kernel}) has no DRBD module", "{node} 下次启动的内核（{kernel}）没有 DRBD 模块";
    DRBD_DIFFERS: "{node} has DRBD {version}, and {other} has {other_version}", "{node} 上的 DRBD 版本是 {version}，{other} 上是 {other_version}";
    SUITE_DIFFERS: "{node} has release {version} of this suite, and {other} has {other_version}", "{node} 上本套件的版本是 {version}，{other} 上是 {other_version}";
    CLOCK: "the clock of {node} differs by {seconds} s", "{node} 的时钟相差 {seconds} 秒";
    LINK_DOWN: "{node} has lost link {link} of Corosync", "{node} 的 Corosync 链路 {link} 已断开";
}
