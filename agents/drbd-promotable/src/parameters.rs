//! The table of the agent. Names and defaults are those of `ocf:linbit:drbd`, so that a configuration can be taken over as it is
//! and tools that look for `drbd_resource` in the CIB find it.

use drbd::kernel::Version;
use drbd::policy::Scores;
use ocf::{
    AbsolutePath, Action, ActionSpec, Bounds, CheckLevel, ContentType, MetaData, Parameter, Role, Text, Value,
};

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// Name of a DRBD resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceName(pub(crate) String);

impl Value for ResourceName {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-%+./:=@_".contains(c);
        // "all" is drbdadm's word for every resource; a dash would begin an option.
        if raw == "all" || raw.starts_with('-') || !raw.chars().all(is_allowed) {
            return Err(
                "not a resource name; allowed: letters, digits and % + . / : = @ _ -, not beginning with -, not \"all\"".into(),
            );
        }
        Ok(Self(raw.to_owned()))
    }
}

/// When a Primary peer removes our promotion score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RemoveScore {
    Never,
    Always,
    Unexpected,
}

impl Value for RemoveScore {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String> {
        match (raw, bool::parse(raw, bounds)) {
            ("unexpected", _) => Ok(Self::Unexpected),
            (_, Ok(true)) => Ok(Self::Always),
            (_, Ok(false)) => Ok(Self::Never),
            _ => Err("unknown; allowed: true, false, unexpected".into()),
        }
    }
}

pub(crate) static DRBD_RESOURCE: Parameter<ResourceName> = Parameter::new(
    "drbd_resource",
    text("DRBD resource", "DRBD 资源名"),
    text(
        "Name of the DRBD resource, as in the DRBD configuration. All its volumes are managed together.",
        "DRBD 资源名，与 DRBD 配置文件中一致。该资源的所有卷作为一个整体管理。",
    ),
)
.required()
.unique_group("drbd_resource");

pub(crate) static DRBDCONF: Parameter<AbsolutePath> = Parameter::new(
    "drbdconf",
    text("DRBD configuration file", "DRBD 配置文件"),
    text(
        "Full path of the DRBD configuration.",
        "DRBD 配置文件的完整路径。",
    ),
)
.default("/etc/drbd.conf");

pub(crate) static ADJUST_MASTER_SCORE: Parameter<Scores> = Parameter::new(
    "adjust_master_score",
    text("Promotion scores", "提升分数"),
    text(
        "Four numbers, none smaller than the one before: the promotion score when the local data is only Consistent (0: do not \
         promote), when only a peer is UpToDate, when the local disk is UpToDate but the peer's state is unknown, and when it \
         is UpToDate and this node is Primary or the peer's state is known.",
        "四个不递减的数字，依次为以下情形的提升分数：本地数据仅为 Consistent（0 表示不提升）；仅对端为 UpToDate；本地磁盘为 UpToDate 但对端状态未知；\
         本地磁盘为 UpToDate 且本节点为 Primary 或对端状态已知。",
    ),
)
.default("0 10 1000 10000")
.reloadable();

pub(crate) static STOP_OUTDATES_SECONDARY: Parameter<bool> = Parameter::new(
    "stop_outdates_secondary",
    text("Outdate a Secondary when it stops", "停止时将本地数据标记为 Outdated"),
    text(
        "Mark the local data as Outdated after a stop, or when the link is down, while Pacemaker has a promoted instance on another \
         node. DRBD's own fencing is preferable; leave this off unless you have a reason.",
        "停止后（或链路断开时），若 Pacemaker 在其他节点上有已提升的实例，则把本地数据标记为 Outdated。DRBD 自身的隔离（fencing）更合适；如无明确理由请保持关闭。",
    ),
)
.default("false")
.reloadable();

pub(crate) static IGNORE_MISSING_NOTIFICATIONS: Parameter<bool> = Parameter::new(
    "ignore_missing_notifications",
    text("No effect; kept for compatibility", "无作用，仅为兼容保留"),
    text(
        "This agent works with and without notify=true. The parameter is accepted so that a configuration of ocf:linbit:drbd can \
         be used unchanged.",
        "本代理无论是否设置 notify=true 均可工作。保留该参数仅为直接沿用 ocf:linbit:drbd 的配置。",
    ),
)
.default("false")
.reloadable();

pub(crate) static WFC_TIMEOUT: Parameter<u64> = Parameter::new(
    "wfc_timeout",
    text("Seconds to wait for the peer at start", "启动时等待对端的秒数"),
    text(
        "How many seconds a start waits for the connections to come up; 0: not at all. A start succeeds without them.",
        "启动时等待连接建立的秒数；0 表示不等待。未建立连接时启动仍然成功。",
    ),
)
.default("5")
.bounds(0, 3600)
.reloadable();

