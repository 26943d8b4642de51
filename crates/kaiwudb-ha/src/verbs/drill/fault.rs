//! Brings a fault about, and undoes what is left of it.

use crate::context::Context;
use crate::texts::drill as texts;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use host::{Command, Deadline};
use serde::{Deserialize, Serialize};
use site::drill::Fault;
use site::node;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

/// One command. Fencing waits for the device.
const COMMAND: Duration = Duration::from_secs(60);

/// A probe on both nodes.
const LOOKED_AGAIN: Duration = Duration::from_secs(15);

/// What the fault has set off may last as long as this.
const IDLE: Duration = Duration::from_secs(20);

/// How long a link is cut: longer than Corosync waits for a token by any usual configuration.
const CUT: Duration = Duration::from_secs(20);
/// systemd heals the link after this, whatever has become of us.
const HEALED: &str = "40s";
/// The timer that does, and the packet filter's table that cuts.
const HEAL_UNIT: &str = "kaiwudb-ha-drill-heal";
const TABLE: &str = "kaiwudb_ha_drill";

/// Reads a fault on the command line.
pub(super) fn parser() -> impl TypedValueParser<Value = Fault> {
    let values = Fault::ALL.map(|fault| PossibleValue::new(fault.word()).help(help(fault)));
    PossibleValuesParser::new(values).try_map(|word| {
        let mut faults = Fault::ALL.into_iter();
        faults.find(|fault| fault.word() == word).ok_or("no such fault")
    })
}

const fn help(fault: Fault) -> &'static str {
    match fault {
        Fault::Standby => "Standby: a planned switchover, as for maintenance",
        Fault::Kill => "Kill the server with SIGKILL",
        Fault::Hang => "Stop the server with SIGSTOP, as if it hung",
        Fault::PowerOff => "Cut the node's power through its fencing device and switch it on again",
        Fault::Link => {
            "Cut this node off from the other one for 20 s, over all addresses of cluster and replication"
        }
    }
}

/// Where the fault happens, and to what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) fault: Fault,
    /// The node that has the database; for a link that is cut, this node.
    pub(super) node: String,
    /// Addresses of the other node, for a link that is cut.
    pub(super) peer: Vec<IpAddr>,
    /// Pid of the server there.
    pub(super) server: i32,
    /// Id of the database's resource.
    pub(super) resource: String,
    /// Every node: none of them tells people of what is meant.
    #[serde(default)]
    pub(super) nodes: Vec<String>,
}

impl Target {
    fn words(&self) -> Vec<String> {
        let signal = |signal: &str| vec!["kill".to_owned(), signal.to_owned(), self.server.to_string()];
        match self.fault {
            Fault::Standby => self.standby("on"),
            Fault::Kill => signal("-KILL"),
            Fault::Hang => signal("-STOP"),
            Fault::PowerOff => ["stonith_admin", "--reboot", &self.node]
                .map(str::to_owned)
                .to_vec(),
            Fault::Link => ["nft", "-f", "-"].map(str::to_owned).to_vec(),
        }
    }

    fn standby(&self, value: &str) -> Vec<String> {
        ["crm_standby", "--node", &self.node, "--update", value]
            .map(str::to_owned)
            .to_vec()
    }

    /// Whether the fault is a signal to the server.
    pub(super) const fn is_signal(&self) -> bool {
        matches!(self.fault, Fault::Kill | Fault::Hang)
    }

