//! What needs attention.

crate::texts! {
    OFFLINE: "offline", "离线";
    STANDBY: "standby", "待机";
    MAINTENANCE: "maintenance", "维护";
    UNCLEAN: "unclean: it must be fenced first", "状态不明：必须先被隔离";
    NO_SENTINEL: "no sentinel watches the server on {node}", "{node} 上没有哨兵进程监视服务端";
    IDENTITY_OTHER: "the running store is {found}, but the cluster owns {pinned}", "正在运行的数据目录是 {found}，但集群登记的是 {pinned}";
    EXPIRED: "certificate {name} on {node} expired on {date}", "{node} 上的证书 {name} 已于 {date} 过期";
    OTHER_SET: "the certificates of {one} and {other} differ", "{one} 与 {other} 的证书不同";
    FENCING_OFF: "fencing is disabled: nothing prevents both nodes from writing at once", "隔离已关闭：无法阻止两个节点同时写入";
    FENCING_NONE: "fencing is enabled, but there is no fencing device", "隔离已开启，但没有隔离设备";
    NO_QUORUM: "this partition has no quorum", "本分区没有仲裁（quorum）";
    CLUSTER_MAINTENANCE: "the cluster is in maintenance mode: it does not react to anything", "集群处于维护模式：不会采取任何动作";
    NODE_STATE: "{node} is {state}", "节点 {node}：{state}";
    RESOURCE_STOPPED: "{resource} does not run anywhere", "{resource} 没有在任何节点上运行";
    RESOURCE_UNMANAGED: "{resource} is not managed by the cluster", "{resource} 未受集群管理";
    FAIL_COUNT: "{resource} has failed on {node} (fail count: {count})", "{resource} 在 {node} 上已失败 {count} 次";
    FAIL_COUNT_BANNED: "{resource} is no longer allowed to run on {node}: it failed there too often; when the cause is fixed, run: crm_resource --cleanup -r {resource} -N {node}",
        "{resource} 在 {node} 上失败次数过多，已不允许在该节点运行；修复后执行：crm_resource --cleanup -r {resource} -N {node}";
    BANNED_EVERYWHERE: "{resource} has failed too often on every node and may run nowhere: Pacemaker tries again {when}; when the cause is fixed, at once by: crm_resource --cleanup -r {resource}",
        "{resource} 在所有节点上失败次数过多，目前不允许在任何节点运行：Pacemaker {when}；排除原因后可立即重试：crm_resource --cleanup -r {resource}";
    AGAIN_AFTER: "{seconds} s after the last failure (failure-timeout)", "会在最近一次故障 {seconds} 秒后重试（failure-timeout）";
    AGAIN_NEVER: "only after a cleanup, as failure-timeout is not set", "不会自动重试（未设置 failure-timeout）";
    FAILED_ACTION: "{operation} on {node}: exit status {code}: {reason}", "{node} 上的 {operation}：退出状态 {code}：{reason}";
    NO_REASON: "no reason given", "未给出原因";
    REASON: "last failure of {resource} on {node}: {reason}", "{resource} 在 {node} 上最近一次故障：{reason}";
    BANNED: "{id} keeps {resource} away from {node} until it is removed: {command}", "{id} 使 {resource} 不能在 {node} 上运行，直到移除为止：{command}";
    TIED: "{id} ties {resource} to {node} until it is removed: {command}", "{id} 使 {resource} 固定在 {node} 上，直到移除为止：{command}";
    DRBD_FENCED: "{id}: DRBD keeps {resource} from being promoted elsewhere until the peer has been resynchronised", "{id}：对端完成同步之前，DRBD 不允许 {resource} 在其他节点提升";
    DRBD_FENCED_STILL: "{id} still keeps {resource} from being promoted elsewhere, although both sides are UpToDate: the next failover fails. If this persists for a minute, run on {node}: {command}",
        "{id} 仍不允许 {resource} 在其他节点提升，尽管两侧均为 UpToDate：下一次切换会失败。若一分钟后仍然如此，请在 {node} 上执行：{command}";
    ANY_NODE: "any node", "任一节点";
    RESOURCE_HELD: "{resource} is held back by {id}; to give it back to the cluster, run on {node}: {command}", "{resource} 因 {id} 不受集群控制；要交还集群，请在 {node} 上执行：{command}";
    NODE_HELD: "{node} is {state}; to bring it back: {command}", "节点 {node}：{state}；恢复命令：{command}";
    SPLIT_BRAIN: "SPLIT BRAIN of {resource}: both nodes have changed their data since they lost their connection; see: kaiwudb-ha split-brain show",
        "{resource} 脑裂：失去连接后两个节点都修改了数据；请查看：kaiwudb-ha split-brain show";
    DRBD_DOWN: "DRBD resource {resource} is down on {node}", "{node} 上的 DRBD 资源 {resource} 未启动";
    TWO_SERVERS: "the database runs on {nodes}: two servers", "数据库同时在 {nodes} 上运行：出现两个服务端";
    SERVER_OUTSIDE: "a database server runs on {node}, where the cluster did not start it", "{node} 上有服务端在运行，但集群没有在该节点启动它";
    UNDELIVERED: "not delivered by {channel} (tries: {tries}): {subject}: {error}", "{channel} 尝试 {tries} 次仍未送达：{subject}：{error}";
    UNDELIVERED_ON: "{node}: {what}", "节点 {node}：{what}";
    SERVER_NOT_READY: "the database on {node} does not serve: {why}", "{node} 上的数据库未能提供服务：{why}";
}
