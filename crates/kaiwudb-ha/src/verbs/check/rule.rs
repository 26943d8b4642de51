//! The defects that `check` knows. An id is an interface: it stays when the words change.

use serde::Serialize;
use site::language::Text;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Data can be lost or forked, or a failover does not work.
    Error,
    /// A failover takes longer than it must, or a further fault makes it an error.
    Warning,
    /// Worth knowing; the cluster is safe.
    Advice,
}

/// A defect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// What happens because of it, in one sentence.
    pub(crate) consequence: Text,
}

/// Declares rules: `NAME: Severity, "id", "English", "Chinese";`.
macro_rules! rules {
    ($($name:ident: $severity:ident, $id:literal, $english:literal, $chinese:literal;)*) => {
        $(pub(crate) const $name: &Rule = &Rule {
            id: $id,
            severity: Severity::$severity,
            consequence: Text { english: $english, chinese: $chinese },
        };)*
        /// Every rule.
        #[cfg(test)]
        pub(crate) const ALL: &[&Rule] = &[$($name),*];
    };
}

rules! {
    // The cluster.
    FENCING_OFF: Error, "fencing-off",
        "A node that hangs or is isolated cannot be fenced: both nodes may write, and the data sets diverge.",
        "无响应或失联的节点无法被隔离，两个节点可能同时写入，导致数据不一致。";
    FENCING_DEVICE_MISSING: Error, "fencing-device-missing",
        "Nothing can fence a failed node: while fencing is enabled there is no failover, while it is disabled both nodes may write.",
        "没有任何设备能隔离故障节点：启用隔离时不会切换，停用隔离时两个节点可能同时写入。";
    FENCING_INCOMPLETE: Error, "fencing-incomplete",
        "This node cannot be fenced: when it fails the other one waits forever.",
        "该节点无法被隔离：该节点故障后，另一节点会一直等待隔离完成，无法接管。";
    WATCHDOG_WITHOUT_THIRD_VOTE: Error, "watchdog-without-third-vote",
        "When the nodes lose contact both keep quorum, and a watchdog fences only a node that has lost it: SBD resets both nodes, or, in older releases, both continue to write.",
        "两个节点失联时都保有仲裁（quorum），而看门狗只重置失去仲裁的节点：SBD 会重置两个节点，较旧版本则两边都继续运行并写入。";
    QUORUM_IGNORED: Error, "quorum-ignored",
        "A node that has lost contact with the other continues on its own; without fencing both then run the database.",
        "失去联系的节点会自行继续运行；没有隔离时两个节点都会运行数据库。";
    TWO_NODE_MISSING: Error, "two-node-missing",
        "When one of the two nodes fails, the other one loses quorum and stops the database.",
        "两个节点中一个故障时，另一个会失去仲裁（quorum）并停止数据库。";
    DATABASE_BY_UNIT: Error, "database-by-unit",
        "Started means forked and healthy means that a process exists: a hang is never noticed, and a missing mount gives a new, empty database.",
        "“已启动”只表示进程已创建，“健康”只表示进程存在：无响应永远不会被发现，未挂载时会生成一个空的新数据库。";
    DATABASE_MISSING: Error, "database-missing",
        "The cluster does not manage the database: nothing starts it on the other node.",
        "集群没有管理数据库：没有任何机制会在另一节点上启动它。";
    UNIT_ENABLED: Error, "unit-enabled",
        "systemd starts the database at boot, before the disk is mounted and while the other node may run it.",
        "systemd 会在开机时启动数据库，此时磁盘尚未挂载，且另一节点可能正在运行它。";
    UNIT_SIGNALS_TWICE: Warning, "unit-signals-twice",
        "Every stop sends SIGTERM twice, which the server takes as an order to end at once: no stop is graceful.",
        "每次停止都会发送两次 SIGTERM，服务端会立即退出，因此每次停止都是强制终止。";
    UNIT_STARTED_EARLY: Warning, "unit-started-early",
        "The start counts as done before SQL is served: the virtual IP moves to a server that refuses clients.",
        "SQL 尚未可用时启动就算完成：虚拟 IP 已切换，但服务端尚不能接受连接。";
    UNIT_UNORDERED: Warning, "unit-unordered",
        "When the node shuts down, systemd ends the server while the cluster still uses it: to the cluster this is a crash, not a planned switchover.",
        "节点关机时，systemd 会在集群仍在使用服务端时将其终止：对集群来说这是崩溃，而不是计划内切换。";
    UNIT_LIMITS_LOST: Warning, "unit-limits-lost",
        "The unit limits the server and the agent starts it without the unit: after the next start the limits are no longer in force.",
        "服务单元限制了服务端的资源，而代理启动服务端时不经过该单元：下次启动后限制不再生效。";
    CONTAINER_RESTARTS: Error, "container-restarts",
        "Docker restarts a crashed server behind Pacemaker's back, even after the disk has moved to the other node.",
        "Docker 会绕过 Pacemaker 重启崩溃的服务端，即使磁盘已经切换到另一节点。";
    ADDRESS_MISSING: Warning, "address-missing",
        "Clients have no address that follows the database.",
        "没有配置虚拟 IP，切换后客户端无法连接。";
    ADDRESS_UNORDERED: Error, "address-unordered",
        "The virtual IP comes up before the database: clients connect and are refused.",
        "虚拟 IP 先于数据库启用：客户端会连上但被拒绝。";
    ADDRESS_APART: Error, "address-apart",
        "The virtual IP may run on the node where the database is not.",
        "虚拟 IP 可能运行在没有数据库的节点上。";
    ADDRESS_OUTSIDE_SUBNETS: Warning, "address-outside-subnets",
        "No interface of this node is in the virtual IP's subnet: after a failover to it the address does not start, or clients do not reach it.",
        "该节点没有任何网卡位于虚拟 IP 所在的子网：切换到该节点后，该地址无法启用，或客户端无法访问。";
    ADDRESS_TWICE: Error, "address-twice",
        "The node has the virtual IP although the cluster does not run it there: two nodes answer for it, and clients reach either.",
        "集群没有在该节点启用虚拟 IP，节点上却有此地址：两个节点同时应答，客户端可能连到任意一个。";
    ADDRESS_OF_A_NODE: Error, "address-of-a-node",
        "The virtual IP is an address of a node itself: after a failover both nodes have it, and the nodes no longer see each other.",
        "虚拟 IP 是某个节点自身的地址：切换后两个节点都有此地址，节点之间失去联系。";
    ADDRESS_ANSWERED: Error, "address-answered",
        "Another host answers for the virtual IP: clients reach either, and a start of the address fails.",
        "有其他主机应答虚拟 IP：客户端可能连到任意一个，该地址的启动会失败。";
    ADDRESS_OTHER_HARDWARE: Warning, "address-other-hardware",
        "Another interface of the node answers for the virtual IP: when it goes down, clients lose an address that is still there.",
        "节点上的另一块网卡应答虚拟 IP：该网卡断开后，地址仍在，客户端却无法访问。";
    ADDRESS_INTERFACE_MISSING: Error, "address-interface-missing",
        "This node has no interface of that name: the virtual IP cannot start here, and a failover to this node fails.",
        "该节点没有此名称的网卡：虚拟 IP 无法在此启用，切换到该节点会失败。";
    ADDRESS_LINK_DEAD: Warning, "address-link-dead",
        "The interface for the virtual IP is switched off or has no carrier: on this node no client reaches the database.",
        "用于虚拟 IP 的网卡被关闭或无载波：客户端无法访问该节点上的数据库。";
    ADDRESS_NETMASK_MISSING: Advice, "address-netmask-missing",
        "IPaddr2 takes the prefix from the routes at the moment of a start: without the right one it fails, or the address gets another prefix.",
        "IPaddr2 在启动时按当时的路由确定前缀：没有合适的路由时启动失败，或前缀错误。";
    ADDRESS_AGENT_OLD: Warning, "address-agent-old",
        "IPaddr is obsolete and IPv4 only; a later release of resource-agents may no longer have it.",
        "IPaddr 已过时且只支持 IPv4；以后的 resource-agents 版本可能不再包含它。";
    ADDRESS_AGENT_SILENT: Advice, "address-agent-silent",
        "When the address leaves, no client hears of it: one without timeouts waits seconds after a switchover, and forever for an answer of a node that failed.",
        "地址移走时客户端得不到通知：没有超时设置的客户端在计划内切换后要等待数秒，等待故障节点应答的则会一直等下去。";
    STICKINESS_MISSING: Warning, "stickiness-missing",
        "When a repaired node comes back, the database may move to it: an unnecessary outage.",
        "故障节点修复并重新加入后，数据库可能迁回：造成一次不必要的中断。";
    FAILURE_FORGOTTEN: Warning, "failure-forgotten",
        "A failure is forgotten before the next monitor: a database that keeps failing never reaches migration-threshold, or both nodes are banned in turn.",
        "下一次监控之前故障就被遗忘：持续故障的数据库永远达不到 migration-threshold，或资源在两个节点上轮流被禁止运行。";
    FAILURE_IGNORED: Error, "failure-ignored",
        "A failure of this operation counts as success: after a failed stop the other node starts on the same data, after a failed monitor nothing is recovered.",
        "该操作失败会被当作成功：停止失败后另一节点仍会在同一份数据上启动，监控失败后不会恢复。";
    MONITOR_MISSING: Error, "monitor-missing",
        "Its failure is never noticed.",
        "它的故障永远不会被发现。";
    MONITOR_SLOW: Warning, "monitor-slow",
        "A failure is noticed only at the next monitor.",
        "故障要到下一次监控时才会被发现。";
    START_TIMEOUT_SHORT: Warning, "start-timeout-short",
        "A start that must recover a large log is taken for a failure.",
        "需要恢复大量日志的启动会被当作失败。";
    STOP_TIMEOUT_SHORT: Error, "stop-timeout-short",
        "A stop that takes longer is a failed stop, and the node is fenced for it.",
        "超时的停止就是停止失败，节点会因此被隔离。";
    FILE_SYSTEM_APART: Error, "file-system-apart",
        "The database may start on a node where the disk is not mounted.",
        "数据库可能在磁盘没有挂载的节点上启动。";
    FILE_SYSTEM_UNORDERED: Error, "file-system-unordered",
        "The database may start before the disk is mounted.",
        "数据库可能在磁盘挂载之前启动。";
    FILE_SYSTEM_RIGHTS: Advice, "file-system-rights",
        "A set-user-ID program or a device node on the replicated disk counts here: anyone who is root on the other node is root here after a failover.",
        "共享磁盘上的 set-user-ID 程序和设备文件在此有效：在另一节点上拥有 root 权限的人，切换后在本节点也拥有 root 权限。";
    DRBD_AGENT_LINBIT: Advice, "drbd-agent-linbit",
        "It does not report degraded replication, never says what holds the device, and needs notifications for every switchover.",
        "它不报告复制降级，不说明什么占用了设备，且每次切换都依赖通知。";
    DRBD_NOTIFY_MISSING: Error, "drbd-notify-missing",
        "ocf:linbit:drbd refuses to run without notifications, on all nodes.",
        "没有通知时 ocf:linbit:drbd 在所有节点上都拒绝运行。";
    DRBD_PRIMARY_UNMONITORED: Error, "drbd-primary-unmonitored",
        "A monitor without a role is for the Secondary only: the Primary, the one that matters, is never monitored.",
        "没有角色的监控只针对 Secondary：真正重要的 Primary 从不被监控。";
    DRBD_APART: Error, "drbd-apart",
        "The file system may be mounted where DRBD is not Primary: the start fails there.",
        "文件系统可能在 DRBD 不是 Primary 的节点上挂载：启动会失败。";
    DRBD_UNORDERED: Error, "drbd-unordered",
        "The file system may be mounted before DRBD is promoted: the start fails.",
        "文件系统可能在 DRBD 提升之前挂载：启动会失败。";
    CONSTRAINT_REDUNDANT: Advice, "constraint-redundant",
        "The group says the same already; two sources for one rule drift apart.",
        "组已经表达了同样的规则；一条规则有两处来源，日后会不一致。";
    ROLE_WORD_OLD: Advice, "role-word-old",
        "Master and Slave are deprecated since Pacemaker 2.1; a later release will not read them.",
        "自 Pacemaker 2.1 起 Master 和 Slave 已弃用；以后的版本将不再识别。";
    CERTIFICATES_BY_HAND: Warning, "certificates-by-hand",
        "After the next rotation the passive node still has the old certificates, which shows only at the failover.",
        "下次更换证书后备节点仍是旧证书，直到切换时才会被发现。";
    STORE_UNPINNED: Warning, "store-unpinned",
        "The cluster does not know which store it owns: another disk in its place would be accepted.",
        "集群不知道自己拥有哪个数据目录：换上别的磁盘也会被接受。";
    MAINTENANCE_LEFT: Warning, "maintenance-left",
        "The cluster does not react to failures: one that happens now is an outage until an operator intervenes.",
        "集群对故障不作任何反应：此时发生故障，服务会一直中断到有人处理为止。";
    CONSTRAINT_LEFT: Warning, "constraint-left",
        "Left by a move or ban: the database is tied to a node or kept from one, and no failover changes that.",
        "move 或 ban 遗留的约束：数据库被固定在某节点或被禁止在某节点，切换也无法改变。";
    NODE_STANDBY: Warning, "node-standby",
        "A node in standby runs nothing: as long as it stays so there is no failover.",
        "处于待机状态的节点不运行任何资源：在恢复之前不会发生切换。";
    RESOURCE_HELD: Warning, "resource-held",
        "This resource was taken out of the cluster's control by hand: a failure is not recovered, or it does not run at all.",
        "该资源已被人为脱离集群管理：故障后不会恢复，或根本不运行。";
    AGENT_MISSING: Error, "agent-missing",
        "The resource cannot start on this node: a failover to it fails.",
        "资源无法在该节点启动：切换到该节点会失败。";
    VERSIONS_DIFFER: Warning, "versions-differ",
        "The nodes run different releases of kaiwudb-ha: a failover changes behaviour.",
        "各节点的 kaiwudb-ha 版本不同：切换后行为会改变。";
    SETTINGS_DIFFER: Warning, "settings-differ",
        "Each node acts by its own settings: who hears of an incident, and what the metrics are called, depends on the node.",
        "各节点按自己的设置运行：由谁收到告警、指标叫什么名称，都取决于节点。";
    PACEMAKER_RELEASES_DIFFER: Warning, "pacemaker-releases-differ",
        "The nodes have different releases of Pacemaker, which is meant for the time of an upgrade only: the node with the older one may not be able to rejoin after a failover.",
        "各节点的 Pacemaker 版本不同，这只适用于升级期间：切换后，版本较旧的节点可能无法重新加入集群。";
    // The operating system.
    LINK_SINGLE: Advice, "link-single",
        "One cable or switch decides whether the nodes see each other; its failure ends in fencing.",
        "节点间只有一条链路：一根网线或一台交换机故障就会导致隔离。";
    CLUSTER_IN_CLEAR: Advice, "cluster-in-clear",
        "Anyone who can reach the cluster's network can send it commands.",
        "能接入集群网络的任何人都可以向集群发送命令。";
    CLOCK_UNSYNCHRONISED: Advice, "clock-unsynchronised",
        "No time service runs: the clocks drift apart, logs cannot be compared and rows get wrong times after a failover.",
        "没有运行时间同步服务：时钟会逐渐偏离，日志无法对照，切换后数据时间错误。";
    CLOCKS_DIFFER: Warning, "clocks-differ",
        "After a failover the database's time jumps: rows get wrong times and leases last too long.",
        "切换后数据库时间跳变：数据时间错误，租约持续过久。";
    SHELL_CHANGED: Advice, "shell-changed",
        "The guide's change of /bin/sh is not needed; it changes every script of the system.",
        "官方方案中对 /bin/sh 的修改并不需要；它会影响系统的所有脚本。";
    MULTIPATH_DISABLED: Advice, "multipath-disabled",
        "The guide turns multipath off for every disk; excluding the DRBD devices is enough.",
        "官方方案对所有磁盘关闭 multipath；只需排除 DRBD 设备即可。";
    MULTIPATH_TAKES_DRBD: Warning, "multipath-takes-drbd",
        "multipathd may open the DRBD device: then it cannot be demoted, and the failover ends in fencing.",
        "multipathd 可能打开 DRBD 设备：此时无法降级，切换会以隔离告终。";
    FSTAB_MOUNTS: Error, "fstab-mounts",
        "The system mounts the replicated disk at boot, outside the cluster.",
        "系统会在开机时绕过集群自行挂载复制磁盘。";
    DRBD_SERVICE_ENABLED: Error, "drbd-service-enabled",
        "The boot script brings DRBD up before the cluster does and may wait for the peer without end.",
        "开机脚本会先于集群启用 DRBD，并可能无限等待对端。";
    SBD_DISABLED: Error, "sbd-disabled",
        "SBD does not run on this node after its next boot: nothing can fence the node then.",
        "该节点下次开机后 SBD 不会运行：届时无法隔离该节点。";
    CLUSTER_DISABLED: Advice, "cluster-disabled",
        "After a reboot this node does not rejoin the cluster: until the cluster is started there by hand, no node can take over.",
        "重启后该节点不会自动加入集群：在手动启动之前没有备节点。";
    CLUSTER_PASSWORD_PRINTED: Warning, "cluster-password-printed",
        "The password of hacluster is printed in set-up guides: anyone who can reach pcsd (port 2224) can change the cluster and becomes root on its nodes.",
        "hacluster 的密码公开在网上的安装教程中：能访问 pcsd（2224 端口）的任何人都可以修改集群配置，并获得节点的 root 权限。";
    SUDO_UNLIMITED: Advice, "sudo-unlimited",
        "Anyone who breaks into the server becomes root on the node; under the cluster the server does not need sudo.",
        "数据库进程一旦被攻破，攻击者即获得 root 权限；由集群管理时服务端不需要 sudo。";
    // DRBD's configuration.
    DRBD_REFUSED: Error, "drbd-refused",
        "drbdadm cannot read the configuration: after the next boot the resource does not come up.",
        "drbdadm 无法读取配置：下次开机后资源无法启动。";
    DRBD_FLUSHES_OFF: Error, "drbd-flushes-off",
        "Rows that were acknowledged stay in the disk's own cache: a power failure loses them, unless that cache has a battery.",
        "已确认的数据仍留在磁盘缓存中：除非缓存带电池，断电即丢失。";
    DRBD_MD_FLUSHES_OFF: Error, "drbd-md-flushes-off",
        "After a power failure DRBD may take stale data for good data.",
        "断电后 DRBD 可能把旧数据当作有效数据。";
    DRBD_SECRET_SAMPLE: Warning, "drbd-secret-sample",
        "The secret is printed in the guide: anyone who can reach the network can connect as the peer and read or replace the data.",
        "该密钥公开在官方方案中：能接入网络的任何人都可以冒充对端读取或替换数据。";
    DRBD_SECRET_MISSING: Warning, "drbd-secret-missing",
        "Anyone who can reach the network can connect as the peer and read or replace the data.",
        "能接入网络的任何人都可以冒充对端读取或替换数据。";
    DRBD_DISCARDS: Error, "drbd-discards",
        "After a split brain one side's committed rows are discarded without asking.",
        "脑裂之后，一侧已提交的数据会不经询问直接丢弃。";
    DRBD_SYNCER_LEGACY: Advice, "drbd-syncer-legacy",
        "The section was replaced in DRBD 8.4; its fixed rate slows down a resync or starves the database.",
        "该配置段在 DRBD 8.4 中已被取代；其固定速率会拖慢重新同步或挤占数据库的 I/O。";
    DRBD_UNFENCED: Warning, "drbd-unfenced",
        "A node that was isolated may be promoted later with its old data: the newer commits are lost.",
        "曾经失联的节点之后可能带着旧数据被提升：较新的提交会丢失。";
    DRBD_NEVER_UNFENCES: Error, "drbd-never-unfences",
        "Nothing removes DRBD's fencing constraint when the peer is up to date again: after one failover the next one fails.",
        "对端重新同步后没有任何处理程序移除 DRBD 的隔离约束：一次切换之后，下一次切换会失败。";
    DRBD_CONSTRAINT_LEFT: Error, "drbd-constraint-left",
        "DRBD's fencing constraint is no longer needed: both sides are up to date, and the other one still may not be promoted.",
        "DRBD 的隔离约束已不再需要：两侧数据均为最新，另一侧却仍不允许提升。";
    DRBD_DISK_UNSTABLE: Warning, "drbd-disk-unstable",
        "The kernel may give this name to another disk at the next boot: DRBD fails to start, or takes the wrong disk.",
        "下次开机时内核可能把这个名字给别的磁盘：DRBD 启动失败，或使用错误的磁盘。";
    DRBD_PROTOCOL: Error, "drbd-protocol",
        "A commit is acknowledged before the peer has it on disk: a failover loses the latest ones.",
        "提交在对端落盘之前就被确认：切换会丢失最近的提交。";
    DRBD_TWO_PRIMARIES: Error, "drbd-two-primaries",
        "Both nodes may mount the same file system at once, which destroys it.",
        "两个节点可能同时挂载同一文件系统，从而毁坏数据。";
    DRBD_UNVERIFIED: Advice, "drbd-unverified",
        "Nothing ever compares the two copies: silent differences show after the failover.",
        "从不比对两份数据：隐藏的差异会在切换后才暴露。";
    DRBD_KEEPS_BAD_DISK: Warning, "drbd-keeps-bad-disk",
        "On a disk error the file system gets the error although the peer has good data.",
        "磁盘出错时，尽管对端有完好数据，文件系统仍会收到错误。";
    DRBD_OTHER_HOST: Error, "drbd-other-host",
        "DRBD finds this node by 'uname -n': the resource does not come up here.",
        "DRBD 按“uname -n”识别节点：资源无法在此启动。";
    DRBD_NODES_DIFFER: Warning, "drbd-nodes-differ",
        "The nodes have different DRBD configurations: one of them does not behave as expected.",
        "两个节点的 DRBD 配置不同：其中一个的行为会出乎意料。";
    DRBD_VERSIONS_DIFFER: Warning, "drbd-versions-differ",
        "The nodes have DRBD modules of different series: after a failover the link may not come up, or features are missing.",
        "两个节点的 DRBD 内核模块属于不同系列：切换后可能无法连接，或缺少功能。";
    DRBD_NEXT_KERNEL: Warning, "drbd-next-kernel",
        "A newer kernel is installed that has no DRBD module, or one of another series: after the next reboot this node cannot take over.",
        "已安装的较新内核没有 DRBD 模块，或其模块属于不同系列：下次重启后本节点无法接管。";
    // The database.
    KWDB_RELEASES_DIFFER: Warning, "kwdb-releases-differ",
        "The nodes have different releases of KWDB: a store that the newer one has opened can no longer be opened by the older one. Upgrade both.",
        "两个节点的 KWDB 版本不同：被新版本打开过的数据目录，旧版本无法再打开。请升级两个节点。";
    WAL_OFF: Error, "wal-off",
        "Without the log every crash of the server loses the time-series rows since the last checkpoint.",
        "没有日志时，服务端每次崩溃都会丢失上次检查点以来的时序数据。";
    WAL_UNSYNCED: Warning, "wal-unsynced",
        "When the node crashes, acknowledged time-series rows that were not flushed yet are lost on the other node.",
        "节点故障时，尚未刷盘的已确认时序数据会在另一节点上丢失。";
    FILES_UNSYNCED: Warning, "files-unsynced",
        "After a node crash the time-series files may be incomplete: the server starts and crashes at the first query.",
        "节点故障后时序文件可能不完整：服务端能启动，但在第一次查询时崩溃。";
    LOSS_BOUNDED: Warning, "loss-bounded",
        "When a node crashes, acknowledged time-series rows can be lost: a flush every sync_interval alone does not bound the loss (in 10 of 264 crash images of a real server 4 to 32 s of rows were lost, or the store could no longer be queried). With ts.wal.wal_level = 1 and ts.force_sync_file.enabled = true in addition, none of 139 images lost a row; each insert then waits for the disk (to go back: kaiwudb-ha durable --back).",
        "节点故障时，已确认的时序数据可能丢失：仅靠每个 sync_interval 刷盘一次并不能保证丢失的上限（真实服务端的 264 个崩溃映像中有 10 个丢失了 4 至 32 秒的数据，或数据目录无法再查询）。再加上 ts.wal.wal_level = 1 和 ts.force_sync_file.enabled = true 后，139 个映像均未丢失数据；此后每次写入都要等待落盘（恢复原状：kaiwudb-ha durable --back）。";
    STORE_BELOW_MOUNT: Error, "store-below-mount",
        "A database is on the system disk below the mount point: without the mount it would be served in place of the real one.",
        "系统盘的挂载点下有一个数据库：未挂载时它会被当作真正的数据库提供服务。";
    MOUNT_POINT_OPEN: Warning, "mount-point-open",
        "A server that is started by hand on this node creates an empty database below the mount point; what clients write there is lost.",
        "在本节点手工启动的服务端会在挂载点之下新建一个空数据库；连接到它的客户端写入的数据会丢失。";
    STORE_READ_ONLY: Error, "store-read-only",
        "The file system has become read-only after an error: the server crashes at its next write.",
        "文件系统出错后变为只读：服务端会在下次写入时崩溃。";
    ROOM_LOW: Warning, "room-low",
        "A full disk looks healthy for a minute, then the server crashes; the peer's copy is equally full.",
        "磁盘写满后约一分钟看似正常，随后服务端崩溃；对端的副本同样是满的。";
    TWO_SERVERS: Error, "two-servers",
        "Two servers of one database run at once.",
        "同一数据库的两个服务端同时在运行。";
    SERVER_OUTSIDE: Error, "server-outside",
        "A server runs that the cluster does not know: it will not be stopped before the other node starts its own.",
        "有集群不知道的服务端在运行：另一节点启动之前它不会被停止。";
    ADVERTISES_VIRTUAL_IP: Error, "advertises-virtual-ip",
        "The server advertises the virtual IP, which no longer belongs to this node after a failover.",
        "服务端对外通告了虚拟 IP，切换后该地址不再属于本节点。";
    NOT_INSTALLED: Error, "not-installed",
        "KWDB is not installed here: a failover to this node fails.",
        "此处没有安装 KWDB：切换到该节点会失败。";
    INSTALLATIONS_DIFFER: Error, "installations-differ",
        "The two installations differ: after a failover the server runs differently or not at all.",
        "两个节点的安装不同：切换后服务端的运行方式不同或无法运行。";
    // Certificates.
    NAMES_MISSING: Error, "names-missing",
        "Clients that verify the server refuse it under these names, after a failover or through the virtual IP.",
        "校验服务端证书的客户端会拒绝这些名称：切换之后，或通过虚拟 IP 连接时。";
    KEYS_OPEN: Error, "keys-open",
        "The server refuses a key that others may read: it does not start.",
        "服务端拒绝他人可读的私钥：无法启动。";
    KEYS_FOREIGN: Error, "keys-foreign",
        "The server cannot read its key: it does not start.",
        "服务端无法读取自己的私钥：无法启动。";
    AUTHORITY_KEY_LEFT: Warning, "authority-key-left",
        "Anyone who gets this CA private key can issue certificates for any user; the server never reads it.",
        "获得该 CA 私钥者可以为任何用户签发证书；服务端从不读取它。";
    KEY_ARCHIVE_LEFT: Warning, "key-archive-left",
        "An archive with all private keys is in the directory, and leaks with every copy of it.",
        "目录中有包含全部私钥的归档，每次复制该目录时会一并泄露。";
    SETS_DIFFER: Error, "sets-differ",
        "After a failover clients see other certificates, or a CA that they do not know.",
        "切换后客户端会遇到不同的证书，或不认识的 CA。";
    SET_BROKEN: Error, "set-broken",
        "The server may not start with this set of certificates, or clients refuse it.",
        "服务端可能无法使用这套证书启动，或被客户端拒绝。";
    EXPIRES_SOON: Warning, "expires-soon",
        "When it has expired, clients refuse the server, on both nodes at once.",
        "到期后客户端会拒绝服务端，两个节点同时发生。";
    STORE_KEY_MISSING: Error, "store-key-missing",
        "The store is encrypted and its key is not here: this node cannot open it.",
        "数据目录已加密而密钥不在此处：该节点无法打开它。";
    CERTIFICATES_MISSING: Error, "certificates-missing",
        "The server needs certificates and this node has none: it does not start here.",
        "服务端需要证书而该节点没有：无法在此启动。";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_both_languages() {
        let ids: BTreeSet<&str> = ALL.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for rule in ALL {
            assert!(
                rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                rule.id
            );
            let text = rule.consequence;
            assert!(
                text.english.is_ascii() && text.english.ends_with('.'),
                "{}",
                rule.id
            );
            assert!(text.chinese.ends_with('。'), "{}", rule.id);
        }
    }

    #[test]
    fn the_manual_lists_every_rule() {
        for (name, manual) in [
            ("kaiwudb-ha.md", include_str!("../../../../../docs/kaiwudb-ha.md")),
            (
                "kaiwudb-ha.zh-CN.md",
                include_str!("../../../../../docs/kaiwudb-ha.zh-CN.md"),
            ),
        ] {
            for rule in ALL {
                assert!(
                    manual.contains(&format!("`{}`", rule.id)),
                    "{name} lacks {}",
                    rule.id
                );
            }
        }
    }
}
