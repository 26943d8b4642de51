//! The command line's help in Chinese, by the English text that stands beside the option.

/// What the exit statuses mean; documented, and kept.
pub(crate) const EXIT_STATUSES: &str = "\
Exit status: 0 nothing is wrong; 1 something is wrong with the cluster, see the output; 2 wrong command line or settings file; \
3 it could not be done; 4 nothing wrong was found, but something did not answer; 5 the operator said no.";

const CHINESE: &[(&str, &str)] = &[
    (
        "The operator's command for KWDB (KaiwuDB) on a Pacemaker cluster of two nodes",
        "KWDB（KaiwuDB）双节点 Pacemaker 集群的运维命令",
    ),
    ("Print JSON, for programs", "输出 JSON，供程序使用"),
    ("Settings file; it may be missing", "设置文件，可以不存在"),
    (
        "The database's resource, where the cluster has several",
        "集群中有多个数据库时，指定其资源 ID",
    ),
    (
        "Show the cluster, the database, replication and certificates on one screen",
        "在一屏内显示集群、数据库、复制和证书的状态",
    ),
    (
        "Find what is wrong with the set-up, before, during and after deployment",
        "在部署之前、期间和之后检查配置中的缺陷",
    ),
    (
        "Mend what can be mended safely, asking before each command",
        "修复可以安全修复的缺陷，每条命令执行前询问",
    ),
    (
        "With --fix: answer every question with yes",
        "与 --fix 一起使用：所有问题都回答“是”",
    ),
    (
        "Show it again every so many seconds, until interrupted",
        "每隔若干秒重新显示，直到被中断",
    ),
    (
        "Print what is known of this node as JSON; other nodes ask for it",
        "以 JSON 输出本节点的已知信息，供其他节点查询",
    ),
    (
        "Show how the cluster's configuration should be, and what differs; changes nothing",
        "显示集群配置应有的样子及其差异，不做任何修改",
    ),
    (
        "Print a settings file to begin with, with what could be found out",
        "输出一个起始设置文件，已填入可获知的内容",
    ),
    (
        "Print something to paste or load instead",
        "改为输出可粘贴或加载的内容",
    ),
    (
        "Make the cluster's configuration the planned one, look whether all runs, and undo it if not",
        "将集群配置改为计划的配置，检查是否全部正常运行，否则撤销",
    ),
    (
        "Go on without a fencing device: a node that hangs is then never switched off, and the data may fork",
        "没有隔离设备也继续：挂起的节点将永远不会被关闭，数据可能分叉",
    ),
    (
        "First make the DRBD resource and the file system of the settings, on disks that hold nothing",
        "首先在空磁盘上创建设置中的 DRBD 资源和文件系统",
    ),
    (
        "Look at this node's disk below DRBD and take one step there, as standard input says; apply --new-disks asks for it on both nodes",
        "查看本节点 DRBD 之下的磁盘并按标准输入执行一步；apply --new-disks 会在两个节点上调用它",
    ),
    (
        "Keep a server that is started by hand from beginning an empty database below the mount point; apply and migrate ask for it on both nodes",
        "防止手工启动的服务端在挂载点之下新建空数据库；apply 和 migrate 会在两个节点上调用它",
    ),
    ("Mount point of the store", "数据目录的挂载点"),
    ("Make it an ordinary directory again", "恢复为普通目录"),
    (
        "Undo the change when not everything runs after so many seconds",
        "若干秒后仍未全部正常运行则撤销修改",
    ),
    (
        "Rehearse a failover with a client that commits all the time, and report what it cost",
        "在客户端持续提交的同时演练切换，并报告代价",
    ),
    (
        "Let a fault happen to the node that has the database; asks first",
        "对持有数据库的节点施加故障；执行前先询问",
    ),
    (
        "Undo what a drill that was interrupted has left",
        "恢复被中断的演练留下的状态",
    ),
    (
        "Wait for the drill to end and undo what it leaves; a drill starts it",
        "等待演练结束并恢复其留下的状态；由演练启动",
    ),
    (
        "Undo it after so many seconds in any case",
        "无论如何在若干秒后恢复",
    ),
    ("What happens", "施加什么故障"),
    ("Do not ask", "不询问"),
    (
        "Give up waiting for the database after so many seconds",
        "等待数据库恢复的最长秒数",
    ),
    (
        "Where the drill and its report are kept",
        "演练记录和报告的保存目录",
    ),
    (
        "List the drills that were kept on this node",
        "列出本节点上保存的演练",
    ),
    ("Where drills are kept", "演练记录的保存目录"),
    (
        "Show a split brain of DRBD and resolve it by an explicit choice",
        "显示 DRBD 脑裂，并按明确的选择解决",
    ),
    (
        "Show both sides and what each has written since they parted",
        "显示两侧，以及分开之后各自写入了什么",
    ),
    (
        "Keep one node's data and give up what the other one has written",
        "保留一个节点的数据，放弃另一节点写入的内容",
    ),
    ("The node whose data is kept", "保留其数据的节点"),
    (
        "Do not ask; must name the node whose changes are given up",
        "不询问；必须写明放弃其改动的节点",
    ),
    (
        "Put our agents in the place of the KWDB guide's while the database runs, or go back",
        "在数据库运行的同时，用我们的代理替换 KWDB 指南中的代理，或撤回",
    ),
    (
        "End what our agents left running for a resource that is no longer theirs; migrate --back asks for it on every node",
        "结束我们的代理为已不归其管理的资源留下的进程；migrate --back 会在每个节点上调用",
    ),
    ("Id of the resource", "资源 ID"),
    ("Go back to the guide's agents", "退回到指南中的代理"),
    (
        "Say what would be done, rehearse it, and do nothing",
        "说明将要做什么并预演，但不做任何更改",
    ),
    (
        EXIT_STATUSES,
        "退出状态：0 一切正常；1 集群有问题，见输出；2 命令行或设置文件有误；3 未能完成；4 未发现问题，但有节点或工具没有应答；5 操作者拒绝。",
    ),
];

/// The Chinese text for an English one.
pub(crate) fn chinese(english: &str) -> Option<&'static str> {
    CHINESE
        .iter()
        .find(|(known, _)| *known == english)
        .map(|(_, chinese)| *chinese)
}
