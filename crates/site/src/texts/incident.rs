//! What people are told of incidents.

crate::texts! {
    SPLIT_BRAIN: "SPLIT BRAIN of {subject}", "{subject} 脑裂";
    NODE_LOST: "{subject} is lost", "节点 {subject} 失联";
    NO_QUORUM: "the cluster on {node} has no quorum", "{node} 所在的集群分区没有仲裁";
    FAILURE: "{subject} failed on {node}", "{subject} 在 {node} 上发生故障";
    NOT_SERVING: "the database does not run anywhere", "数据库没有在任何节点上运行";
    REPLICATION: "replication of {subject} is not complete", "{subject} 的复制不完整";
    CONCERN: "{subject} on {node} needs attention", "{node} 上的 {subject} 需要处理";
    NOT_READY: "{subject} cannot take over", "{subject} 无法接管";
    SERVES: "the database serves on {node}", "数据库在 {node} 上提供服务";
    DOES_NOT_SERVE: "the database does NOT serve", "数据库当前不提供服务";
    STOPPED: "the database is stopped on purpose", "数据库已按要求停止";
    SUBJECT: "[KWDB {cluster}] {what}; {serving}", "[KWDB 集群 {cluster}] {what}；{serving}";
    OVER: "over: {what}", "已恢复：{what}";
    CAUSE: "Cause: {cause}", "原因：{cause}";
    FURTHER: "Also: {cause}", "同时：{cause}";
    CLUSTER: "The cluster: {done}", "集群：{done}";
    DATABASE: "Database: {serving}", "数据库：{serving}";
    NEXT: "What to do: {next}", "建议：{next}";
    SAID: "Said by {node} at {time} UTC ({key})", "由 {node} 于 {time}（UTC）发出（{key}）";
    LASTED: "It lasted {time}.", "持续时间：{time}。";
    NO_CAUSE: "not known; the journal of {node} may say more", "未知；请查看 {node} 的日志";
    SILENT: "{subject} no longer answers on any link: it lost power, crashed, or its network is cut", "{subject} 在所有链路上均无响应：断电、宕机或网络中断";
    AWAY: "{subject} has left the cluster and has not come back for 10 minutes", "{subject} 离开集群已超过 10 分钟仍未返回";
    PARTITION: "fewer than half of the votes are here", "本分区的票数不足半数";
    FENCED: "{subject} was fenced", "已隔离 {subject}";
    NOT_FENCED: "{subject} has not been fenced", "尚未隔离 {subject}";
    MOVED: "the database was moved from {before} to {node}", "数据库已从 {before} 切换到 {node}";
    STAYED: "the database stays on {node}", "数据库仍在 {node} 上";
    RESTARTED: "what failed is started again on {node}", "已在 {node} 上重新启动";
    RECOVERING: "it is recovering, or could not", "正在恢复，或无法恢复";
    ONLY_TELLS: "nothing; this is no reason for a failover", "未采取动作；这不构成切换的理由";
    NEXT_SPLIT: "run kaiwudb-ha split-brain show", "请执行 kaiwudb-ha split-brain show";
    NEXT_LOST: "bring {subject} back; until then nothing can take over. Then run kaiwudb-ha status", "请尽快恢复 {subject}；在此之前没有节点可以接管。然后执行：kaiwudb-ha status";
    NEXT_FAILURE: "run kaiwudb-ha status and remove the cause. If it fails again the database moves to the other node, or stops", "执行 kaiwudb-ha status 并排除原因；若再次发生故障，数据库会切换到另一节点或停止";
    NEXT_STATUS: "run kaiwudb-ha status", "请执行 kaiwudb-ha status";
    NEXT_CAUSE: "see the cause", "按原因中的提示处理";
    NEXT_NOTHING: "nothing", "无需操作";
    SETTINGS_DIFFER: "the nodes would not tell the same people: make [alerts] in {file} the same on both", "两个节点的通知对象不同：请使两个节点 {file} 中的 [alerts] 一致";
    TEST: "[KWDB {cluster}] test", "[KWDB 集群 {cluster}] 测试";
    TEST_TEXT: "Somebody has run \"kaiwudb-ha alerts test\" on {node}: messages arrive here.", "有人在 {node} 上执行了 kaiwudb-ha alerts test：消息可以送达此处。";
}