pub(crate) static REMOVE_MASTER_SCORE_IF_PEER_PRIMARY: Parameter<RemoveScore> = Parameter::new(
    "remove_master_score_if_peer_primary",
    text("Remove the score while the peer is Primary", "对端为 Primary 时移除分数"),
    text(
        "true: this node has no promotion score while it is connected to a healthy Primary. unexpected: only while Pacemaker does \
         not know of that Primary, which means that the cluster is split but the replication link is not. A Primary that \
         has just crashed may look alive until DRBD notices, so either can delay a failover by DRBD's own timeouts.",
        "true：连接到健康的 Primary 对端时，本节点没有提升分数。unexpected：仅当 Pacemaker 不知道该 Primary 时移除，即集群已分裂而复制链路正常。\
         刚刚失效的 Primary 在 DRBD 察觉之前看起来仍然存活，因此两者都可能使故障切换推迟到 DRBD 超时之后。",
    ),
)
.default("false")
.reloadable();

pub(crate) static FAIL_PROMOTE_EARLY: Parameter<bool> = Parameter::new(
    "fail_promote_early_if_peer_primary",
    text("One try while the peer is Primary", "对端为 Primary 时只尝试一次"),
    text(
        "Give up a promotion after the first try while the peer is still Primary. Otherwise it is tried for 10 seconds, which is enough \
         for DRBD to notice that a Primary has crashed.",
        "对端仍为 Primary 时，提升只尝试一次即放弃。否则持续尝试 10 秒，足以让 DRBD 发现 Primary 已失效。",
    ),
)
.default("false")
.reloadable();

pub(crate) static UNFENCE_IF_ALL_UPTODATE: Parameter<bool> = Parameter::new(
    "unfence_if_all_uptodate",
    text("Remove fencing when all is UpToDate", "全部 UpToDate 时解除隔离"),
    text(
        "At every monitor of a Primary whose disks and peers are all UpToDate, call DRBD's unfence-peer handler, in case a fencing \
         constraint was left behind.",
        "当 Primary 的所有磁盘及对端均为 UpToDate 时，每次 monitor 都调用 DRBD 的 unfence-peer 处理程序，以清除可能遗留的隔离约束。",
    ),
)
.default("false")
.reloadable();

pub(crate) static UNFENCE_EXTRA_ARGS: Parameter<String> = Parameter::new(
    "unfence_extra_args",
    text(
        "Arguments for the unfence-peer handler",
        "unfence-peer 处理程序的参数",
    ),
    text(
        "Passed to the unfence-peer handler in its environment as OCF_RESKEY_unfence_extra_args.",
        "通过环境变量 OCF_RESKEY_unfence_extra_args 传给 unfence-peer 处理程序。",
    ),
)
.default("--quiet --flock-required --flock-timeout 0 --unfence-only-if-owner-match")
.reloadable();

pub(crate) static VERSION_GE: Parameter<Version> = Parameter::new(
    "require_drbd_module_version_ge",
    text("Minimum module version", "DRBD 内核模块最低版本"),
    text(
        "A start fails with an older kernel module. Three numbers, as in 9.0.16.",
        "内核模块低于该版本时启动失败。格式为三个数字，如 9.0.16。",
    ),
)
.default("8.0.0");

pub(crate) static VERSION_LT: Parameter<Version> = Parameter::new(
    "require_drbd_module_version_lt",
    text("Maximum module version (exclusive)", "内核模块版本上限（不含）"),
    text(
        "A start fails with this version of the kernel module or a newer one. Three numbers, as in 9.0.0.",
        "内核模块达到或高于该版本时启动失败。格式为三个数字，如 9.0.0。",
    ),
)
.default("10.0.0");

pub(crate) static CONNECT_ONLY_AFTER_PROMOTE: Parameter<bool> = Parameter::new(
    "connect_only_after_promote",
    text("Connect only once promoted", "提升后才建立连接"),
    text(
        "Keep the resource disconnected until it is promoted. For stacked resources without proper fencing below; a new data \
         generation begins at every promotion.",
        "提升之前保持断开。用于下层没有可靠隔离的堆叠资源；每次提升都会产生新的数据世代。",
    ),
)
.default("false");

pub(crate) static ALLOW_TWO_PRIMARIES: Parameter<bool> = Parameter::new(
    "allow_two_primaries",
    text("Permit promoted-max=2", "允许 promoted-max=2"),
    text(
        "Two Primaries write to one disk at the same time and destroy every file system that is not made for it. So promoted-max=2 is \
         refused unless this is true and the DRBD configuration has allow-two-primaries. Never for KaiwuDB.",
        "两个 Primary 会同时写同一块盘，破坏任何非集群文件系统。因此仅当该参数为 true 且 DRBD 配置了 allow-two-primaries 时才接受 promoted-max=2。\
         KaiwuDB 不得使用。",
    ),
)
.default("false");

pub(crate) static FAIL_OVER_ON_DISK_LOSS: Parameter<bool> = Parameter::new(
    "fail_over_on_disk_loss",
    text("Fail over when a Primary loses its disk", "Primary 丢失磁盘时切换"),
    text(
        "A Primary that has lost its local disk continues with the peer's, over the network and without any redundancy. With true it is \
         reported as failed at once if a peer has all data, so that the peer takes over; with false it is only shown as degraded. \
         Put the resource into maintenance mode before detaching a disk by hand.",
        "Primary 丢失本地磁盘后会通过网络使用对端磁盘继续运行，已无任何冗余。true：若对端拥有全部数据，立即报告故障并由对端接管；false：仅显示为降级。\
         手工分离磁盘（detach）前请先将资源置于维护模式。",
    ),
)
.default("true")
.reloadable();

