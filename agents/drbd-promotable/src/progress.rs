//! How long a resync still takes, from what was out of sync at the monitor before.

use crate::run_directory::RunDirectory;
use drbd::resource::Resource;
use std::fmt::Write;
use std::time::Duration;

/// What differed at one moment.
struct Sample {
    peer: String,
    volume: u32,
    seconds: u64,
    kib: u64,
}

fn parse(text: &str) -> Vec<Sample> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(Sample {
                volume: words.next()?.parse().ok()?,
                seconds: words.next()?.parse().ok()?,
                kib: words.next()?.parse().ok()?,
                peer: words.collect::<Vec<_>>().join(" "),
            })
        })
        .collect()
}

/// Time left by peer and volume, and the samples for the next time.
fn compare(before: &[Sample], resource: &Resource, now: u64) -> (Vec<(String, u32, Duration)>, String) {
    let (mut left, mut samples) = (Vec::new(), String::new());
    for (peer, connection) in &resource.connections {
        for (volume, device) in &connection.devices {
            let Some(kib) = device.out_of_sync_kib.filter(|_| device.replication.is_resync()) else {
                continue;
            };
            let first = before
                .iter()
                .find(|sample| sample.peer == *peer && sample.volume == *volume)
                // A clock that was set back, or more to do than before: start over.
                .filter(|sample| sample.seconds <= now && sample.kib >= kib);
            if let Some(sample) = first {
                let (seconds, done) = (now - sample.seconds, sample.kib - kib);
                if seconds > 0 && done > 0 {
                    left.push((
                        peer.clone(),
                        *volume,
                        Duration::from_secs(kib.saturating_mul(seconds) / done),
                    ));
                }
            }
            // The rate is that of the last minutes at most, so that it follows changes of the resync's speed.
            let (seconds, kib) = match first {
                Some(sample) if now - sample.seconds < 120 => (sample.seconds, sample.kib),
                _ => (now, kib),
            };
            let _ = writeln!(samples, "{volume} {seconds} {kib} {peer}");
        }
    }
    (left, samples)
}

/// Time until each resync ends, where an earlier call has left something to compare with.
pub(crate) fn remaining(run: &RunDirectory, resource: &Resource) -> Vec<(String, u32, Duration)> {
    let now = host::now().as_secs();
    let before = run.resync();
    let (left, samples) = compare(&parse(&before), resource, now);
    if samples != before {
        run.note_resync(&samples);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(kib: u64) -> Resource {
        let text = format!(
            "exists resource name:r0 role:Primary\n\
             exists peer-device name:r0 conn-name:node volume:0 replication:SyncSource out-of-sync:{kib}\n\
             exists peer-device name:r0 conn-name:c volume:0 replication:SyncTarget out-of-sync:{kib}\nexists -\n"
        );
        Resource::from_events("r0", &text).unwrap()
    }

    #[test]
    fn the_rate_since_the_last_sample_counts() {
        let (left, first) = compare(&[], &resource(1000), 100);
        assert!(left.is_empty());
        let (left, second) = compare(&parse(&first), &resource(900), 110);
        assert_eq!(left[1], ("node".into(), 0, Duration::from_secs(90)));
        assert_eq!(first, second, "the older sample gives the better rate");
        let (_, later) = compare(&parse(&first), &resource(500), 300);
        assert!(later.contains("0 300 500 c"), "{later}");
    }

    #[test]
    fn nothing_is_said_when_nothing_moves() {
        let (_, first) = compare(&[], &resource(1000), 100);
        for (kib, now) in [(1000, 110), (2000, 110), (900, 90), (900, 100)] {
            assert!(
                compare(&parse(&first), &resource(kib), now).0.is_empty(),
                "{kib} {now}"
            );
        }
        let done = Resource::from_events("r0", "exists resource name:r0 role:Primary\nexists -\n").unwrap();
        assert_eq!(compare(&parse(&first), &done, 120).1, "");
        assert!(parse("garbage\n1 2\n").is_empty());
    }
}
