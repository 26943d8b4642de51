//! What `status` says.

site::texts! {
    NODES: "Nodes", "节点";
    DATABASE: "Database", "数据库";
    ADDRESS: "Virtual IP", "虚拟 IP";
    REPLICATION: "Replication", "复制";
    CERTIFICATES: "Certificates", "证书";
    BY_WATCHDOG: "each node's watchdog (diskless SBD)", "各节点的看门狗（无磁盘 SBD）";
    FENCING: "Fencing", "隔离";
    DRILL: "Last drill", "最近演练";
    DRILL_NEVER: "none yet: kaiwudb-ha drill", "尚无：kaiwudb-ha drill";
    DRILL_LINE: "outage {outage} s, lost commits: {lost}", "中断 {outage} 秒，丢失 {lost} 次提交";
    DRILL_FAILED: "the database did not come back", "数据库没有恢复";
    ATTENTION: "Needs attention", "需要处理";
    ALL_WELL: "Nothing needs attention.", "没有需要处理的问题。";
    ONLINE: "online", "在线";
    NOT_RUNNING: "does not run", "未运行";
    NOT_CONFIGURED: "not configured", "未配置";
    RUNS_ON: "on {node}", "在 {node} 上";
    READY: "ready", "就绪";
    SENTINEL: "sentinel {pid}", "哨兵进程 {pid}";
    STORE: "store", "数据目录";
    STORE_LINE: "{root} on {source} ({kind}), {free} of {total} free", "{root}，位于 {source}（{kind}），剩余 {free}，共 {total}";
    IDENTITY: "identity", "标识";
    IDENTITY_PINNED: "{found}, as pinned", "{found}，与登记一致";
    IDENTITY_UNPINNED: "{found}, not pinned", "{found}，未登记";
    VALID_UNTIL: "valid until {date} (days left: {days})", "有效期至 {date}（{days} 天）";
    SAME_SET: "same set on all nodes", "各节点相同";
    NO_CERTIFICATES: "none (insecure)", "无（非安全模式）";
    WATCH_HEAD: "every {seconds} s, {time} UTC; Ctrl-C to quit", "每 {seconds} 秒刷新，{time} UTC；按 Ctrl-C 结束";
}
