//! Watches, from outside the nodes, that nothing ever happens twice at once.

use crate::cib::DATA_ROOT;
use crate::node::{Node, Observation};
use anyhow::{Result, bail};
use host::Deadline;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it was seen first.
    pub at: Instant,
    /// Time since the audit began.
    pub after: Duration,
    /// What it was.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {:.3} s: {}", self.after.as_secs_f64(), self.what)
    }
}

/// The running audit.
#[derive(Debug)]
pub struct Audit {
    violations: Arc<Mutex<Vec<Violation>>>,
    looks: Arc<Mutex<u64>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Audit {
    pub(crate) fn start(nodes: Arc<[Node; 2]>) -> Result<Self> {
        let violations = Arc::new(Mutex::new(Vec::new()));
        let looks = Arc::new(Mutex::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn({
            let (violations, looks, stop) = (Arc::clone(&violations), Arc::clone(&looks), Arc::clone(&stop));
            move || watch(&nodes, &violations, &looks, &stop)
        })?;
        Ok(Self {
            violations,
            looks,
            stop,
            thread: Some(thread),
        })
    }

    /// What was seen so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How often both nodes were looked at so far.
    pub fn looks(&self) -> u64 {
        *self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the audit; an error names every violation.
    pub fn finish(mut self) -> Result<()> {
        self.end();
        let violations = self.violations();
        if self.looks() == 0 {
            bail!("the audit never looked");
        }
        if !violations.is_empty() {
            let list: Vec<String> = violations.iter().map(ToString::to_string).collect();
            bail!("{} violations:\n{}", list.len(), list.join("\n"));
        }
        Ok(())
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.end();
    }
}

fn watch(nodes: &[Node; 2], violations: &Mutex<Vec<Violation>>, looks: &Mutex<u64>, stop: &AtomicBool) {
    let started = Instant::now();
    let interval = nodes[0].poll_interval();
    let mut open: Vec<String> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let at = Instant::now();
        let found = look(nodes);
        *looks.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        for what in found.iter().filter(|what| !open.contains(what)) {
            violations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Violation {
                    at,
                    after: at.duration_since(started),
                    what: what.clone(),
                });
        }
        open = found;
        Deadline::after(interval).pause(interval);
    }
}

/// The nodes are looked at one after the other, so what moved in between is seen on both: the first one must still have it
/// afterwards.
fn look(nodes: &[Node; 2]) -> Vec<String> {
    let (first, second) = (nodes[0].observe(), nodes[1].observe());
    let found = compare(&first, &second);
    if found.is_empty() {
        return found;
    }
    let again = compare(&nodes[0].observe(), &second);
    found.into_iter().filter(|what| again.contains(what)).collect()
}

/// What two nodes must not have at the same time.
fn compare(first: &Observation, second: &Observation) -> Vec<String> {
    let mut found = Vec::new();
    if !first.mounted_at.is_empty() && !second.mounted_at.is_empty() {
        found.push("the shared disk is mounted on both nodes".to_owned());
    }
    if first.has_virtual_ip && second.has_virtual_ip {
        found.push("the virtual IP is on both nodes".to_owned());
    }
    let servers = |node: &Observation| node.servers.iter().filter(|(_, line)| serves_store(line)).count();
    let (first, second) = (servers(first), servers(second));
    if first + second > 1 {
        found.push(format!(
            "servers on the store: {first} on node1, {second} on node2"
        ));
    }
    found
}

fn serves_store(command_line: &str) -> bool {
    let mut words = command_line.split(' ').peekable();
    while let Some(word) = words.next() {
        let value = match word {
            "--store" | "-s" => words.peek().copied(),
            _ => word.strip_prefix("--store="),
        };
        if value.is_some_and(|value| {
            value
                .split(',')
                .any(|part| part.strip_prefix("path=").unwrap_or(part).trim_end_matches('/') == DATA_ROOT)
        }) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active() -> Observation {
        Observation {
            mounted_at: vec![DATA_ROOT.into()],
            servers: vec![(
                1,
                format!("kwbase start-single-node --insecure --store={DATA_ROOT}"),
            )],
            has_virtual_ip: true,
        }
    }

    #[test]
    fn one_active_node_is_right() {
        assert_eq!(compare(&active(), &Observation::default()), Vec::<String>::new());
        assert_eq!(compare(&Observation::default(), &active()), Vec::<String>::new());
    }

    #[test]
    fn everything_twice_is_three_violations() {
        assert_eq!(compare(&active(), &active()).len(), 3);
    }

    #[test]
    fn two_servers_on_one_node_are_a_violation_too() {
        let mut node = active();
        node.servers
            .push((2, format!("kwbase start-single-node --store {DATA_ROOT}/")));
        assert_eq!(
            compare(&node, &Observation::default()),
            ["servers on the store: 2 on node1, 0 on node2"]
        );
    }

    #[test]
    fn another_store_is_none_of_our_business() {
        assert!(serves_store(
            "kwbase start-single-node --store=path=/var/lib/kaiwudb,size=1GB"
        ));
        assert!(!serves_store(
            "kwbase start-single-node --store=/var/lib/kaiwudb-test"
        ));
        assert!(!serves_store(
            "kwbase start-single-node --store=type=mem,size=1GB"
        ));
    }
}
