//! Brings a fault about, and undoes what is left of it.

use super::record::Fault;
use crate::Context;
use crate::node;
use crate::texts::drill as texts;
use host::{Command, Deadline};
use std::time::Duration;

/// One command. Fencing waits for the device.
const COMMAND: Duration = Duration::from_secs(60);

/// A probe on both nodes.
const LOOKED_AGAIN: Duration = Duration::from_secs(15);

/// Where the fault happens, and to what.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) fault: Fault,
    /// The node that has the database.
    pub(super) node: String,
    /// Whether that is this one.
    pub(super) local: bool,
    /// Pid of the server there.
    pub(super) server: i32,
    /// Id of the database's resource.
    pub(super) resource: String,
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
            Fault::Kill | Fault::PowerOff => None,
        }
    }

    /// Brings it about. Signals go to the node, everything else to the cluster.
    pub(super) fn inject(&self, context: &Context) -> Result<(), String> {
        self.run(context, &self.words())
    }

    /// Takes it back and forgets the failure that the drill has caused.
    pub(super) fn undo(&self, context: &Context) -> Result<(), String> {
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
        while super::preflight::serving_node(&self.resource).is_none()
            && deadline.pause(Duration::from_millis(200))
        {}
        Ok(())
    }

    fn run(&self, context: &Context, words: &[String]) -> Result<(), String> {
        let is_signal = words.first().is_some_and(|word| word == "kill");
        let deadline = Deadline::after(COMMAND);
        if is_signal && !self.local {
            let target = node::target_of(context, &self.node)?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = node::run(&target, &words, deadline).map_err(|error| error.to_string())?;
            return if output.status.success() {
                Ok(())
            } else {
                Err(output.last_words())
            };
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
        };
        text.fill(context.language, &[("node", &self.node)])
    }
}
