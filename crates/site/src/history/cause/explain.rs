//! What lies below what has happened: a record of the right place, shortly before, that fits.

use crate::history::event::{Event, What};
use crate::history::record::Resources;

/// In microseconds.
pub(super) const SECOND: i64 = 1_000_000;
/// How far two clocks that were aligned may still be apart, and a record may be behind what it is about.
pub(super) const SKEW: i64 = 1_500_000;

/// What the kernel kills when it kills the server: the process, or, where only systemd says it, the service that it belongs to.
const OUR_PROCESSES: [&str; 2] = ["pacemaker.service", "kwbase"];

/// What explains an event by lying deeper: a record of the right place, shortly before.
pub(super) fn explain<'a>(events: &'a [Event], event: &Event, resources: &Resources) -> Option<&'a Event> {
    let rules: &[(What, i64)] = match event.what {
        What::ServerEnded => &[
            (What::OutOfMemory, 5),
            (What::Crashed, 5),
            (What::ReadOnly, 60),
            (What::DiskError, 60),
        ],
        What::ServerHung | What::DiskStalled => {
            &[(What::ReadOnly, 60), (What::DiskError, 60), (What::DiskLost, 60)]
        }
        What::ReadOnly | What::DiskLost => &[(What::DiskError, 60)],
        What::Reported => &[(What::DiskLost, 10), (What::ReadOnly, 60)],
        What::AddressLinkDown => &[(What::LinkDown, 30)],
        What::NodeLost => &[
            (What::Panic, 60),
            (What::ShutDown, 120),
            (What::ClusterStops, 120),
            (What::DaemonDied, 60),
            (What::FencingByHand, 60),
            (What::FencingDecided, 60),
            (What::LinkDown, 30),
            (What::Paused, 30),
        ],
        What::ClusterStops => &[
            (What::ShutDown, 60),
            // systemd stops a whole service when the kernel has killed one process of it, and the server is one of Pacemaker's.
            (What::OutOfMemory, 15),
            (What::DaemonDied, 5),
        ],
        What::Begun => &[(What::Changed, 15), (What::OutOfMemory, 5), (What::Cleared, 15)],
        What::OperationFailed => &[
            (What::Changed, 15),
            (What::OutOfMemory, 5),
            (What::ReadOnly, 60),
            (What::DiskError, 60),
            (What::DiskLost, 60),
        ],
        _ => &[],
    };
    rules.iter().find_map(|(what, within)| {
        let mut before = events.iter().rev().filter(|other| {
            other.what == *what && (-SKEW..=within * SECOND).contains(&(event.at - other.at))
        });
        before.find(|other| fits(other, event, resources))
    })
}

/// Whether the deeper event is about the same thing.
fn fits(deeper: &Event, event: &Event, resources: &Resources) -> bool {
    let here = deeper.node == event.node;
    match deeper.what {
        What::Changed => deeper.subject == event.subject,
        What::OutOfMemory if event.what == What::ServerEnded => {
            here && OUR_PROCESSES.contains(&deeper.subject.as_str()) && event.detail.contains("(SIGKILL)")
        }
        What::OutOfMemory => here && OUR_PROCESSES.contains(&deeper.subject.as_str()),
        What::DiskError | What::ReadOnly if resources.devices.contains(&deeper.subject) => here,
        // Another disk's errors end no server: it, or its agent, has to complain of a disk.
        What::DiskError | What::ReadOnly
            if matches!(
                event.what,
                What::ServerEnded | What::ServerHung | What::OperationFailed
            ) =>
        {
            here && ["disk", "read-only", "I/O"]
                .iter()
                .any(|word| event.detail.contains(word))
        }
        // A node that is lost is fenced afterwards; one that was to be fenced before is lost by that.
        What::FencingDecided => {
            here && deeper.at < event.at && !deeper.detail.contains("no longer part of the cluster")
        }
        // Either end of a link may have lost it.
        What::LinkDown if event.what == What::NodeLost => true,
        // A node that stands still loses the others, and they lose it; a short pause loses nobody.
        What::Paused => here && milliseconds(deeper) >= 1000.0,
        // A parameter that was set is no reason to a failure of another resource.
        _ => here,
    }
}

fn milliseconds(event: &Event) -> f64 {
    let number: f64 = event.detail.parse().unwrap_or(0.0);
    // The kernel's watchdog counts seconds.
    if event.detail.contains('.') {
        number
    } else {
        number * 1000.0
    }
}
