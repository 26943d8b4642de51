//! What can happen to a node, and how a site is given back what a person or a cable has taken.

use anyhow::{Context, Result};
use fastrand::Rng;
use host::Deadline;
use lab::cib::DATA_ROOT;
use lab::event::{self, standby};
use lab::{Lab, Network, Node};
use nix::sys::signal::Signal;
use std::fmt;
use std::time::Duration;

/// A command in a node.
const COMMAND: Duration = Duration::from_secs(30);

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ServerKilled,
    ServerStopped,
    ServerHangs,
    /// The agent's own processes that watch.
    SentinelKilled,
    WatcherKilled,
    /// A daemon of Pacemaker or Corosync.
    Daemon(&'static str),
    PowerOff,
    Frozen,
    Cut(Network),
    Lossy(Network),
    Standby,
    Maintenance,
    DiskFull,
    ReadOnly,
    /// A shell with its working directory in the mount, while the database has to leave.
    ShellInTheMount,
    AddressRemoved,
    ParameterChanged,
    RunFull,
    Reinstalled,
}

use Kind::{
    AddressRemoved, Cut, Daemon, DiskFull, Frozen, Lossy, Maintenance, ParameterChanged, PowerOff, ReadOnly,
    Reinstalled, RunFull, SentinelKilled, ServerHangs, ServerKilled, ServerStopped, ShellInTheMount, Standby,
    WatcherKilled,
};

const KINDS: [Kind; 27] = [
    ServerKilled,
    ServerStopped,
    ServerHangs,
    SentinelKilled,
    WatcherKilled,
    Daemon("pacemaker-execd"),
    Daemon("pacemaker-controld"),
    Daemon("pacemaker-attrd"),
    Daemon("pacemaker-based"),
    Daemon("pacemaker-fenced"),
    Daemon("pacemaker-schedulerd"),
    Daemon("pacemakerd"),
    Daemon("corosync"),
    PowerOff,
    Frozen,
    Cut(Network::Cluster),
    Cut(Network::Management),
    Lossy(Network::Cluster),
    Standby,
    Maintenance,
    DiskFull,
    ReadOnly,
    ShellInTheMount,
    AddressRemoved,
    ParameterChanged,
    RunFull,
    Reinstalled,
];

/// One fault, with all that chance decides of it.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// Whether it meets the node with the database.
    pub(crate) on_active: bool,
    /// How long it lasts, where something lasts.
    pub(crate) holds: Duration,
}

impl Fault {
    /// Any of them. What concerns the server can only meet the node where it is.
    pub(crate) fn drawn(rng: &mut Rng) -> Self {
        let kind = KINDS[rng.usize(..KINDS.len())];
        let anywhere = matches!(
            kind,
            Daemon(_) | PowerOff | Frozen | Cut(_) | Lossy(_) | Standby | RunFull | Reinstalled
        );
        Self {
            kind,
            on_active: !anywhere || rng.u8(..3) < 2,
            holds: Duration::from_millis(rng.u64(500..20_000)),
        }
    }

