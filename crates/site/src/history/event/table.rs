//! The words of Pacemaker 2.0 to 3.0, Corosync, the kernel, DRBD, systemd and the agents of this suite.

use crate::history::what::What;

/// Words, and what they mean.
pub(super) struct Pattern {
    /// The writer's name; `kaiwudb(` is the name of an agent.
    pub(super) who: &'static str,
    pub(super) words: &'static str,
    pub(super) what: What,
    pub(super) subject: &'static str,
    /// Empty: the node that wrote it.
    pub(super) node: &'static str,
    pub(super) detail: &'static str,
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
pub(super) static TABLE: &[Pattern] = &[
    pattern("kernel", r"^Linux version ", What::Booted, ["", "", ""]),
    pattern("systemd-journald", r"^Journal started", What::Booted, ["", "", ""]),
    pattern("systemd-logind", r"^(?:System is|The system will) (rebooting|powering down|halting|reboot|power off)", What::ShutDown, ["", "", "$1"]),
    pattern("systemd", r"^Reached target (?:\S+\.target - )?(?:System )?(Shutdown|Reboot|Power.?Off|Halt)", What::ShutDown, ["", "", "$1"]),
    pattern("kernel", r"^(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process \d+ \(([^)]*)\)", What::OutOfMemory, ["$1", "", ""]),
    pattern("systemd", r"^(pacemaker\.service): A process of this unit has been killed by the OOM killer", What::OutOfMemory, ["$1", "", ""]),
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

    pattern("kernel", r"^(?:block|drbd) (\S+?)(?:/\d+)?(?: \S+)?: Split-Brain detected but unresolved", What::SplitBrain, ["$1", "", ""]),
    // 8.4 says "disk( UpToDate -> Failed )" of every disk that is detached, at a planned stop, too; 9 calls that Detaching.
    pattern("kernel", r"^(?:block|drbd) (\S+?)(?:/\d+ \S+)?: (Local IO failed) in", What::DiskLost, ["$1", "", "$2"]),
    pattern("kernel", r"^drbd (\S+?)/\d+ \S+: disk\( ((?:UpToDate|Consistent|Outdated|Inconsistent) -> Failed)\b", What::DiskLost, ["$1", "", "$2"]),
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
    // What is unresponsive once is looked at again, on a busy node often.
    pattern("pacemakerd", r"^(?:Subdaemon )?(pacemaker-\w+)\[\d+\] (terminated with signal \d+|is unresponsive to (?i:ipc) after \d+ \w+ (?:but we found|and will now))", What::DaemonDied, ["$1", "", "$2"]),
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

    // The state of operations on any node, as every node is told it: all that is left of what a dead one has done. An end is that of what had begun.
    pattern("pacemaker-based", r"^\+ +/cib/status/node_state\[@id='([^']+)'\]/.*/lrm_resource\[@id='([^']+)'\]/lrm_rsc_op\[@id='[^']+_last_0'\]:.*@operation=(start|stop|promote|demote)\b", What::Begun, ["$2", "#$1", "$3"]),
    pattern("pacemaker-based", r"^\+ +/cib/status/node_state\[@id='([^']+)'\]/.*/lrm_resource\[@id='([^']+)'\]/lrm_rsc_op\[@id='[^']+_last_0'\]: +@transition-magic=0:0;", What::Done, ["$2", "#$1", ""]),
    pattern("pacemaker-based", r"^\+ +/cib/status/node_state\[@id='([^']+)'\]/.*/lrm_resource\[@id='([^']+)'\]/lrm_rsc_op\[@id='[^']+_last_failure_0'\]:.*@operation=(start|stop|promote|demote), .*@exit-reason=(.+?), @call-id", What::OperationFailed, ["$2", "#$1", "$3: error ($4)"]),
    pattern("pacemaker-based", r#"^\+\+ +/cib/status/node_state\[@id='([^']+)'\]/.*<lrm_rsc_op id="(\S+)_last_failure_0" .*\boperation="(start|stop|promote|demote)" .*exit-reason="([^"]+)" on_node="#, What::OperationFailed, ["$2", "#$1", "$3: error ($4)"]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*\bid="nodes-(\S+?)-standby".* value="(?i:on|true|yes|1|y)""#, What::Standby, ["#$1", "#$1", ""]),
    pattern("pacemaker-based", r"^\+ .*'nodes-(\S+?)-standby'\]:.*@value=(?i:on|true|yes|1|y)\b", What::Standby, ["#$1", "#$1", ""]),
    pattern("pacemaker-based", r"^(?:\+|--) .*'nodes-(\S+?)-standby'\]", What::StandbyOver, ["#$1", "#$1", ""]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*name="maintenance-mode" value="(?i:on|true|yes|1|y)""#, What::Maintenance, ["", "", ""]),
    pattern("pacemaker-based", r"^\+ .*-maintenance-mode'\]:.*@value=(?i:on|true|yes|1|y)\b", What::Maintenance, ["", "", ""]),
    pattern("pacemaker-based", r"^(?:\+|--) .*-maintenance-mode'\]", What::MaintenanceOver, ["", "", ""]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*\bid="(\S+?)-meta_attributes-target-role".* value="(?i:stopped)""#, What::Disabled, ["$1", "", ""]),
    pattern("pacemaker-based", r"^\+ .*'(\S+?)-meta_attributes-target-role'\]:.*@value=(?i:stopped)\b", What::Disabled, ["$1", "", ""]),
    pattern("pacemaker-based", r#"^\+\+ .*<rsc_location id="cli-(ban|prefer)-(\S+?)(?:-on-[^"]+)?""#, What::Moved, ["$2", "", "$1"]),
    pattern("pacemaker-based", r#"^\+\+ .*<nvpair .*\bid="(\S+?)-instance_attributes-(\S+?)" "#, What::Changed, ["$1", "", "$2"]),
    pattern("pacemaker-based", r"^\+ .*'(\S+?)-instance_attributes-(\S+?)'\]:", What::Changed, ["$1", "", "$2"]),
    pattern("pacemaker-based", r"^Completed cib_\w+ operation for section \S+: OK \(rc=0, origin=([^/]+)/(cibadmin|crm_attribute|crm_resource|crm_standby|crm_shadow|crm_simulate|pcs|crmsh)/", What::Configured, ["", "$1", "$2"]),
    pattern("pacemaker-controld", r"^Removing resource (\S+) from executor for \S+ as (\S+)$", What::Cleared, ["$1", "", "$2"]),
    pattern("pacemaker-attrd", r"^Setting kaiwudb-ha-planned\[(\S+)\]: .* -> drill$", What::Drill, ["", "$1", ""]),
    pattern("pacemaker-attrd", r"^Setting kaiwudb-ha-planned\[(\S+)\]: drill -> ", What::DrillOver, ["", "$1", ""]),

    pattern("pacemaker-controld", r"^Result of (?:probe|notify) operation ", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of (start|stop|promote|demote) operation for (\S+) on (\S+): (?:0 \()?ok\b", What::Done, ["$2", "$3", "$1"]),
    pattern("pacemaker-controld", r"^Result of asyncmon operation ", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of \w+ operation for \S+ on \S+: (?i:cancelled|pending)", What::Idle, ["", "", "-"]),
    pattern("pacemaker-controld", r"^Result of monitor operation for (\S+) on (\S+): ((?:\d+ \()?(?i:promoted \(failed\)|(?:ocf_)?failed[ _](?:promoted|master)).*)$", What::OperationFailed, ["$1", "$2", "monitor: $3"]),
    pattern("pacemaker-controld", r"^Result of \w+ operation for \S+ on \S+: (?:\d+ \()?(?i:ok|master|promoted|(?:ocf_)?degraded)(?:\b|_)", What::Idle, ["", "", "-"]),
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
pub(super) static SENTENCES: &[Pattern] = &[
    pattern("kaiwudb(", r"^the server \(pid \d+\) (ended unexpectedly .*)$", What::ServerEnded, ["R", "", "$1"]),
    pattern("kaiwudb(", r"^the server \(pid \d+\) (runs but has not served .*)$", What::ServerHung, ["R", "", "$1"]),
    pattern("kaiwudb(", r"^(flushing .* has not returned .*)$", What::DiskStalled, ["R", "", "$1"]),
    pattern("virtual-ip(", r"^(\S+ is on no interface: .*)$", What::AddressRemoved, ["R", "", "$1"]),
    pattern("virtual-ip(", r"^(.*(?:carrier|is down).*)$", What::AddressLinkDown, ["R", "", "$1"]),
    pattern("drbd-promotable(", r"^(volume \d+ has lost its local disk .*)$", What::DiskLost, ["R", "", "$1"]),
    pattern("filesystem(", r"^(\S+ is read-only on .*)$", What::ReadOnly, ["R", "", "$1"]),
];

/// A report to Pacemaker as it is kept: the resource, the node, the sentence.
pub(super) const KEPT: &str = r"^Setting failure-reason-(\S+?)\[(\S+)\]: .*? -> (.+)$";
/// The same in an agent's own log, after it was heard.
pub(super) const HEARD: &str = "reported to Pacemaker: ";
/// An attribute that is gone.
pub(super) const UNSET: [&str; 2] = ["(unset)", "(null)"];
