//! An agent called as Pacemaker calls it, but by hand.

use anyhow::{Result, ensure};
use host::Deadline;
use lab::vm::DRBD_RESOURCE;
use lab::{Node, Output};
use std::time::Duration;

/// Which agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// `ocf:kaiwudb:drbd-promotable`
    Ours,
    /// `ocf:linbit:drbd`
    Linbit,
}

impl Agent {
    /// Its program in a node.
    pub fn program(self) -> &'static str {
        match self {
            Self::Ours => "/usr/lib/ocf/resource.d/kaiwudb/drbd-promotable",
            Self::Linbit => "/usr/lib/ocf/resource.d/linbit/drbd",
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    agent: Agent,
    action: String,
    variables: Vec<String>,
}

impl Call {
    /// `action` of our agent on the lab's DRBD resource, as a recurring action of a clone without notifications.
    pub fn new(action: &str) -> Self {
        let call = Self {
            agent: Agent::Ours,
            action: action.to_owned(),
            variables: Vec::new(),
        };
        call.variable("OCF_ROOT", "/usr/lib/ocf")
            .variable("OCF_RA_VERSION_MAJOR", "1")
            .variable("OCF_RA_VERSION_MINOR", "1")
            .variable("OCF_RESOURCE_INSTANCE", "KaiwuData")
            // Pacemaker 2.1.5.
            .variable("OCF_RESKEY_crm_feature_set", "3.16.2")
            .variable("OCF_RESKEY_drbd_resource", DRBD_RESOURCE)
            .variable("OCF_RESKEY_CRM_meta_clone_max", "2")
            .variable("OCF_RESKEY_CRM_meta_clone_node_max", "1")
            .variable("OCF_RESKEY_CRM_meta_master_max", "1")
            .variable("OCF_RESKEY_CRM_meta_master_node_max", "1")
            .variable("OCF_RESKEY_CRM_meta_interval", "10000")
            .variable("OCF_RESKEY_CRM_meta_timeout", "60000")
    }

    /// Another agent; `ocf:linbit:drbd` insists on notifications.
    #[must_use]
    pub fn of(mut self, agent: Agent) -> Self {
        self.agent = agent;
        self.variable("OCF_RESKEY_CRM_meta_notify", "true")
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables
            .retain(|known| known.split_once('=').is_none_or(|(key, _)| key != name));
        self.variables.push(format!("{name}={value}"));
        self
    }

    /// The command line on a node.
    pub fn argv(&self, node: &Node) -> Vec<String> {
        let mut argv = vec!["env".to_owned()];
        argv.extend(self.variables.iter().cloned());
        argv.push(format!("OCF_RESKEY_CRM_meta_on_node={}", node.cluster_name()));
        argv.push(self.agent.program().to_owned());
        argv.push(self.action.clone());
        argv
    }

    /// Runs it; any exit status is an answer.
    pub fn run(&self, node: &Node) -> Result<Output> {
        node.exec(self.argv(node), Deadline::after(Duration::from_secs(180)))
    }

    /// It must end with this status and, if `said` is not empty, say each of these words on standard error.
    pub fn expect(&self, node: &Node, status: i32, said: &[&str]) -> Result<Output> {
        let output = self.run(node)?;
        ensure!(
            output.status == Some(status),
            "{}: {} should have ended with {status}: {output}",
            node.name(),
            self.action
        );
        for words in said {
            ensure!(
                output.stderr.contains(words),
                "{}: {} does not say '{words}': {output}",
                node.name(),
                self.action
            );
        }
        Ok(output)
    }
}
