//! What was kept on this node: where the database has been, what timers have found, with their times, and
//! what alerts have seen and sent.

use crate::exposition::Exposition;
use crate::families as of;
use site::placement::Cause;
use site::pulse::Pulse;

/// Those that there are: a count of 0 says more than no count.
const SEVERITIES: [&str; 3] = ["error", "warning", "advice"];

pub(super) fn add(found: &mut Exposition, pulse: &Pulse) {
    let node = ("node", pulse.node.as_str());
    for cause in Cause::ALL {
        let count = pulse.placement.counts.get(cause.word()).copied().unwrap_or(0);
        found.count(&of::FAILOVERS, &[node, ("cause", cause.word())], count);
    }
    if let Some(moved) = pulse.placement.moved {
        found.add(&of::FAILOVER_AT, &[node], seconds(moved));
    }
    if let Some(outage) = &pulse.outage {
        let cause = outage.cause.map_or("none", |kind| kind.word()).replace('-', "_");
        #[allow(clippy::cast_precision_loss)] // milliseconds
        let lasted = outage.lasted as f64 / 1000.0;
        found.add(&of::OUTAGE, &[node, ("cause", &cause)], lasted);
        found.add(&of::OUTAGE_AT, &[node], seconds(outage.began / 1000));
    }
    for (channel, waiting) in &pulse.undelivered {
        found.count(&of::UNDELIVERED, &[node, ("channel", channel)], *waiting);
    }
    if let Some(kept) = &pulse.readiness {
        let readiness = &kept.found;
        found.flag(&of::FAILOVER_READY, &[node], readiness.ready);
        found.add(&of::READINESS_AT, &[node], seconds(kept.at));
        for reason in &readiness.reasons {
            let about = reason.node.as_deref().unwrap_or_default();
            let labels = [node, ("obstacle", reason.id.as_str()), ("about", about)];
            found.flag(&of::FAILOVER_OBSTACLE, &labels, true);
        }
        for measured in &readiness.measured {
            let labels = [node, ("fault", measured.fault.as_str())];
            #[allow(clippy::cast_precision_loss)] // milliseconds of minutes
            let outage = measured.outage_ms as f64 / 1000.0;
            found.add(&of::FAILOVER_EXPECTED, &labels, outage);
            found.add(&of::DRILL_AT, &labels, seconds(measured.at));
        }
    }
    if let Some(kept) = &pulse.check {
        found.add(&of::CHECK_AT, &[node], seconds(kept.at));
        for severity in SEVERITIES {
            let of_it = kept
                .found
                .findings
                .iter()
                .filter(|finding| finding.severity == severity);
            let labels = [node, ("severity", severity)];
            found.count(&of::CHECK_FINDINGS, &labels, of_it.count() as u64);
        }
    }
}

#[allow(clippy::cast_precision_loss)] // seconds since 1970
const fn seconds(at: i64) -> f64 {
    at as f64
}
