//! What a record means: a table of the words of Pacemaker, Corosync, the kernel, DRBD, systemd and our agents, Pacemaker 2.0 to 3.0. A record that
//! is not in it means nothing here.
//!
//! A pattern is anchored at the beginning: sentences of agents quote what the server has written, and the server must not be able to say
//! what happened to the cluster.

use super::record::Record;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    // The machine.
    /// The kernel has booted.
    Booted,
    /// The operating system shuts down or reboots.
    ShutDown,
    /// The kernel has ended a process for lack of memory; `subject` is its name.
    OutOfMemory,
    /// The kernel has stopped for good.
    Panic,
    /// The node stood still, as long as `detail` says.
    Paused,
    /// A disk has reported an error.
    DiskError,
    /// A file system has become read-only.
    ReadOnly,
    /// A network interface has lost its carrier.
    LinkDown,
    /// The server has crashed, as the kernel says.
    Crashed,
    // The cluster's members.
    /// No token has come from the other node in time.
    TokenLost,
    /// A node is no longer a member.
    NodeLost,
    /// A node is a member.
    NodeJoined,
    /// This partition has lost quorum.
    QuorumLost,
    /// A program of the cluster has ended unexpectedly.
    DaemonDied,
    /// Pacemaker or Corosync is stopped on purpose.
    ClusterStops,
    /// The node is to be fenced, and why.
    FencingDecided,
    /// It was asked for.
    FencingAsked,
    /// The same by another program than the cluster; `detail` is its name.
    FencingByHand,
    /// The node was fenced.
    Fenced,
    /// It could not be fenced.
    FencingFailed,
    // What people and programs have asked for.
    /// A node was put in standby.
    Standby,
    /// A node is out of standby again.
    StandbyOver,
    /// The cluster or a resource is in maintenance.
    Maintenance,
    /// It no longer is.
    MaintenanceOver,
    /// A resource was disabled: `target-role` is `Stopped`.
    Disabled,
    /// A resource was moved by hand: a constraint of `crm_resource --move` or `--ban`.
    Moved,
    /// The configuration was changed with a tool; `detail` is the tool.
    Configured,
    /// A parameter of a resource was set; `detail` is its name.
    Changed,
    /// A drill is run.
    Drill,
    // DRBD.
    /// It has lost its connection to the peer.
    ReplicationLost,
    /// It has lost its disk.
    DiskLost,
    /// Both sides have changed their data.
    SplitBrain,
    /// Its role has changed.
    RoleChanged,
    // Resources.
    /// The server has ended, and nobody in the cluster had asked for it.
    ServerEnded,
    /// The server runs and does not serve.
    ServerHung,
    /// A flush to the disk does not return.
    DiskStalled,
    /// A virtual IP was removed outside the cluster.
    AddressRemoved,
    /// Its interface is down or without a carrier.
    AddressLinkDown,
    /// Another agent's failure, in its own words.
    Reported,
    /// An operation has failed; `detail` is the operation and its result.
    OperationFailed,
    /// An operation has begun; `detail` is its name.
    Begun,
    /// An operation has succeeded; `detail` is its name.
    Done,
    /// A failure is counted; `detail` is how many there are now.
    Counted,
    /// The server answers SQL; `detail` is how many seconds its start took.
    Serves,
    /// An agent says that somebody should look.
    Concern,
    /// The agent sent SIGKILL to a server that had not ended in time.
    StopKilled,
    /// The cluster has nothing left to do.
    Idle,
}

/// What a record means, and where it was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since 1970, by the clock of the node that was asked.
    pub at: i64,
    /// Where it happened.
    pub node: String,
    /// What.
    pub what: What,
    /// To what: a resource, a node, a device; empty where the node says it.
    pub subject: String,
    /// Further words.
    pub detail: String,
    /// The records that say so.
    pub evidence: Vec<Evidence>,
}

/// A record and the node that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The node.
    pub node: String,
    /// The record, with its own time.
    #[serde(flatten)]
    pub record: Record,
}

struct Pattern {
    /// The writer's name; `kaiwudb(` is the name of an agent.
    who: &'static str,
    words: &'static str,
    what: What,
    subject: &'static str,
    /// Empty: the node that wrote it.
    node: &'static str,
    detail: &'static str,
}

