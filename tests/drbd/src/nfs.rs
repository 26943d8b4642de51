//! A client that appends numbered lines to a file over NFS and knows which of them the server has confirmed.

use anyhow::{Context, Result, ensure};
use host::Deadline;
use lab::{Lab, VIRTUAL_IP};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/files/nfs_client.py");

/// What the server has confirmed so far.
#[derive(Debug, Default)]
pub struct Confirmed(AtomicUsize);

impl Confirmed {
    /// How many lines.
    pub fn lines(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until this many more are confirmed.
    pub fn wait_for(&self, more: usize, deadline: Deadline) -> Result<()> {
        let wanted = self.lines() + more;
        while self.lines() < wanted {
            ensure!(
                deadline.pause(Duration::from_millis(50)),
                "the NFS server confirms nothing more after line {}",
                self.lines()
            );
        }
        Ok(())
    }
}

#[allow(clippy::disallowed_methods)] // waits for what was killed
fn end(mut client: Child) -> Result<()> {
    client.kill().context("cannot end the NFS client")?;
    client.wait()?;
    Ok(())
}

/// Runs `part` while a client appends lines to the file `path` behind the virtual IP. Every line that was confirmed must be there
/// afterwards, in its place; returns how many.
pub fn over_nfs(lab: &Lab, path: &str, part: impl FnOnce(&Confirmed) -> Result<()>) -> Result<usize> {
    let confirmed = Confirmed::default();
    let process = Mutex::new(None);
    std::thread::scope(|scope| {
        // The program dies with the thread that starts it, which therefore follows it to its end.
        let writer = scope.spawn(|| write(lab, path, &process, &confirmed));
        let result = part(&confirmed);
        let client = process.lock().unwrap_or_else(PoisonError::into_inner).take();
        client.map_or(Ok(()), end)?;
        writer.join().ok().context("the NFS client's thread panicked")??;
        result
    })?;
    let lines = confirmed.lines();
    let text = read(lab, path)?;
    for (number, line) in text.lines().take(lines).enumerate() {
        ensure!(
            line.starts_with(&format!("{number:08} ")),
            "line {number} is damaged: '{line}'"
        );
    }
    ensure!(
        text.lines().count() >= lines,
        "{lines} lines were confirmed, {} are there",
        text.lines().count()
    );
    Ok(lines)
}

#[allow(clippy::disallowed_methods)] // it ends when the caller ends it, or by itself
fn write(lab: &Lab, path: &str, process: &Mutex<Option<Child>>, confirmed: &Confirmed) -> Result<()> {
    lab.enter_network()?;
    let mut client = Command::new("python3")
        .args([PROGRAM, "write", VIRTUAL_IP, path])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the NFS client")?;
    let said = client.stdout.take().context("a pipe was asked for")?;
    *process.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
    for number in BufReader::new(said).lines() {
        confirmed
            .0
            .store(number?.parse::<usize>()? + 1, Ordering::Relaxed);
    }
    Ok(())
}

fn read(lab: &Lab, path: &str) -> Result<String> {
    let output = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            lab.enter_network()?;
            anyhow::Ok(
                host::Command::new("python3")
                    .args([PROGRAM, "read", VIRTUAL_IP, path])
                    .run_ok(Deadline::after(Duration::from_secs(60)))?,
            )
        });
        reader.join()
    });
    Ok(output.ok().context("the reading thread panicked")??.text())
}