    /// What takes the fault back, as an operator would type it; `None` when nothing does.
    pub(super) fn undo_words(&self) -> Option<Vec<String>> {
        match self.fault {
            Fault::Standby => Some(self.standby("off")),
            // The cluster has replaced the server by then; one that it has not must not stay stopped.
            Fault::Hang => Some(vec![
                "kill".to_owned(),
                "-CONT".to_owned(),
                self.server.to_string(),
            ]),
            Fault::Link => Some(
                ["nft", "delete", "table", "inet", TABLE]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            Fault::Kill | Fault::PowerOff => None,
        }
    }

    /// How long it lasts, when that does not depend on what the cluster does.
    pub(super) fn lasts(&self) -> Option<Duration> {
        (self.fault == Fault::Link).then_some(CUT)
    }

    /// Brings it about. Signals go to the node, everything else to the cluster.
    pub(super) fn inject(&self, context: &Context) -> Result<(), String> {
        if self.fault == Fault::Link {
            return self.cut();
        }
        self.run(context, &self.words())
    }

    /// Cuts the link, once systemd has promised to heal it.
    fn cut(&self) -> Result<(), String> {
        let deadline = Deadline::after(COMMAND);
        let _ = stop_healing(deadline);
        let undo = self.undo_words().unwrap_or_default();
        Command::new("systemd-run")
            .args(["--quiet", "--collect", "--timer-property=AccuracySec=1s"])
            .arg(format!("--unit={HEAL_UNIT}"))
            .arg(format!("--on-active={HEALED}"))
            .args(undo)
            .run_ok(deadline)
            .map_err(|error| error.to_string())?;
        let words = self.words();
        Command::new(&words[0])
            .args(&words[1..])
            .input(rules(&self.peer))
            .run_ok(deadline)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// Heals it; that systemd was quicker is no error.
    fn heal(&self) -> Result<(), String> {
        let deadline = Deadline::after(COMMAND);
        let words = self.undo_words().unwrap_or_default();
        let healed = Command::new(&words[0]).args(&words[1..]).run_ok(deadline);
        let tables = Command::new("nft")
            .args(["list", "tables"])
            .run_ok(deadline)
            .map_err(|error| error.to_string())?;
        if tables.text().contains(TABLE) {
            return healed.map(drop).map_err(|error| error.to_string());
        }
        let _ = stop_healing(deadline);
        Ok(())
    }

    /// Takes it back and forgets the failure that the drill has caused.
    pub(super) fn undo(&self, context: &Context) -> Result<(), String> {
        if self.fault == Fault::Link {
            return self.heal();
        }
        if let Some(words) = self.undo_words() {
            let undone = self.run(context, &words);
            // A hung server that is gone is what was wanted.
            if self.fault != Fault::Hang {
                undone?;
            }
        }
        if self.fault == Fault::Standby {
            return Ok(());
        }
        // A controller (2.1.5) that is to start just then what is forgotten ends itself. One that never becomes idle is not waited for.
        let _ = pacemaker::idle::wait(Deadline::after(IDLE));
        let cleanup = [
            "crm_resource",
            "--cleanup",
            "-r",
            &self.resource,
            "-N",
            &self.node,
        ]
        .map(str::to_owned);
        self.run(context, &cleanup)?;
        // The cluster looks again at what it has forgotten; until then it does not know its own server.
        let deadline = Deadline::after(LOOKED_AGAIN);
        while serving_node(&self.resource).is_none() && deadline.pause(Duration::from_millis(200)) {}
        Ok(())
    }

    fn run(&self, context: &Context, words: &[String]) -> Result<(), String> {
        let deadline = Deadline::after(COMMAND);
        let is_signal = words.first().is_some_and(|word| word == "kill");
        if is_signal {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            return node::execute(context, &self.node, &words, "", deadline).map(drop);
        }
        let (program, arguments) = words.split_first().ok_or("no command")?;
        Command::new(program)
            .args(arguments)
            .run_ok(deadline)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// What will happen, for the question.
    pub(super) fn plan(&self, context: &Context) -> String {
        let text = match self.fault {
            Fault::Standby => texts::PLAN_STANDBY,
            Fault::Kill => texts::PLAN_KILL,
            Fault::Hang => texts::PLAN_HANG,
            Fault::PowerOff => texts::PLAN_POWER_OFF,
            Fault::Link => texts::PLAN_LINK,
        };
        text.fill(context.language, &[("node", &self.node)])
    }
}

fn stop_healing(deadline: Deadline) -> Result<(), host::CommandError> {
    Command::new("systemctl")
        .args(["stop", &format!("{HEAL_UNIT}.timer")])
        .run_ok(deadline)
        .map(drop)
}

/// What is missing on this node for a link to be cut and healed.
pub(super) fn missing_tool() -> Option<&'static str> {
    ["nft", "systemd-run"]
        .into_iter()
        .find(|tool| !Command::new(tool).is_installed())
}

/// Drops every packet to and from the peer before anybody else sees it. The virtual IP is nobody's own address: clients reach it.
fn rules(peer: &[IpAddr]) -> String {
    let lines = |direction: &str| {
        peer.iter().fold(String::new(), |mut lines, address| {
            let family = if address.is_ipv4() { "ip" } else { "ip6" };
            let _ = writeln!(lines, "    {family} {direction} {address} drop");
            lines
        })
    };
    format!(
        "table inet {TABLE} {{\n  chain input {{\n    type filter hook input priority -300; policy accept;\n{}  }}\n  \
         chain output {{\n    type filter hook output priority -300; policy accept;\n{}  }}\n}}\n",
        lines("saddr"),
        lines("daddr")
    )
}

/// Where the resource is active now.
pub(super) fn serving_node(resource: &str) -> Option<String> {
    let status = pacemaker::status::get(Deadline::after(Duration::from_secs(10))).ok()?;
    let mut active = status.instances_of(resource).filter(|instance| instance.active);
    active.next().and_then(|instance| instance.node.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_and_families_are_cut() {
        let rules = rules(&["10.77.0.12".parse().unwrap(), "fd00::12".parse().unwrap()]);
        for line in [
            "ip saddr 10.77.0.12 drop",
            "ip daddr 10.77.0.12 drop",
            "ip6 saddr fd00::12 drop",
            "ip6 daddr fd00::12 drop",
        ] {
            assert!(rules.contains(line), "{rules}");
        }
    }
}
