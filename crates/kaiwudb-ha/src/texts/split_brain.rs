//! What `split-brain` says.

site::texts! {
    NONE: "No split brain: {why}.", "没有脑裂：{why}。";
    NO_RESOURCE: "no DRBD resource is configured here", "此处没有配置 DRBD 资源";
    CONNECTED: "the nodes are connected", "两个节点已连接";
    SAME: "both nodes have the same generation of data", "两个节点的数据世代相同";
    ONE_NEWER: "the data of {node} is newer than the other node's; reconnecting resynchronises it", "{node} 的数据比另一节点的新；重新连接后会自动同步";
    EACH_NEWER: "each node has a volume that is newer than the other node's; reconnecting resynchronises both", "两个节点各有一个卷比另一节点的新；重新连接后会自动同步";
    SPLIT: "SPLIT BRAIN of {resource}: both nodes have changed their data since they lost their connection.", "{resource} 脑裂：失去连接后两个节点都修改了数据。";
    UNKNOWN: "{node} did not answer: whether the data has diverged cannot be determined from one side", "{node} 没有应答：仅凭一个节点无法判断数据是否不一致";
    NO_GENERATION: "DRBD on {node} does not tell its generation of data ({resource} is down there)", "{node} 上的 DRBD 没有给出数据世代（{resource} 在该节点未启动）";
    GENERATION: "generation", "数据世代";
    WRITTEN: "changed since then", "此后的改动";
    ROLE: "role", "角色";
    DISK: "disk", "磁盘";
    LINK: "link", "连接";
    RUNS_HERE: "the database runs here", "数据库在此运行";
    KEEP: "To keep the data of {node} and discard {size} that {victim} has written: kaiwudb-ha split-brain resolve --keep {node}",
        "保留 {node} 的数据并丢弃 {victim} 写入的 {size}：kaiwudb-ha split-brain resolve --keep {node}";
    BACKUP: "Save the other side first, on {victim}: {command}", "请先备份另一节点的数据，在 {victim} 上执行：{command}";
    NOT_A_NODE: "--keep is '{node}'; allowed: {allowed}", "--keep 是“{node}”；允许：{allowed}";
    VICTIM_IN_USE: "{victim} is Primary: its data is in use and cannot be discarded. If {node} is really the one to keep: put {victim} in standby (crm_standby --node {victim} --update on) until nothing runs there, take it out again (crm_standby --node {victim} --delete), and resolve when DRBD is Secondary there",
        "{victim} 是 Primary：数据正在使用，不能放弃。如果确实要保留 {node}：先使 {victim} 待机（crm_standby --node {victim} --update on），直到其上没有资源运行，再取消待机（crm_standby --node {victim} --delete），待该节点的 DRBD 为 Secondary 后再解决";
    DISCARD: "This discards {size} that {victim} has written since the nodes lost their connection. It cannot be undone.", "这将丢弃 {victim} 在失去连接后写入的 {size}，且无法撤销。";
    ASK: "Type {victim} to discard its changes: ", "输入 {victim} 以丢弃它的改动：";
    NO_TERMINAL: "the name of the node whose changes are discarded must be typed, but standard input is not a terminal; use --discard {victim}",
        "必须输入要丢弃改动的节点名，但标准输入不是终端；请使用 --discard {victim}";
    WRONG_DISCARD: "--discard is '{node}'; with --keep {keep} it must be {victim}", "--discard 是“{node}”；与 --keep {keep} 一起使用时必须是 {victim}";
    STEP: "{node}: {command}", "在 {node} 上：{command}";
    STEP_FAILED: "{node}: {command}: {why}; nothing further was done", "在 {node} 上执行 {command} 失败：{why}；后续步骤没有执行";
    SYNCING: "resynchronising {victim}: {percent} %", "正在重新同步 {victim}：{percent} %";
    DONE: "Resolved: {node} was kept, {victim} has its data.", "已解决：保留 {node}，{victim} 已同步其数据。";
    STILL: "{victim} is being resynchronised in the background; see kaiwudb-ha status", "{victim} 正在后台重新同步；见 kaiwudb-ha status";
    NOT_CONNECTED: "the nodes did not connect within {seconds} s; the kernel's log says why: journalctl -k -g drbd", "节点在 {seconds} 秒内没有连接；原因见内核日志：journalctl -k -g drbd";
}
