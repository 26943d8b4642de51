//! The command line's help in Chinese, by the English text that stands beside the option.

/// What the exit statuses mean; documented, and kept.
pub(crate) const EXIT_STATUSES: &str = "\
Exit status: 0 no problem; 1 something is wrong with the cluster, see the output; 2 wrong command line or settings file; \
3 failed; 4 no problem was found, but a node or a tool did not respond; 5 cancelled by the user.";

const CHINESE: &[(&str, &str)] = &[
    (
        "Explain the last failover, or another incident: what failed first, what the cluster did, what it cost, and what is not known",
        "解释最近一次切换或其他事件：最先发生的问题、集群的处理、影响，以及尚不清楚之处",
    ),
    (
        "The incident, as --list names it; without it the last one",
        "事件编号（见 --list）；缺省为最近一次",
    ),
    (
        "How far back the records are read: 90m, 12h, 7d, or a time in UTC such as 2026-12-01 or 2026-12-01T13:00",
        "读取多久以来的记录：90m、12h、7d，或 UTC 时间，如 2026-12-01、2026-12-01T13:00",
    ),
    (
        "List the incidents, including those whose logs are gone",
        "列出事件，包括日志已不存在的事件",
    ),
    (
        "Also write a report of the incident into this file",
        "同时将事件报告写入此文件",
    ),
    (
        "Show the handbook: how to set up, run, repair and upgrade the cluster",
        "显示手册：集群的搭建、运维、故障处理和升级",
    ),
    (
        "Number of a part, or a word of its name such as 'fencing'; without it, all parts are listed",
        "某一部分的编号，或其英文名称中的一个词，例如 fencing；不写则列出各部分",
    ),
    (
        "Try whether messages about incidents arrive, and list incidents and messages that are on their way",
        "测试事件通知能否送达，列出事件和尚未送达的消息",
    ),
    (
        "Send a test message to every channel and show what came of it",
        "向每个渠道发送一条测试消息并显示结果",
    ),
    (
        "List the incidents this node knows of, and its messages that have not been delivered",
        "列出本节点记录的事件和尚未送达的消息",
    ),
    (
        "Remove the alert from the cluster and switch off the delivery on both nodes; the settings stay",
        "从集群中移除事件通知，并关闭两个节点上的发送；设置保留",
    ),
    (
        "Look at the cluster, tell what is to be told, deliver what waits; a unit of systemd calls this",
        "检查集群、生成并发送通知；由 systemd 单元调用",
    ),
    (
        "Switch on the delivery on this node; apply calls this on both nodes",
        "在本节点开启通知发送；由 apply 在两个节点上调用",
    ),
    (
        "Switch off the delivery on this node; alerts remove calls this on both nodes",
        "在本节点关闭通知发送；由 alerts remove 在两个节点上调用",
    ),
    (
        "The operator's command for KWDB (KaiwuDB) on a Pacemaker cluster of two nodes",
        "KWDB（KaiwuDB）双节点 Pacemaker 集群的运维命令",
    ),
    ("Print JSON, for programs", "输出 JSON，供程序使用"),
    ("Settings file (optional)", "设置文件（可选）"),
    (
        "The database's resource, if the cluster has several",
        "集群中有多个数据库时，指定其资源 ID",
    ),
    (
        "Show the cluster, the database, replication and certificates on one screen",
        "在一屏内显示集群、数据库、复制和证书的状态",
    ),
    (
        "Print metrics of this node for Prometheus",
        "输出本节点的 Prometheus 监控指标",
    ),
    (
        "Write them into this directory of the node exporter's textfile collector instead",
        "改为写入 node exporter 的 textfile collector 所读取的目录",
    ),
    (
        "Answer one HTTP request on standard input and output; the socket unit calls this",
        "在标准输入和输出上应答一次 HTTP 请求；由 socket 单元调用",
    ),
    (
        "Find problems in the set-up, before, during and after deployment",
        "在部署之前、期间和之后检查配置中的问题",
    ),
    (
        "Print one line with performance data and use the exit statuses of a Nagios plugin",
        "输出一行带性能数据的结果，并使用 Nagios 插件的退出状态",
    ),
    (
        "Print only what is new or gone since the last call with this option; a daily timer calls this",
        "只输出自上次使用此选项以来新增或消除的问题；由每日定时器调用",
    ),
    (
        "Say whether a failover would succeed now, with every reason against it, and how long it would take",
        "说明现在能否成功切换、每个不利因素以及预计耗时",
    ),
    (
        "With --ready: keep the answer for metrics and write it into a node attribute; a timer calls this",
        "与 --ready 一起使用：为监控指标保存结果并写入节点属性；由定时器调用",
    ),
    (
        "Fix what can be fixed safely, asking before each command",
        "修复低风险问题，每条命令执行前询问",
    ),
    (
        "With --fix: answer every question with yes",
        "与 --fix 一起使用：所有问题都回答“是”",
    ),
    (
        "Refresh every so many seconds, until interrupted",
        "每隔若干秒重新显示，直到被中断",
    ),
    (
        "Give the certificates of this node to the server's account and close its keys to everybody else; check --fix calls this",
        "将本节点的证书归属服务端账户，并禁止其他用户读取密钥；由 check --fix 调用",
    ),
    (
        "Print the facts of this node as JSON",
        "以 JSON 输出本节点的已知信息",
    ),
    (
        "Follow an order on standard input; other nodes call this through ssh",
        "执行标准输入中的指令，供其他节点经 ssh 调用",
    ),
    (
        "Compare the wanted configuration with the cluster's; changes nothing",
        "对比目标配置与集群现状，不做任何修改",
    ),
    (
        "Print a settings file to start with, filled in as far as possible",
        "输出初始设置文件，已填入可自动确定的值",
    ),
    (
        "Print something to paste or load instead",
        "改为输出可粘贴或加载的内容",
    ),
    (
        "Apply the planned configuration, verify it, and roll back if a resource does not run",
        "应用计划的配置并验证，若有资源未运行则回滚",
    ),
    (
        "Continue without a fencing device: a node that hangs cannot be fenced, and both nodes may write",
        "没有隔离设备也继续：无响应的节点无法被隔离，两个节点可能同时写入",
    ),
    (
        "First create the DRBD resource and the file system of the settings, on empty disks",
        "首先在空磁盘上创建设置中的 DRBD 资源和文件系统",
    ),
    (
        "Inspect this node's disk below DRBD and take one step, as standard input says; apply --new-disks calls this on both nodes",
        "查看本节点 DRBD 之下的磁盘并按标准输入执行一步；apply --new-disks 会在两个节点上调用它",
    ),
    (
        "Keep a server that is started by hand from creating an empty database below the mount point; apply and migrate call this on both nodes",
        "防止手工启动的服务端在挂载点之下新建空数据库；apply 和 migrate 会在两个节点上调用它",
    ),
    (
        "Print who else answers for an address on the networks of this node; check calls this on every node",
        "显示本节点所在网络中还有谁应答某个地址；check 会在每个节点上调用它",
    ),
    ("The address", "地址"),
    ("Hardware addresses that may answer", "允许应答的硬件地址"),
    ("Mount point of the store", "数据目录的挂载点"),
    ("Make it an ordinary directory again", "恢复为普通目录"),
    (
        "Roll back if not everything runs after so many seconds",
        "若干秒后仍未全部正常运行则回滚",
    ),
    (
        "Rehearse a failover with a client that commits continuously, and report outage and lost rows",
        "在客户端持续提交的同时演练切换，并报告中断时间和数据丢失",
    ),
    (
        "Inject a fault on the node that has the database; asks first",
        "在运行数据库的节点上注入故障；执行前先询问",
    ),
    (
        "Undo what an interrupted drill has left",
        "恢复被中断的演练留下的状态",
    ),
    (
        "Wait for the drill to end and undo what it leaves; called by a drill",
        "等待演练结束并恢复其留下的状态；由演练启动",
    ),
    (
        "Undo it after so many seconds in any case",
        "无论如何在若干秒后恢复",
    ),
    ("The fault", "注入什么故障"),
    ("Do not ask", "不询问"),
    (
        "Give up waiting for the database after so many seconds",
        "等待数据库恢复的最长秒数",
    ),
    (
        "Directory for the drill and its report",
        "演练记录和报告的保存目录",
    ),
    ("List the drills recorded on this node", "列出本节点上保存的演练"),
    ("Directory of the drills", "演练记录的保存目录"),
    (
        "Set the server on this node to write time-series rows to the disk before it acknowledges them, or go back",
        "将本节点的服务端设置为时序数据落盘后才确认，或恢复原状",
    ),
    (
        "Reset the settings to the server's defaults",
        "将这些设置恢复为服务端默认值",
    ),
    (
        "Show a split brain of DRBD and resolve it by an explicit choice",
        "显示 DRBD 脑裂，并按明确的选择解决",
    ),
    (
        "Show both nodes and what each has written since they lost their connection",
        "显示两个节点，以及失去连接后各自写入了什么",
    ),
    (
        "Keep one node's data and discard what the other one has written",
        "保留一个节点的数据，丢弃另一节点写入的内容",
    ),
    ("The node whose data is kept", "保留其数据的节点"),
    (
        "Do not ask; must name the node whose changes are discarded",
        "不询问；必须写明丢弃其改动的节点",
    ),
    (
        "Replace the agents of KWDB's guide with those of this package while the database runs, or go back",
        "在数据库运行期间，用本套件的资源代理替换官方方案的代理，或回退",
    ),
    (
        "End processes that the agents of this package left for a resource that they no longer manage; migrate --back calls this on every node",
        "结束本套件的资源代理为已不归其管理的资源留下的进程；migrate --back 会在每个节点上调用",
    ),
    ("Id of the resource", "资源 ID"),
    ("Go back to the guide's agents", "回退到官方方案的代理"),
    (
        "Say what would be done and rehearse it, but do not do it",
        "说明将要做什么并预演，但不做任何更改",
    ),
    (
        "Write an archive of logs, configuration and state of both nodes for an engineer who was not there, without secrets",
        "将两个节点的日志、配置和状态打包，供不在现场的工程师分析；其中的机密信息已去除",
    ),
    (
        "The archive, or a directory for it [default: kaiwudb-ha-support-NODE-TIME.tar.gz in the current directory]",
        "归档文件，或存放它的目录 [默认：当前目录下的 kaiwudb-ha-support-节点-时间.tar.gz]",
    ),
    (
        "How far back logs go: 30m, 12h, 7d, or a time in UTC such as 2026-12-01T10:00",
        "日志起点：30m、12h、7d，或 UTC 时间，例如 2026-12-01T10:00",
    ),
    ("This node only", "仅本节点"),
    (
        "MiB of text at most, before compression",
        "压缩前文本的上限（MiB）",
    ),
    (
        EXIT_STATUSES,
        "退出状态：0 一切正常；1 集群有问题，见输出；2 命令行或设置文件有误；3 失败；4 未发现问题，但有节点或工具无响应；5 用户取消。",
    ),
];

/// The Chinese text for an English one.
pub(crate) fn chinese(english: &str) -> Option<&'static str> {
    CHINESE
        .iter()
        .find(|(known, _)| *known == english)
        .map(|(_, chinese)| *chinese)
}
