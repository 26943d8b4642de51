//! What `status --ready` says.

site::texts! {
    YES: "A failover to {node} would succeed now.", "现在可以成功切换到 {node}。";
    NO: "A failover to {node} would not succeed, or not for long:", "现在切换到 {node} 不会成功，或无法持久：";
    UNKNOWN: "Whether a failover to {node} would succeed is not known:", "无法判断切换到 {node} 能否成功：";
    NO_TARGET: "There is no failover to speak of:", "无法切换：";
    MEASURED: "Outages that drills have measured (fault, outage, when in UTC)", "演练测得的中断时间（故障、中断时间、UTC 时间）";
    NEVER_MEASURED: "How long it would take has never been measured: kaiwudb-ha drill", "从未测量过切换耗时：kaiwudb-ha drill";
}