const fn pattern(
    who: &'static str,
    words: &'static str,
    what: What,
    [subject, node, detail]: [&'static str; 3],
) -> Pattern {
    Pattern {
        who,
        words,
        what,
        subject,
        node,
        detail,
    }
}

/// The first that matches counts. `R` stands for the agent's resource.
#[rustfmt::skip] // a table
static TABLE: &[Pattern] = &[
    pattern("kernel", r"^Linux version ", What::Booted, ["", "", ""]),
    pattern("systemd-journald", r"^Journal started", What::Booted, ["", "", ""]),
    pattern("systemd-logind", r"^(?:System is|The system will) (rebooting|powering down|halting|reboot|power off)", What::ShutDown, ["", "", "$1"]),
    pattern("systemd", r"^Reached target (?:\S+\.target - )?(?:System )?(Shutdown|Reboot|Power.?Off|Halt)", What::ShutDown, ["", "", "$1"]),
    pattern("kernel", r"^(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process \d+ \(([^)]*)\)", What::OutOfMemory, ["$1", "", ""]),
    pattern("kernel", r"^Kernel panic", What::Panic, ["", "", ""]),
    pattern("kernel", r"^watchdog: BUG: soft lockup - CPU#\d+ stuck for (\d+)s", What::Paused, ["", "", "$1"]),
    pattern("kernel", r"^INFO: task (\S+) blocked for more than (\d+) seconds", What::DiskStalled, ["$1", "", "$2"]),
    pattern("corosync", r"^Corosync main process was not scheduled .*for ([\d.]+) ms", What::Paused, ["", "", "$1"]),
    pattern("kernel", r"^(?:blk_update_request: )?(?:I/O|critical \S+|Buffer I/O) error,? (?:on )?dev(?:ice)? ([\w/.-]+)", What::DiskError, ["$1", "", ""]),
    pattern("kernel", r"^EXT4-fs \((\S+)\): Remounting filesystem read-only", What::ReadOnly, ["$1", "", ""]),
    pattern("kernel", r"^EXT4-fs \((\S+)\): re-mounted \S* ?ro\b", What::ReadOnly, ["$1", "", ""]),
    pattern("kernel", r"^XFS \((\S+)\): .*(?:[Ss]hutting down filesystem|has been shut down)", What::ReadOnly, ["$1", "", ""]),
    pattern("kernel", r"^(?:\S+ [0-9a-f:.]+ )?(\S+?): (?:NIC )?[Ll]ink is [Dd]own", What::LinkDown, ["$1", "", ""]),
    pattern("kernel", r"^(kwbase)\[\d+\]: segfault ", What::Crashed, ["$1", "", ""]),
    pattern("kernel", r"^traps: (kwbase)\[\d+\]", What::Crashed, ["$1", "", ""]),

    pattern("kernel", r"^drbd (\S+?)(?:/\d+)?(?: \S+)?: .*[Ss]plit-[Bb]rain detected", What::SplitBrain, ["$1", "", ""]),
    pattern("kernel", r"^(?:block )?drbd ?(\S+?)(?:/\d+)?(?: \S+)?: .*disk\( (\S+ -> (?:Failed|Diskless))\b", What::DiskLost, ["$1", "", "$2"]),
    pattern("kernel", r"^(?:block )?drbd ?(\S+?)(?:/\d+)?(?: \S+)?: .*conn\( (Connected -> (?:NetworkFailure|Timeout|BrokenPipe|Unconnected|TearDown|Disconnecting|StandAlone|ProtocolError))\b", What::ReplicationLost, ["$1", "", "$2"]),
    pattern("kernel", r"^(?:block )?drbd ?(\S+?)(?:/\d+)?: .*role\( (\S+ -> \S+) \)", What::RoleChanged, ["$1", "", "$2"]),

    pattern("corosync", r"^A processor failed, forming new configuration", What::TokenLost, ["", "", ""]),
    pattern("corosync", r"^This node is within the non-primary component", What::QuorumLost, ["", "", ""]),
    pattern("pacemaker-controld", r"^Node (\S+) state is now lost", What::NodeLost, ["$1", "$1", ""]),
    pattern("pacemaker-controld", r"^Node (\S+) state is now member", What::NodeJoined, ["$1", "$1", ""]),
    pattern("pacemakerd", r"^Caught 'Terminated' signal", What::ClusterStops, ["pacemaker", "", ""]),
    pattern("pacemakerd", r"^Shutting down Pacemaker", What::ClusterStops, ["pacemaker", "", ""]),
    pattern("pacemaker-attrd", r"^Setting shutdown\[(\S+)\]: .* -> [1-9]\d*$", What::ClusterStops, ["pacemaker", "$1", ""]),
    pattern("pacemaker-schedulerd", r"^\* Shutdown (\S+)$", What::ClusterStops, ["pacemaker", "$1", ""]),
    pattern("systemd", r"^Stopping (corosync|pacemaker)\.service", What::ClusterStops, ["$1", "", ""]),
    pattern("systemd", r"^Stopping (?:Pacemaker High|Corosync Cluster)", What::ClusterStops, ["pacemaker", "", ""]),
    pattern("systemd", r"^(corosync|pacemaker)\.service: Main process exited, code=(\w+), status=(\S+)", What::DaemonDied, ["$1", "", "$2 $3"]),
    pattern("pacemakerd", r"^(pacemaker-\w+)\[\d+\] (terminated with signal \d+|is unresponsive)", What::DaemonDied, ["$1", "", "$2"]),
    pattern("pacemakerd", r"^(?:Lost connection to (?:the )?(?:cluster layer|Corosync)|Connection to Corosync)", What::DaemonDied, ["corosync", "", ""]),
    pattern("pacemaker-controld", r"^Lost connection to (?:the )?(?:cluster layer|Corosync)", What::DaemonDied, ["corosync", "", ""]),

    pattern("pacemaker-schedulerd", r"^Cluster node (\S+) will be fenced: (.*)$", What::FencingDecided, ["$1", "$1", "$2"]),
    pattern("pacemaker-controld", r"^Requesting fencing \((\w+)\) (?:of node|targeting node) (\S+)", What::FencingAsked, ["$2", "$2", "$1"]),
    pattern("pacemaker-fenced", r"^Client pacemaker-controld\S* wants to fence \((\w+)\) (\S+) using", What::FencingAsked, ["$2", "$2", "$1"]),
    pattern("pacemaker-fenced", r"^Client (\S+) wants to fence \(\w+\) (\S+) using", What::FencingByHand, ["$2", "$2", "$1"]),
    pattern("pacemaker-fenced", r"^Operation '(\w+)' targeting (\S+) (?:by|on) (\S+) for \S+: OK", What::Fenced, ["$2", "$2", "$1 $3"]),
    pattern("pacemaker-controld", r"^Peer (\S+) was terminated \((\w+)\) by (\S+) on behalf of \S+: OK", What::Fenced, ["$1", "$1", "$2 $3"]),
    pattern("pacemaker-fenced", r"^Operation '\w+' targeting (\S+) (?:by|on) \S+ for \S+: (.+)$", What::FencingFailed, ["$1", "$1", "$2"]),
    pattern("pacemaker-controld", r"^Peer (\S+) was not terminated \(\w+\) .*: (.+)$", What::FencingFailed, ["$1", "$1", "$2"]),

    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*\bid="nodes-(\S+?)-standby".* value="(?i:on|true|yes|1|y)""#, What::Standby, ["#$1", "#$1", ""]),
    pattern("pacemaker-based", r"^\+ .*'nodes-(\S+?)-standby'\]:.*@value=(?i:on|true|yes|1|y)\b", What::Standby, ["#$1", "#$1", ""]),
    pattern("pacemaker-based", r"^(?:\+|--) .*'nodes-(\S+?)-standby'\]", What::StandbyOver, ["#$1", "#$1", ""]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*name="maintenance-mode" value="(?i:on|true|yes|1|y)""#, What::Maintenance, ["", "", ""]),
    pattern("pacemaker-based", r"^\+ .*-maintenance-mode'\]:.*@value=(?i:on|true|yes|1|y)\b", What::Maintenance, ["", "", ""]),
    pattern("pacemaker-based", r"^(?:\+|--) .*-maintenance-mode'\]", What::MaintenanceOver, ["", "", ""]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*\bid="(\S+?)-meta_attributes-target-role".* value="Stopped""#, What::Disabled, ["$1", "", ""]),
    pattern("pacemaker-based", r"^\+ .*'(\S+?)-meta_attributes-target-role'\]:.*@value=Stopped\b", What::Disabled, ["$1", "", ""]),
    pattern("pacemaker-based", r#"^\+\+ .*<rsc_location id="cli-(ban|prefer)-(\S+?)""#, What::Moved, ["$2", "", "$1"]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*\bid="(\S+?)-instance_attributes-(\S+?)" "#, What::Changed, ["$1", "", "$2"]),
    pattern("pacemaker-based", r"^\+ .*'(\S+?)-instance_attributes-(\S+?)'\]:", What::Changed, ["$1", "", "$2"]),
    pattern("pacemaker-based", r"^Completed cib_\w+ operation for section \S+: OK \(rc=0, origin=([^/]+)/(cibadmin|crm_attribute|crm_resource|crm_standby|crm_shadow|crm_simulate|pcs|crmsh)/", What::Configured, ["", "$1", "$2"]),
    pattern("pacemaker-attrd", r"^Setting kaiwudb-ha-planned\[(\S+)\]: .* -> drill$", What::Drill, ["", "$1", ""]),

    pattern("pacemaker-controld", r"^Result of (?:probe|notify) operation ", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of (start|stop|promote|demote) operation for (\S+) on (\S+): (?:0 \()?ok\b", What::Done, ["$2", "$3", "$1"]),
    pattern("pacemaker-controld", r"^Result of asyncmon operation ", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of \w+ operation for \S+ on \S+: (?i:cancelled|pending)", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of \w+ operation for \S+ on \S+: (?:\d+ \()?(?:ok|master|promoted|degraded)\b", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of (start|stop|promote|demote|monitor) operation for (\S+) on (\S+): (.+)$", What::OperationFailed, ["$2", "$3", "$1: $4"]),
    pattern("pacemaker-controld", r"^Requesting local execution of (start|stop|promote|demote) operation for (\S+) on (\S+)", What::Begun, ["$2", "$3", "$1"]),
    pattern("pacemaker-controld", r"^Initiating (start|stop|promote|demote) operation (\S+)_(?:start|stop|promote|demote)_0 (?:locally )?on (\S+)", What::Begun, ["$2", "$3", "$1"]),
    pattern("pacemaker-attrd", r"^Setting fail-count-(\S+?)#(?:\S+?)\[(\S+)\]: .* -> ([1-9]\d*|INFINITY)$", What::Counted, ["$1", "$2", "$3"]),
    pattern("pacemaker-controld", r"^State transition S_TRANSITION_ENGINE -> S_IDLE", What::Idle, ["", "", ""]),

    pattern("scheduler input", r"^node (\S+) is in standby$", What::Standby, ["$1", "$1", ""]),
    pattern("scheduler input", r"^(\w+) of (\S+) failed on (\S+): (.*)$", What::OperationFailed, ["$2", "$3", "$1: $4"]),

    pattern("kaiwudb(", r"^server pid \d+ serves after ([\d.]+) s", What::Serves, ["R", "", "$1"]),
    pattern("kaiwudb(", r"^server pid \d+ did not end on SIGTERM; sending SIGKILL", What::StopKilled, ["R", "", ""]),
];

/// What agents report to Pacemaker, in their log or by the attribute that keeps the reason.
#[rustfmt::skip]
static SENTENCES: &[Pattern] = &[
    pattern("kaiwudb(", r"^the server \(pid \d+\) (ended unexpectedly .*)$", What::ServerEnded, ["R", "", "$1"]),
    pattern("kaiwudb(", r"^the server \(pid \d+\) (runs but has not served .*)$", What::ServerHung, ["R", "", "$1"]),
    pattern("kaiwudb(", r"^(flushing .* has not returned .*)$", What::DiskStalled, ["R", "", "$1"]),
    pattern("virtual-ip(", r"^(\S+ is on no interface: .*)$", What::AddressRemoved, ["R", "", "$1"]),
    pattern("virtual-ip(", r"^(.*(?:carrier|is down).*)$", What::AddressLinkDown, ["R", "", "$1"]),
    pattern("drbd-promotable(", r"^(volume \d+ has lost its local disk .*)$", What::DiskLost, ["R", "", "$1"]),
    pattern("filesystem(", r"^(\S+ is read-only on .*)$", What::ReadOnly, ["R", "", "$1"]),
];

/// A report to Pacemaker as it is kept: the resource, the node, the sentence.
const KEPT: &str = r"^Setting failure-reason-(\S+?)\[(\S+)\]: .*? -> (.+)$";
/// The same in an agent's own log, after it was heard.
const HEARD: &str = "reported to Pacemaker: ";
/// An attribute that is gone.
const UNSET: [&str; 2] = ["(unset)", "(null)"];

static COMPILED: LazyLock<Vec<(&'static Pattern, Regex)>> = LazyLock::new(|| compile(TABLE));
static COMPILED_SENTENCES: LazyLock<Vec<(&'static Pattern, Regex)>> = LazyLock::new(|| compile(SENTENCES));
static COMPILED_KEPT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(KEPT).ok());

/// A pattern that is none is found by a test.
fn compile(table: &'static [Pattern]) -> Vec<(&'static Pattern, Regex)> {
    let compiled = table.iter().map(|pattern| (pattern, Regex::new(pattern.words)));
    compiled
        .filter_map(|(pattern, regex)| Some((pattern, regex.ok()?)))
        .collect()
}

/// What the record means, if anything; `node` has written it.
pub fn read(node: &str, record: &Record) -> Option<Event> {
    let mut event = reported(node, record)
        .or_else(|| first_of(&COMPILED, node, record, &record.who, &record.text))
        // What looks like a later line of the table and means nothing.
        .filter(|event| event.detail != "-")?;
    event.evidence[0].node.push_str(node);
    if event.what == What::Changed {
        // A value may be a secret.
        let text = &mut event.evidence[0].record.text;
        let value = text.find("value=").unwrap_or(text.len());
        text.truncate(value);
    }
    Some(event)
}

/// A failure that an agent reports: by itself, or by the attribute manager of any member.
fn reported(node: &str, record: &Record) -> Option<Event> {
    if record.who == "pacemaker-attrd" {
        let found = COMPILED_KEPT.as_ref()?.captures(&record.text)?;
        let (resource, at, sentence) = (&found[1], &found[2], &found[3]);
        if UNSET.contains(&sentence) {
            return None;
        }
        return Some(sentence_of(at, record, None, resource, sentence));
    }
    let (agent, rest) = record.who.split_once('(')?;
    let resource = rest.strip_suffix(')')?;
    if let Some(sentence) = record.text.strip_prefix(HEARD) {
        return Some(sentence_of(node, record, Some(agent), resource, sentence));
    }
    let event = first_of(&COMPILED_SENTENCES, node, record, &record.who, &record.text)?;
    Some(event)
}

/// What an agent's sentence means. Where the agent is not known every one's words are tried.
pub(super) fn sentence_of(
    node: &str,
    record: &Record,
    agent: Option<&str>,
    resource: &str,
    sentence: &str,
) -> Event {
    let agents = ["kaiwudb", "virtual-ip", "drbd-promotable", "filesystem"];
    let agents = agents
        .into_iter()
        .filter(|one| agent.is_none_or(|agent| agent == *one));
    let mut whos = agents.map(|agent| format!("{agent}({resource})"));
    whos.find_map(|who| first_of(&COMPILED_SENTENCES, node, record, &who, sentence))
        .unwrap_or_else(|| event(node, record, What::Reported, resource, sentence))
}

fn first_of(
    table: &[(&'static Pattern, Regex)],
    node: &str,
    record: &Record,
    who: &str,
    text: &str,
) -> Option<Event> {
    let is_from = |pattern: &Pattern| {
        if pattern.who.ends_with('(') {
            who.starts_with(pattern.who)
        } else {
            who == pattern.who
        }
    };
    let mut candidates = table.iter().filter(|(pattern, _)| is_from(pattern));
    candidates.find_map(|(pattern, regex)| {
        let found = regex.captures(text)?;
        let expand = |template: &str| {
            let mut text = String::new();
            found.expand(template, &mut text);
            text
        };
        let resource = who.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        let subject = match (pattern.subject, resource) {
            ("R", Some(resource)) => resource.to_owned(),
            (template, _) => expand(template),
        };
        let at = if pattern.node.is_empty() {
            node.to_owned()
        } else {
            expand(pattern.node)
        };
        Some(event(
            &at,
            record,
            pattern.what,
            &subject,
            &expand(pattern.detail),
        ))
    })
}

pub(super) fn event(node: &str, record: &Record, what: What, subject: &str, detail: &str) -> Event {
    Event {
        at: record.at,
        node: node.to_owned(),
        what,
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        evidence: vec![Evidence {
            node: String::new(),
            record: record.clone(),
        }],
    }
}
