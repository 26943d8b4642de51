//! Incidents: what an operator would want to be woken for, from its beginning to its end. One incident has one cause and may show itself in
//! several ways: with a node its replication is lost, too.
//!
//! [`observe`] asks the cluster, [`Ledger::decide`] is a pure function of what was seen before and what is seen now, [`words`] says it.
//! Nothing decided here depends on the clock of another node, or on an event having arrived: events only say that it is time to look.

mod condition;
mod decide;
mod ledger;
mod model;
pub mod observe;
mod outage;
#[cfg(test)]
mod tests;
pub mod words;

/// The alert agent that Pacemaker calls.
pub const AGENT: &str = "/usr/lib/kaiwudb-ha/alert";

pub use condition::{Condition, Failure, Member, Observation, Placed};
pub use decide::{Decision, Saying};
pub use ledger::Ledger;
pub use model::{Incident, Kind, Outage};
