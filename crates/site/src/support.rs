//! What an engineer needs who was not there: logs of a window, configuration, state, gathered on the node itself with its secrets removed there.
//!
//! It is made for the moment when little works. Every file is read in a child, every program has a deadline, what hung once is given little
//! time again; what could not be had is listed with the reason. All of it together has a bound in bytes and in time.

mod certificates;
mod cluster;
mod collector;
mod database;
mod drbd;
mod journal;
mod machine;
mod own;
mod part;

pub use part::{Entry, Missing, Part, Request};

use collector::Collector;

/// Gathers everything of this node. What is small and tells most comes first: when there is no room or no time left, old logs are what is
/// missing.
pub fn gather(request: &Request) -> Part {
    let mut collector = Collector::new(request);
    own::gather(&mut collector);
    cluster::state(&mut collector);
    drbd::gather(&mut collector);
    database::files(&mut collector);
    certificates::gather(&mut collector);
    machine::gather(&mut collector);
    journal::gather(&mut collector);
    cluster::logs(&mut collector);
    database::logs(&mut collector);
    cluster::scheduler_inputs(&mut collector);
    machine::disks(&mut collector);
    collector.finish()
}