    /// The kinds of causes by which `why` may call it; none where it need not be an incident, or does not last long enough.
    pub(crate) const fn causes(&self) -> &'static [&'static str] {
        match self.kind {
            ServerKilled if self.on_active => &["server-killed"],
            ServerStopped => &["server-stopped"],
            ServerHangs => &["server-hung"],
            AddressRemoved => &["address-removed"],
            PowerOff | Frozen => &["node-lost", "node-vanished"],
            Daemon(_) if self.on_active => &["cluster-software-died"],
            Standby if self.on_active => &["standby"],
            _ => &[],
        }
    }

    /// Lets it happen to `node`.
    pub(crate) fn inject(&self, lab: &Lab, node: &Node) -> Result<()> {
        match self.kind {
            ServerKilled => event::signal(event::server(node)?, Signal::SIGKILL),
            ServerStopped => event::signal(event::server(node)?, Signal::SIGTERM),
            ServerHangs => event::signal(event::server(node)?, Signal::SIGSTOP),
            SentinelKilled => shell(node, "pkill -KILL -f '^kaiwudb-sentinel'"),
            WatcherKilled => shell(node, "pkill -KILL -f '^virtual-ip watcher'"),
            Daemon(name) => shell(node, &format!("pkill -KILL -x {}", &name[..name.len().min(15)])),
            PowerOff => node.power_off(),
            Frozen => node.freeze(true),
            Cut(network) => lab.link(node, network).cut(),
            Lossy(network) => lab.link(node, network).lossy(40),
            Standby => standby(node, true),
            Maintenance => maintenance(node, true),
            DiskFull => shell(
                node,
                &format!(
                    "free=$(df --output=avail --block-size=1K {DATA_ROOT} | tail -1); fallocate --length $((free - 64))K {DATA_ROOT}/filler"
                ),
            ),
            ReadOnly => shell(node, &format!("mount -o remount,ro,abort {DATA_ROOT} || mount -o remount,ro {DATA_ROOT} || true")),
            ShellInTheMount => {
                shell(node, &format!("cd {DATA_ROOT} && setsid sleep 3600 >/dev/null 2>&1 </dev/null &"))?;
                standby(node, true)
            }
            AddressRemoved => shell(node, &format!(
                    "ip -o address show to {} | while read -r _ device _ address _; do ip address delete $address dev $device; done",
                    lab::VIRTUAL_IP
                )),
            ParameterChanged => shell(
                node,
                &format!(
                    "crm_resource --resource KaiwuDB --set-parameter stall_timeout --parameter-value {}s",
                    60 + self.holds.as_secs()
                ),
            ),
            RunFull => shell(node, "fallocate --length $(($(df --output=avail --block-size=1K /run | tail -1) - 8))K /run/filler"),
            Reinstalled => shell(node, "dpkg --install /var/tmp/lab.deb >/dev/null"),
        }
        .with_context(|| self.to_string())
    }

    /// Gives back what was taken, as an operator would. What the cluster can mend is left to the cluster.
    pub(crate) fn give_back(&self, lab: &Lab, node: &Node) -> Result<()> {
        match self.kind {
            Cut(network) | Lossy(network) => lab.link(node, network).heal(),
            Frozen => node.freeze(false),
            Standby | ShellInTheMount => on_any(lab, |member| standby_of(member, node)),
            Maintenance => on_any(lab, |member| maintenance(member, false)),
            DiskFull => on_any(lab, |member| {
                shell(
                    member,
                    &format!("mountpoint -q {DATA_ROOT} && rm -f {DATA_ROOT}/filler"),
                )
            }),
            RunFull if node.is_on() => shell(node, "rm -f /run/filler"),
            _ => Ok(()),
        }
        .with_context(|| format!("after: {self}"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerKilled => f.pad("server killed (SIGKILL)"),
            ServerStopped => f.pad("server stopped by hand (SIGTERM)"),
            ServerHangs => f.pad("server hangs (SIGSTOP)"),
            SentinelKilled => f.pad("sentinel killed"),
            WatcherKilled => f.pad("watcher of the virtual IP killed"),
            Daemon(name) => write!(f, "{name} killed"),
            PowerOff => f.pad("power off"),
            Frozen => f.pad("node frozen"),
            Cut(network) => write!(f, "{network} link cut"),
            Lossy(network) => write!(f, "{network} link loses 40 %"),
            Standby => f.pad("standby"),
            Maintenance => f.pad("maintenance mode"),
            DiskFull => f.pad("disk full"),
            ReadOnly => f.pad("file system read-only"),
            ShellInTheMount => f.pad("standby with a shell in the mount"),
            AddressRemoved => f.pad("virtual IP removed by hand"),
            ParameterChanged => f.pad("parameter changed"),
            RunFull => f.pad("/run full"),
            Reinstalled => f.pad("package installed again"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let where_ = if self.on_active { "active" } else { "passive" };
        write!(f, "{} ({where_} node)", self.kind)
    }
}

fn shell(node: &Node, script: &str) -> Result<()> {
    node.exec_ok(["bash", "-c", script], Deadline::after(COMMAND))
        .map(drop)
}

fn maintenance(node: &Node, on: bool) -> Result<()> {
    shell(
        node,
        &format!("crm_attribute --type crm_config --name maintenance-mode --update {on}"),
    )
}

fn standby_of(member: &Node, node: &Node) -> Result<()> {
    shell(
        member,
        &format!("crm_standby --node {} --update off", node.cluster_name()),
    )
}

/// Any node may be away at this moment.
fn on_any(lab: &Lab, order: impl Fn(&Node) -> Result<()>) -> Result<()> {
    let deadline = Deadline::after(Duration::from_secs(120));
    loop {
        let done = lab.nodes().iter().filter(|node| node.is_on()).map(&order);
        match done.reduce(Result::or) {
            Some(Ok(())) => return Ok(()),
            given if deadline.is_over() => return given.unwrap_or(Ok(())),
            _ => {
                deadline.pause(Duration::from_secs(1));
            }
        }
    }
}
