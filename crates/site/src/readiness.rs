//! Whether a failover would succeed now, and how long it would take: every reason against it, and what drills have measured.

mod cluster;
mod node;
mod reason;
#[cfg(test)]
mod tests;

use crate::cluster::Cluster;
use crate::context::Context;
use crate::drill::Fault;
use crate::facts::LastDrill;
use crate::node::Node;
pub use reason::Reason;
use reason::{Findings, SILENT};
use serde::{Deserialize, Serialize};

/// How long the database was away when somebody tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// The fault, in the word of `drill run`.
    pub fault: String,
    /// Longest time without a commit.
    pub outage_ms: u64,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Readiness {
    /// Whether nothing speaks against it and everything that was asked has answered.
    pub ready: bool,
    /// The node that serves now.
    pub serving: Option<String>,
    /// The node that would take over.
    pub target: Option<String>,
    /// What speaks against it.
    pub reasons: Vec<Reason>,
    /// The last good drill of each fault.
    pub measured: Vec<Measured>,
}

impl Readiness {
    /// Whether nothing but silence speaks against it: then it is not known.
    pub fn is_unknown(&self) -> bool {
        !self.ready && self.reasons.iter().all(|reason| reason.id == SILENT)
    }

    /// What stands in the attribute: no number in it, so that it changes only when a reason comes or goes.
    pub fn word(&self) -> String {
        if self.ready {
            return "yes".to_owned();
        }
        let mut ids: Vec<&str> = self.reasons.iter().map(|reason| reason.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        format!("no:{}", ids.join(","))
    }
}

/// Judges what the cluster and the nodes have said.
pub fn judge(context: &Context, cluster: &Cluster, nodes: &[Node]) -> Readiness {
    let mut found = Findings {
        context,
        reasons: Vec::new(),
    };
    let pair = cluster::pair(&mut found, cluster);
    if let Some(pair) = &pair {
        cluster::judge(&mut found, cluster, nodes, pair);
        node::judge(&mut found, cluster, nodes, pair);
    }
    Readiness {
        ready: found.reasons.is_empty(),
        measured: measured(nodes),
        serving: pair.as_ref().map(|pair| pair.serving.clone()),
        target: pair.map(|pair| pair.target),
        reasons: found.reasons,
    }
}

fn measured(nodes: &[Node]) -> Vec<Measured> {
    let drills: Vec<&LastDrill> = nodes
        .iter()
        .filter_map(|node| node.facts.as_ref().ok())
        .flat_map(|facts| &facts.good_drills)
        .collect();
    let newest = |fault: Fault| {
        let of_fault = drills.iter().filter(|drill| drill.fault == fault.word());
        let drill = of_fault.max_by_key(|drill| drill.began)?;
        Some(Measured {
            fault: drill.fault.clone(),
            outage_ms: drill.outage_ms?,
            at: drill.began,
        })
    };
    Fault::ALL.into_iter().filter_map(newest).collect()
}
