//! How long the machine itself held up anybody: a bound of time in a test is compared with what was possible at that moment.

use crate::image;
use crate::report::Gap;
use anyhow::{Context, Result};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Rare enough to be no load of its own; a stall that matters lasts longer than this.
const INTERVAL: Duration = Duration::from_millis(20);

/// A commit goes from the client to the stand-in, to its database, to the disk and back: so often somebody waits for a processor.
const TURNS: u32 = 6;

/// A thread that waits a moment and writes a block to the disk under the lab's disks, over and over, as every commit does.
#[derive(Debug)]
pub struct Stalls {
    record: Arc<Mutex<Vec<Stall>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What one turn took longer than its pause.
#[derive(Clone, Copy, Debug)]
struct Stall {
    from: Instant,
    to: Instant,
}

impl Stall {
    fn length(self) -> Duration {
        (self.to - self.from).saturating_sub(INTERVAL)
    }
}

impl Stalls {
    /// Begins to watch.
    pub fn watch() -> Result<Self> {
        let directory = image::cache_directory();
        let file = tempfile::tempfile_in(&directory)
            .with_context(|| format!("no file can be made in {}", directory.display()))?;
        let record = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("stalls".to_owned()).spawn({
            let (record, stop) = (Arc::clone(&record), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    let stall = turn(&file);
                    record.lock().unwrap_or_else(PoisonError::into_inner).push(stall);
                }
            }
        })?;
        Ok(Self {
            record,
            stop,
            thread: Some(thread),
        })
    }

    /// What of a gap is not the machine's own doing.
    pub fn beyond(&self, gap: Gap) -> Duration {
        gap.length().saturating_sub(self.longest(gap) * TURNS)
    }

    /// The longest stall that touches a gap; zero when there was none.
    fn longest(&self, gap: Gap) -> Duration {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record
            .iter()
            .filter(|stall| stall.to >= gap.from && stall.from <= gap.to)
            .map(|stall| stall.length())
            .max()
            .unwrap_or_default()
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A disk that is full or fails is a matter of the test beside it.
fn turn(file: &File) -> Stall {
    let from = Instant::now();
    host::Deadline::after(INTERVAL).pause(INTERVAL);
    let _ = file.write_all_at(&[0; 512], 0).and_then(|()| file.sync_data());
    Stall {
        from,
        to: Instant::now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_touches_the_gap_counts() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let stall = |from, to| Stall {
            from: at(from),
            to: at(to),
        };
        let stalls = Stalls {
            record: Arc::new(Mutex::new(vec![stall(0, 25), stall(25, 145), stall(145, 170)])),
            stop: Arc::default(),
            thread: None,
        };
        let beyond = |from, to| {
            let gap = Gap {
                from: at(from),
                to: at(to),
            };
            stalls.beyond(gap).as_millis()
        };
        assert_eq!(beyond(0, 1000), 400, "the longest of three, 100 ms");
        assert_eq!(beyond(100, 1100), 400, "it has begun before");
        assert_eq!(beyond(150, 1150), 970);
        assert_eq!(beyond(500, 700), 200);
        assert_eq!(beyond(20, 400), 0);
    }
}