pub(crate) static METADATA: MetaData = MetaData {
    name: "drbd-promotable",
    version: env!("CARGO_PKG_VERSION"),
    short: text("DRBD resource as a promotable clone", "DRBD 资源（可提升克隆）"),
    long: text(
        "Manages a DRBD 8.4 or 9 resource as a promotable clone, as a drop-in for ocf:linbit:drbd with the same parameters. A watcher \
         follows DRBD's events: promotion scores are written as the state changes, a lost disk on a Primary and an unexpected \
         demotion are reported at once. Link down, resync, differing blocks and split brain are shown \
         as degraded with the reason. A failed stop or demote names what holds the device. notify=true is not needed. Both DRBD \
         (fencing resource-and-stonith with handlers, or quorum) and the cluster must be fenced: no agent can replace that.",
        "以可提升克隆的方式管理 DRBD 8.4 或 9 资源，可直接替换 ocf:linbit:drbd，参数相同。监视进程跟踪 DRBD 事件：状态变化时立即更新提升分数；\
         Primary 丢失磁盘或意外降级时立即上报。需要关注的情况（链路断开、重新同步、数据不一致、脑裂）显示为带原因的降级状态。停止或降级失败时会指出占用设备的进程或挂载。\
         不需要 notify=true。DRBD（fencing resource-and-stonith 及处理程序，或仲裁）和集群都必须配置隔离，任何代理都无法替代。",
    ),
    parameters: &[
        &DRBD_RESOURCE,
        &DRBDCONF,
        &ADJUST_MASTER_SCORE,
        &STOP_OUTDATES_SECONDARY,
        &IGNORE_MISSING_NOTIFICATIONS,
        &WFC_TIMEOUT,
        &REMOVE_MASTER_SCORE_IF_PEER_PRIMARY,
        &FAIL_PROMOTE_EARLY,
        &UNFENCE_IF_ALL_UPTODATE,
        &UNFENCE_EXTRA_ARGS,
        &VERSION_GE,
        &VERSION_LT,
        &CONNECT_ONLY_AFTER_PROMOTE,
        &ALLOW_TWO_PRIMARIES,
        &FAIL_OVER_ON_DISK_LOSS,
    ],
    actions: &[
        ActionSpec::new(Action::Start, 240),
        ActionSpec::new(Action::Stop, 100),
        ActionSpec::monitor(20, 20, CheckLevel::Basic).role(Role::Unpromoted),
        ActionSpec::monitor(20, 10, CheckLevel::Basic).role(Role::Promoted),
        ActionSpec::new(Action::Promote, 90),
        ActionSpec::new(Action::Demote, 90),
        ActionSpec::new(Action::Notify, 90),
        ActionSpec::new(Action::Reload, 30),
        ActionSpec::new(Action::ReloadAgent, 30),
        ActionSpec::new(Action::MetaData, 5),
        ActionSpec::new(Action::ValidateAll, 20),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        assert_eq!(METADATA.defects(), Vec::<String>::new());
    }

    #[test]
    fn names_and_defaults_are_those_of_the_shell_agent() {
        for (name, default) in [
            ("drbd_resource", None),
            ("drbdconf", Some("/etc/drbd.conf")),
            ("adjust_master_score", Some("0 10 1000 10000")),
            ("stop_outdates_secondary", Some("false")),
            ("ignore_missing_notifications", Some("false")),
            ("wfc_timeout", Some("5")),
            ("remove_master_score_if_peer_primary", Some("false")),
            ("fail_promote_early_if_peer_primary", Some("false")),
            ("unfence_if_all_uptodate", Some("false")),
            (
                "unfence_extra_args",
                Some("--quiet --flock-required --flock-timeout 0 --unfence-only-if-owner-match"),
            ),
            ("require_drbd_module_version_ge", Some("8.0.0")),
            ("require_drbd_module_version_lt", Some("10.0.0")),
            ("connect_only_after_promote", Some("false")),
        ] {
            let parameter = METADATA.parameters.iter().find(|p| p.name() == name);
            assert_eq!(parameter.map(|p| p.default_value()), Some(default), "{name}");
        }
    }

    #[test]
    fn values() {
        for wrong in ["-x", "all", "a b", "r0;reboot", "r\u{e9}"] {
            assert!(ResourceName::parse(wrong, Bounds::NONE).is_err(), "{wrong}");
        }
        assert!(ResourceName::parse("lv-1_a.b%c", Bounds::NONE).is_ok());
        assert_eq!(RemoveScore::parse("yes", Bounds::NONE), Ok(RemoveScore::Always));
        assert_eq!(
            RemoveScore::parse("unexpected", Bounds::NONE),
            Ok(RemoveScore::Unexpected)
        );
        assert!(RemoveScore::parse("maybe", Bounds::NONE).is_err());
    }
}
