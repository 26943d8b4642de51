//! What a client experienced, in numbers.

use std::fmt;
use std::time::{Duration, Instant};

/// One commit that the database acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Number of the row.
    pub id: u64,
    /// When the client began.
    pub begun: Instant,
    /// When the acknowledgement arrived.
    pub at: Instant,
}

/// All commits of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// When the client started.
    pub started: Instant,
    /// In the order of time.
    pub acknowledged: Vec<Acknowledgement>,
    /// What went wrong, and when.
    pub errors: Vec<(Instant, String)>,
    /// Whether the client has a connection.
    pub is_connected: bool,
}

/// A time without acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Last acknowledgement before.
    pub from: Instant,
    /// First acknowledgement after.
    pub to: Instant,
}

impl Gap {
    /// How long it lasted.
    pub fn length(self) -> Duration {
        self.to.saturating_duration_since(self.from)
    }
}

impl Report {
    pub(crate) fn new(started: Instant) -> Self {
        Self {
            started,
            acknowledged: Vec::new(),
            errors: Vec::new(),
            is_connected: false,
        }
    }

    /// When the client heard something first from then on: an answer or an error.
    pub fn first_word(&self, from: Instant) -> Option<Instant> {
        let answers = self.acknowledged.iter().map(|row| row.at);
        let words = answers.chain(self.errors.iter().map(|(at, _)| *at));
        words.filter(|at| *at >= from).min()
    }

    /// Longest time between two acknowledgements of the whole run; `None` with fewer than two.
    pub fn longest_gap(&self) -> Option<Gap> {
        longest(self.acknowledged.iter().map(|row| row.at))
    }

    /// Longest time between two acknowledgements that touches the window: what an event in it cost. `until` should be
    /// after the recovery; a gap that has not ended by the last acknowledgement is not counted.
    pub fn longest_gap_between(&self, from: Instant, until: Instant) -> Option<Gap> {
        let times: Vec<Instant> = self.acknowledged.iter().map(|row| row.at).collect();
        let first = times.partition_point(|at| *at < from).saturating_sub(1);
        let last = (times.partition_point(|at| *at <= until) + 1).min(times.len());
        longest(times[first.min(last)..last].iter().copied())
    }

    /// Commits acknowledged per second of the run.
    pub fn rate(&self) -> f64 {
        let Some(last) = self.acknowledged.last() else {
            return 0.0;
        };
        let count = u32::try_from(self.acknowledged.len()).unwrap_or(u32::MAX);
        f64::from(count)
            / last
                .at
                .duration_since(self.started)
                .as_secs_f64()
                .max(f64::MIN_POSITIVE)
    }
}

fn longest(times: impl Iterator<Item = Instant> + Clone) -> Option<Gap> {
    times
        .clone()
        .zip(times.skip(1))
        .map(|(from, to)| Gap { from, to })
        .max_by_key(|gap| gap.length())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} commits acknowledged, {:.0} a second",
            self.acknowledged.len(),
            self.rate()
        )?;
        if let Some(gap) = self.longest_gap() {
            write!(
                f,
                "; longest gap {:.3} s, from {:.3} s on",
                gap.length().as_secs_f64(),
                gap.from.saturating_duration_since(self.started).as_secs_f64()
            )?;
        }
        if let Some((_, error)) = self.errors.last() {
            write!(f, "; {} failed attempts, last: {error}", self.errors.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(milliseconds: &[u64]) -> Report {
        let started = Instant::now();
        let mut report = Report::new(started);
        for (id, offset) in (1..).zip(milliseconds) {
            let at = started + Duration::from_millis(*offset);
            report.acknowledged.push(Acknowledgement { id, begun: at, at });
        }
        report
    }

    #[test]
    fn the_longest_gap_of_a_run() {
        let report = report(&[10, 30, 50, 1050, 1070, 1570]);
        assert_eq!(report.longest_gap().unwrap().length(), Duration::from_secs(1));
    }

    #[test]
    fn too_few_commits_have_no_gap() {
        assert_eq!(report(&[]).longest_gap(), None);
        assert_eq!(report(&[10]).longest_gap(), None);
        let one = report(&[10]);
        assert_eq!(
            one.longest_gap_between(one.started, one.started + Duration::from_secs(1)),
            None
        );
    }

    #[test]
    fn an_event_costs_the_gap_that_it_lies_in() {
        let report = report(&[10, 30, 1050, 1070, 3070, 3090]);
        let at = |ms| report.started + Duration::from_millis(ms);
        // The event is at 40 ms, in the middle of the first outage.
        let first = report.longest_gap_between(at(40), at(1060)).unwrap();
        assert_eq!(first.length(), Duration::from_millis(1020));
        let second = report.longest_gap_between(at(1080), at(4000)).unwrap();
        assert_eq!(second.length(), Duration::from_secs(2));
        let quiet = report.longest_gap_between(at(3071), at(4000)).unwrap();
        assert_eq!(quiet.length(), Duration::from_millis(20));
        assert_eq!(report.longest_gap_between(at(4000), at(5000)), None);
    }

    #[test]
    fn an_error_is_a_word_too() {
        let mut report = report(&[500, 1000]);
        let at = |ms| report.started + Duration::from_millis(ms);
        let [early, middle, late] = [600, 700, 1500].map(at);
        assert_eq!(report.first_word(early), Some(at(1000)));
        assert_eq!(report.first_word(late), None);
        report.errors.push((middle, "connection reset".to_owned()));
        assert_eq!(report.first_word(early), Some(middle));
    }

    #[test]
    fn a_report_reads_well() {
        let mut report = report(&[500, 1000]);
        assert!(
            report
                .to_string()
                .starts_with("2 commits acknowledged, 2 a second; longest gap 0.500 s, from 0.500 s on")
        );
        report
            .errors
            .push((report.started, "connection refused".to_owned()));
        assert!(
            report
                .to_string()
                .ends_with("; 1 failed attempts, last: connection refused")
        );
    }
}
