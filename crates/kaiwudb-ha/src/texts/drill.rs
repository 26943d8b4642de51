//! What `drill` says.

site::texts! {
    NO_DATABASE: "no database is running in the cluster: a drill needs one", "集群中没有正在运行的数据库：演练需要它";
    NO_ADDRESS: "the cluster has no virtual IP: a drill commits through it", "集群没有虚拟 IP：演练通过它提交数据";
    NO_FENCING: "fencing is disabled or has no device: both nodes could write after a drill of this kind", "隔离已关闭或没有隔离设备：此类演练可能导致双写";
    NO_THIRD_VOTE: "refused: the nodes are fenced by their watchdogs alone and there is no third vote: with the link cut both would keep quorum, and both might write; 'kaiwudb-ha check' says what to add",
        "拒绝执行：节点仅靠看门狗隔离且没有第三票：链路中断后两个节点都保有仲裁（quorum），可能同时写入；kaiwudb-ha check 会说明需要补充什么";
    NOT_HEALTHY: "the cluster already needs attention; fix that first (kaiwudb-ha status): {what}", "集群已有需要处理的问题，请先处理（kaiwudb-ha status）：{what}";
    NO_STANDBY: "there is no other node that is online and may run the database", "没有其他在线且可运行数据库的节点";
    OWN_POWER: "the database is on this node: run the drill on the other one, or it ends with this node's power", "数据库就在本节点上：请在另一节点上运行演练，否则演练会随本节点断电而终止";
    TLCP: "the database uses TLCP, which this command does not support", "数据库使用 TLCP，本命令不支持";
    NO_CERTIFICATES: "this node has no certificates to connect with", "本节点没有可用于连接的证书";
    NO_COMMITS: "the client could not commit through {address}: {why}", "客户端无法通过 {address} 提交：{why}";
    PLAN: "Drill '{fault}' on {node}: two clients, one of them without timeouts, commit through {address} every 50 ms in tables of their own.", "在 {node} 上演练“{fault}”：两个客户端（其中一个没有超时设置）每 50 毫秒通过 {address} 向自己的表提交一次。";
    PLAN_STANDBY: "{node} is put in standby, which is ended afterwards.", "{node} 将进入待机状态，结束时恢复。";
    PLAN_KILL: "The server on {node} is killed; clients lose their connections.", "{node} 上的服务端将被杀死；客户端连接会断开。";
    PLAN_HANG: "The server on {node} is stopped with SIGSTOP until the cluster has noticed.", "{node} 上的服务端将用 SIGSTOP 暂停，直到集群发现为止。";
    PLAN_POWER_OFF: "{node} is powered off through its fencing device; everything that runs on it is interrupted.", "{node} 将通过隔离设备断电；其上运行的一切都会中断。";
    PLAN_LINK: "All packets between {node} and the other node are dropped for 20 s; one of the two is fenced and reboots. If that is this node, the drill ends with it.",
        "{node} 与另一节点之间的所有数据包将被丢弃 20 秒；其中一个节点会被隔离并重启。如果是本节点，演练随之终止。";
    PLAN_UNDO: "If this command is interrupted, the fault is undone anyway (kaiwudb-ha drill undo): {command}", "如果本命令被中断，仍会自动恢复（kaiwudb-ha drill undo）：{command}";
    NO_TOOL: "{tool} is not installed on this node: without it a link cannot be cut and restored reliably", "本节点没有安装 {tool}：没有它无法可靠地断开和恢复链路";
    NO_PEER: "the addresses of the other node are not known: {why}", "不知道另一节点的地址：{why}";
    RUNS_ALREADY: "a drill is running on this node", "本节点上正在进行演练";
    LEFT: "an interrupted drill has left something to undo; run: kaiwudb-ha drill undo", "被中断的演练留下了未恢复的状态；请执行：kaiwudb-ha drill undo";
    NOTHING_LEFT: "There is nothing to undo.", "没有需要恢复的内容。";
    ASK: "Begin? The database will be out of service for a while. [y/N] ", "开始吗？数据库会中断一段时间。[y/N] ";
    NO_TERMINAL: "a drill asks first, but standard input is not a terminal; use --yes", "演练前需要确认，但标准输入不是终端；请使用 --yes";
    INJECT_FAILED: "the fault could not be injected: {why}", "无法注入故障：{why}";
    UNDO_FAILED: "not undone: {why}", "未能恢复：{why}";
    TABLE_LEFT: "the drill's table could not be dropped: {why}", "演练用的表未能删除：{why}";
    TITLE: "Failover drill: {fault} on {node}", "切换演练：{node} 上的 {fault}";
    BEGAN: "Began {time} UTC", "开始于 {time} UTC";
    OUTAGE: "Outage", "中断时间";
    PATIENT_OUTAGE: "Without timeouts", "无超时客户端";
    HUNG: "still waiting", "仍在等待";
    OUTAGE_NONE: "not over in time", "超时仍未恢复";
    ACKNOWLEDGED: "Acknowledged commits", "已确认的提交";
    LOST: "of them lost", "其中丢失";
    LOST_UNKNOWN: "not known: they could not be read back", "未知：无法读回";
    SERVED_BY: "Served afterwards by", "之后由此节点提供服务";
    NO_NODE: "no node", "无";
    TIMELINE: "Timeline (seconds since the fault)", "时间线（故障后秒数）";
    CHART: "Time that each commit took; red: no commit was acknowledged", "每次提交所需时间；红色：没有提交被确认";
    METHOD: "Times are the client's, one row every 50 ms through the virtual IP; Pacemaker's actions were sampled every 200 ms. The outage is the longest time between two acknowledged commits after the fault, for a client that gives up a connection or a commit after 2 s at most. A second client has no timeouts, as JDBC by default: its time shows what ordinary clients wait.",
        "时间以客户端为准，每 50 毫秒通过虚拟 IP 提交一行；Pacemaker 的动作每 200 毫秒观察一次。中断时间是故障后两次已确认提交之间的最长间隔，该客户端最多 2 秒后放弃连接或提交。另一个客户端没有超时设置（JDBC 的默认行为），其时间表示普通客户端的等待时间。";
    REPORT: "Report: {path}", "报告：{path}";
    NONE_YET: "No drill is recorded on this node.", "本节点上没有演练记录。";
    INJECTED: "the fault: {fault} on {node}", "注入故障：{node} 上的 {fault}";
    LAST_COMMIT: "last commit before the outage", "中断前最后一次提交";
    FIRST_COMMIT: "first commit after the outage", "中断后第一次提交";
    OFFLINE: "{node} is no longer a member", "{node} 已离开集群";
    ONLINE: "{node} is a member again", "{node} 重新加入集群";
    UNCLEAN: "{node} must be fenced", "{node} 必须被隔离";
    STANDBY: "{node} is in standby", "{node} 进入待机";
    FAILED: "Pacemaker counts a failure of {what} on {node}", "Pacemaker 记录了 {what} 在 {node} 上的一次失败";
    STOPPED: "{what} is stopped on {node}", "{what} 已在 {node} 上停止";
    STARTED: "{what} is started on {node}", "{what} 已在 {node} 上启动";
    PROMOTED: "{what} is promoted on {node}", "{what} 已在 {node} 上提升";
    UNDONE: "the drill undoes the fault", "演练恢复原状";
}
