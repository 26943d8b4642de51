//! What is said of the past: what failed first, what the cluster did, what it cost, what is not known.

crate::texts! {
    OUT_OF_MEMORY: "the kernel of {node} ended {subject} because memory had run out", "{node} 内存耗尽，内核终止了 {subject}";
    SERVER_KILLED: "the server of {subject} on {node} was killed from outside (SIGKILL)", "{node} 上 {subject} 的服务端被外部以 SIGKILL 杀死";
    SERVER_KILLED_SOMEHOW: "the server of {subject} on {node} was killed (SIGKILL), by somebody or by the kernel for lack of memory", "{node} 上 {subject} 的服务端被 SIGKILL 杀死：人为操作，或内核因内存不足所为";
    SERVER_STOPPED: "the server of {subject} on {node} was stopped outside the cluster: it ended with status 0, as after SIGTERM", "{node} 上 {subject} 的服务端在集群之外被停止：以状态 0 退出（如同收到 SIGTERM）";
    SERVER_ENDED: "the server of {subject} on {node} {detail}", "{node} 上 {subject} 的服务端意外退出：{detail}";
    SERVER_HUNG: "the server of {subject} on {node} {detail}", "{node} 上 {subject} 的服务端停止响应：{detail}";
    DISK_STALLED: "the disk below the store on {node} did not answer: {detail}", "{node} 上数据目录所在的磁盘没有响应：{detail}";
    DISK_ERROR: "the disk {subject} of {node} reported errors", "{node} 的磁盘 {subject} 报告了错误";
    DISK_FULL: "the disk of {subject} on {node} was full", "{node} 上 {subject} 的磁盘已满";
    DISK_LOST: "DRBD on {node} lost its disk ({subject}: {detail})", "{node} 上的 DRBD 失去了磁盘（{subject}：{detail}）";
    READ_ONLY: "the file system of {subject} on {node} became read-only", "{node} 上 {subject} 的文件系统变为只读";
    ADDRESS_REMOVED: "the virtual IP {subject} was removed from {node} outside the cluster", "{node} 上的虚拟 IP {subject} 在集群之外被删除";
    LINK_DOWN: "the network interface {subject} of {node} lost its link", "{node} 的网络接口 {subject} 链路断开";
    NETWORK_CUT: "the network between {node} and {subject} was cut: both ran on and did not hear each other", "{node} 与 {subject} 之间的网络中断：两个节点都在运行，但互相收不到消息";
    NODE_PAUSED: "{node} stood still for {detail} ms", "{node} 停顿了 {detail} 毫秒";
    NODE_VANISHED: "{node} went away without a word: its power failed, it was reset, or its kernel crashed", "{node} 突然消失：断电、被复位或内核崩溃";
    KERNEL_PANIC: "the kernel of {node} crashed", "{node} 的内核崩溃";
    NODE_SHUT_DOWN: "{node} was shut down or rebooted", "{node} 被关机或重启";
    SOFTWARE_DIED: "{subject} ended unexpectedly on {node}", "{node} 上的 {subject} 意外退出";
    SOFTWARE_STOPPED: "{subject} was stopped on {node}, as for maintenance", "{node} 上的 {subject} 被正常停止（如维护时）";
    SOFTWARE_STOPS: "{subject} on {node} said that it was shutting down; by whose order only the journal of {node} says", "{node} 上的 {subject} 表示正在停止；由谁发起只记录在 {node} 的 journal 中";
    NODE_FENCED: "the cluster had {node} fenced, which it still heard: {detail}", "集群隔离了仍可通信的 {node}：{detail}";
    FENCED_BY_HAND: "{node} was fenced by hand ({detail})", "{node} 被手动隔离（{detail}）";
    STANDBY: "{node} was put in standby: planned work", "{node} 被设为待机（standby）：计划内操作";
    DISABLED: "{subject} was disabled (target-role=Stopped)", "{subject} 被禁用（target-role=Stopped）";
    MOVED_BY_HAND: "{subject} was moved by hand (constraint cli-{detail})", "{subject} 被手动迁移（约束 cli-{detail}）";
    CONFIGURATION_CHANGED: "the configuration of {subject} was changed: parameter {detail}", "{subject} 的配置被修改：参数 {detail}";
    HISTORY_CLEARED: "the operation history of {subject} on {node} was deleted (by a cleanup or a refresh), upon which Pacemaker restarted what needs it", "{node} 上 {subject} 的操作历史被清除（cleanup 或 refresh），Pacemaker 随后重启了依赖它的资源";
    SPLIT_BRAIN: "split brain of {subject}: both nodes had changed their data", "{subject} 脑裂：两个节点都修改了数据";
    QUORUM_LOST: "{node} lost quorum", "{node} 失去仲裁（quorum）";
    START_FAILED: "{subject} could not be started on {node}: {detail}", "{subject} 无法在 {node} 上启动：{detail}";
    STOP_FAILED: "{subject} could not be stopped on {node}: {detail}", "{subject} 无法在 {node} 上停止：{detail}";
    OPERATION_FAILED: "{subject} failed on {node}: {detail}", "{subject} 在 {node} 上发生故障：{detail}";
    RESOURCE_FAILED: "{subject} failed on {node}: {detail}", "{subject} 在 {node} 上发生故障：{detail}";
    NODE_LOST: "{node} was no longer heard; why is not known", "收不到 {node} 的消息；原因未知";
    NOT_KNOWN: "not known: no record says why the cluster began to act", "未知：没有记录说明集群为何开始动作";

    BY_TOOL: "by {tool} on {node}", "由 {node} 上的 {tool} 执行";
    CONCLUDED: "concluded from the records; not written down anywhere", "根据记录推断，没有直接记载";
    DRILL: "It happened during a drill of kaiwudb-ha.", "发生在 kaiwudb-ha 演练期间。";

    DID_FAILURE: "Pacemaker counted the failure of {subject} on {node}", "Pacemaker 记录了 {subject} 在 {node} 上的故障";
    DID_LOST: "Corosync lost {node}", "Corosync 判定 {node} 失联";
    DID_FENCED: "Pacemaker fenced {node}", "Pacemaker 隔离了 {node}";
    DID_NOT_FENCE: "{node} could not be fenced: {detail}", "无法隔离 {node}：{detail}";
    DID_STOP: "stopped {subject} on {node}", "在 {node} 上停止 {subject}";
    DID_START: "started {subject} on {node}", "在 {node} 上启动 {subject}";
    DID_PROMOTE: "promoted {subject} on {node}", "在 {node} 上提升 {subject}";
    DID_DEMOTE: "demoted {subject} on {node}", "在 {node} 上降级 {subject}";
    DID_FAIL: "{subject} failed on {node}: {detail}", "{subject} 在 {node} 上失败：{detail}";
    DID_SIGKILL: "the server did not end on SIGTERM in time and got SIGKILL", "服务端未及时响应 SIGTERM，已发送 SIGKILL";
    DID_BACK: "{node} was a member again", "{node} 重新加入集群";
    DID_NOTHING: "nothing that is written down", "没有记录";

    COST: "The database did not serve for about {time} s.", "数据库约 {time} 秒不可用。";
    COST_AT_LEAST: "The database did not serve for at least {time} s: when it really stopped to answer is not written down.", "数据库至少 {time} 秒不可用：实际停止响应的时间没有记录。";
    COST_OPEN: "The database has not served since {time} UTC, as far as the records reach.", "据现有记录，数据库自 {time}（UTC）起一直不可用。";
    COST_NONE: "The records show no interruption of the database.", "记录中没有数据库中断。";
    COST_MOVED: "It was moved from {before} to {after}.", "已从 {before} 切换到 {after}。";
    COST_STAYED: "It serves on {after}.", "在 {after} 上提供服务。";

    NOT_READ_NODE: "{node} could not be asked: {why}", "无法查询 {node}：{why}";
    NOT_READ: "{source} of {node}: {why}", "{node} 的 {source}：{why}";
    TOO_YOUNG: "{source} of {node} begins only later", "{node} 的 {source} 起始时间晚于该事件";
    WHO_SENT: "who sent the signal: the kernel log names no process; an audit rule would", "信号由谁发送：内核日志没有记录；需要审计规则";
    WHO_KILLED: "who sent the signal: there is no kernel log of that node and time, which names the kernel's own kills", "信号由谁发送：没有该节点当时的内核日志，而内核自己终止的进程只记录在那里";
    WHY_HUNG: "why the server did not answer: its own log and the stacks that it wrote into its log directory on SIGUSR1 may tell", "服务端为何不响应：可查看其日志，以及收到 SIGUSR1 后写入日志目录的线程栈";
    WHY_VANISHED: "whether it was power, a reset or the kernel: the management board's event log tells; a journal on the disk lacks the last seconds of a node that dies", "是断电、复位还是内核崩溃：查看管理板的事件日志；节点突然死机时，磁盘上的日志缺少最后几秒";
    CLOCK: "The clock of {node} is {time} s {direction} that of {here}, by {moments} moments that both nodes have logged; its times are corrected.", "{node} 的时钟比 {here} {direction} {time} 秒（依据两个节点共同记录的 {moments} 个时刻），其时间已校正。";
    CLOCK_NOW: "The clock of {node} is {time} s {direction} that of {here} now; its times are corrected by that.", "{node} 的时钟目前比 {here} {direction} {time} 秒，其时间已据此校正。";
    CLOCK_UNKNOWN: "How far the clock of {node} is off is not known.", "{node} 的时钟偏差未知。";
    AHEAD: "ahead of", "快";
    BEHIND: "behind", "慢";

    NEXT_NOTHING: "nothing", "无需操作";
    NEXT_STATUS: "run kaiwudb-ha status", "请执行 kaiwudb-ha status";
    NEXT_OOM: "give the node more memory, or end what else uses it; run kaiwudb-ha status", "为节点增加内存或减少其他占用；然后执行 kaiwudb-ha status";
    NEXT_SERVER: "read the server's log on {node}; the cluster has done what it can", "请查看 {node} 上的服务端日志；集群已完成自动处理";
    NEXT_PEOPLE: "ask who works on {node}: everything that stops the server must go through the cluster (kaiwudb-ha, pcs, crm)", "请确认谁在操作 {node}：停止服务端必须通过集群（kaiwudb-ha、pcs、crm）";
    NEXT_DISK: "check disk, controller and kernel log of {node}; run kaiwudb-ha status", "检查 {node} 的磁盘、控制器和内核日志；然后执行 kaiwudb-ha status";
    NEXT_ROOM: "free space or enlarge the disk, on both nodes; run kaiwudb-ha status", "清理空间或扩容（两个节点）；然后执行 kaiwudb-ha status";
    NEXT_NETWORK: "check cables, switch and firewall between the nodes; a second link makes this harmless (kaiwudb-ha check)", "检查节点之间的网线、交换机和防火墙；增加第二条链路可避免此类故障（kaiwudb-ha check）";
    NEXT_POWER: "check the power and the management board of {node}, until both nodes are back; run kaiwudb-ha status", "检查 {node} 的电源和管理板，直到两个节点都恢复；执行 kaiwudb-ha status";
    NEXT_BACK: "when the work is done: crm_standby --node {node} --delete", "维护完成后执行：crm_standby --node {node} --delete";
    NEXT_SOFTWARE: "when the work is done, start corosync and pacemaker on {node} again", "维护完成后，在 {node} 上重新启动 corosync 和 pacemaker";
    NEXT_ASK: "keep more: a persistent journal on both nodes (Storage=persistent in /etc/systemd/journald.conf), and ask again when {node} is back", "保留更多记录：在两个节点上使用持久化日志（/etc/systemd/journald.conf 中 Storage=persistent），并在 {node} 恢复后再次查询";
    NEXT_CONFIGURATION: "correct the configuration (kaiwudb-ha check, kaiwudb-ha plan), then crm_resource --cleanup", "修正配置（kaiwudb-ha check、kaiwudb-ha plan），然后执行 crm_resource --cleanup";
    NEXT_SPLIT: "run kaiwudb-ha split-brain show", "请执行 kaiwudb-ha split-brain show";
    NEXT_CLEAR: "when it may go back: crm_resource --clear -r {subject}", "允许迁回时执行：crm_resource --clear -r {subject}";
    NEXT_CLEARED: "clean up only the resource that has failed (option -r of crm_resource); run kaiwudb-ha status", "只清除出现故障的资源（crm_resource 的 -r 选项）；然后执行 kaiwudb-ha status";
    NEXT_ENABLE: "to start it again: kaiwudb-ha plan, or pcs resource enable {subject}", "重新启动：kaiwudb-ha plan，或 pcs resource enable {subject}";
}
