//! Watches DRBD's roles as both kernels report them: there must never be two Primaries.

use crate::lab::Lab;
use crate::namespace::Namespace;
use crate::vm::Vm;
use anyhow::{Result, bail, ensure};
use host::Deadline;
use std::io::{BufRead, BufReader, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The two reports come over two connections, so a demotion may be heard after the promotion that followed it. Two nodes that
/// really are Primary stay so for longer than this.
const LAG: Duration = Duration::from_secs(2);

/// Pause before a node that does not report is asked again.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Seen {
    primary: [bool; 2],
    both_since: Option<Instant>,
    reports: u64,
    promotions: u64,
    violations: u64,
}

impl Seen {
    fn set(&mut self, node: usize, primary: bool, at: Instant) {
        self.promotions += u64::from(primary && !self.primary[node]);
        if let Some(since) = self.both_since
            && at.duration_since(since) > LAG
        {
            self.violations += 1;
        }
        self.primary[node] = primary;
        self.both_since = match (self.primary, self.both_since) {
            ([true, true], None) => Some(at),
            ([true, true], since) => since,
            _ => None,
        };
    }
}

/// The running audit.
#[derive(Debug)]
pub struct RoleAudit {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Lab {
    /// Starts to watch DRBD's roles on both virtual machines, through their crashes.
    pub fn role_audit(&self) -> Result<RoleAudit> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for number in [1, 2] {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            let namespace = Arc::clone(self.namespace());
            let thread = std::thread::Builder::new().name(format!("roles-{number}"));
            threads.push(thread.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // A node that is off or does not answer has no role; why does not matter.
                    let _ = listen(&namespace, number, &seen, &stop);
                    note(&seen, number, false);
                    Deadline::after(AGAIN).pause(AGAIN);
                }
            })?);
        }
        Ok(RoleAudit { seen, stop, threads })
    }
}

impl RoleAudit {
    /// How often a node has become Primary so far.
    pub fn promotions(&self) -> u64 {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .promotions
    }

    /// Ends the audit; an error when there were two Primaries or nothing was heard.
    pub fn finish(mut self) -> Result<()> {
        self.end();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.set(0, false, Instant::now());
        ensure!(seen.reports > 0, "neither node ever reported its DRBD role");
        if seen.violations > 0 {
            bail!(
                "both nodes were Primary at once, {} times, for more than {} s",
                seen.violations,
                LAG.as_secs()
            );
        }
        Ok(())
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for RoleAudit {
    fn drop(&mut self) {
        self.end();
    }
}

fn note(seen: &Mutex<Seen>, number: u8, primary: bool) {
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .set(usize::from(number - 1), primary, Instant::now());
}

/// Until the node is gone, or another life of it has begun: nobody closes the connection of a machine that lost its power.
fn listen(namespace: &Arc<Namespace>, number: u8, seen: &Mutex<Seen>, stop: &AtomicBool) -> Result<()> {
    let machine = Vm::new(number, namespace);
    let life = machine.life();
    let stream = machine.follow(
        &["drbdsetup", "events2"],
        Deadline::after(Duration::from_secs(10)),
    )?;
    stream.set_read_timeout(Some(Duration::from_millis(250)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !stop.load(Ordering::Relaxed) {
        match reader.read_line(&mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {
                if let Some(primary) = role(&line) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).reports += 1;
                    note(seen, number, primary);
                }
                line.clear();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                ensure!(machine.life() == life, "another life");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether the resource is Primary now, if the line is about that.
fn role(line: &str) -> Option<bool> {
    let mut words = line.split_whitespace();
    let (event, object) = (words.next()?, words.next()?);
    match (event, object) {
        ("destroy", "resource") => Some(false),
        ("exists" | "create" | "change", "resource") => words
            .find_map(|word| word.strip_prefix("role:"))
            .map(|role| role == "Primary"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read() {
        assert_eq!(
            role("exists resource name:r role:Primary suspended:no\n"),
            Some(true)
        );
        assert_eq!(role("change resource name:r role:Secondary\n"), Some(false));
        assert_eq!(role("change resource name:r suspended:fencing\n"), None);
        assert_eq!(
            role("change connection name:r peer-node-id:0 conn-name:peer role:Primary\n"),
            None
        );
        assert_eq!(role("destroy resource name:r\n"), Some(false));
    }

    #[test]
    fn a_late_report_is_no_violation_and_two_primaries_are() {
        let (begin, mut seen) = (Instant::now(), Seen::default());
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        seen.set(0, true, at(0));
        seen.set(1, true, at(10));
        seen.set(0, false, at(11));
        assert_eq!((seen.violations, seen.promotions), (0, 2));
        seen.set(0, true, at(20));
        seen.set(1, false, at(30));
        assert_eq!(seen.violations, 1);
    }
}
