//! `stop`: one SIGTERM, a second one, SIGKILL, and then proof.

use crate::config::Config;
use crate::drain::Drain;
use crate::run_directory::{ProcessRecord, Record, RunDirectory, recorded_server};
use crate::{concern, run_directory, runtime, sentinel, server};
use agent::Context;
use host::evasion;
use host::holders::{self, Wanted};
use host::origin::Origin;
use host::{Command, Deadline, Process, ProcessState, WaitOutcome};
use host::{describe, log, mount, namespace, wait_for_end};
use nix::sys::signal::Signal;
use ocf::Failure;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::Duration;

/// A second SIGTERM ends a server within 50 ms (measured); a loaded machine may need longer.
const AFTER_SECOND_SIGTERM: Duration = Duration::from_secs(3);
/// How long a helper of the server, or our own flush, may still hold the file system after the server's end.
const HOLDERS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one of the server's own mounts may refuse to go.
const UMOUNT_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let run = RunDirectory::of(&config.instance);
    concern::withdraw(config, &run);
    let mut servers = server::all(config);
    // The one we started counts even if the parameters have changed since.
    servers.extend(recorded_server(&run).filter(|server| {
        (kwdb::process::is_server(*server, &config.server.binary) || server.is_exiting())
            && !servers.contains(server)
    }));
    if servers.is_empty() {
        // A sentinel may still be trying to report its end, which is not wanted any longer.
        if let Some(server) = recorded_server(&run) {
            run.note(Record::Stopping, &ProcessRecord::from(server))?;
        }
        return release(config, &run, &[], &BTreeSet::new(), cx.deadline);
    }
    run.create()?;
    let _lock = run_directory::lock(&run, cx.deadline)?;
    end_all(config, &run, servers, cx)
}

/// Ends the server from within an action that holds the lock already.
pub(crate) fn stop_locked(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    end_all(
        config,
        &RunDirectory::of(&config.instance),
        server::all(config),
        cx,
    )
}

fn end_all(
    config: &Config,
    run: &RunDirectory,
    servers: Vec<Process>,
    cx: &Context<'_>,
) -> Result<(), Failure> {
    runtime::forbid_restart(config, cx.deadline)?;
    let drain = Drain::needed(config, run, cx.deadline);
    let sessions: Vec<i32> = servers.iter().filter_map(|server| server.session()).collect();
    let mut origins: BTreeSet<Origin> = (servers.iter())
        .filter_map(|server| Origin::of(server.pid()))
        .collect();
    origins.retain(|origin| origin.uid != 0);
    for server in servers {
        // The sentinel must know by the server's identity that this end is wanted, before it happens.
        run.note(Record::Stopping, &ProcessRecord::from(server))?;
        end(config, server, drain, cx.deadline)?;
    }
    runtime::settle(config, cx.deadline)?;
    release(config, run, &sessions, &origins, cx.deadline)
}

fn end(config: &Config, server: Process, drain: Drain, deadline: Deadline) -> Result<(), Failure> {
    let send = |signal: Signal| {
        server.signal(signal).map_err(|error| {
            Failure::generic(format!(
                "cannot send {signal} to the server (pid {}): {error}",
                server.pid()
            ))
        })
    };
    // A stopped process takes no signal but SIGKILL; waiting for it would be in vain.
    if server.state() != Some(ProcessState::Stopped) {
        let before_sigkill = deadline.slice(deadline.remaining() * 3 / 4);
        send(Signal::SIGTERM)?;
        if drain.wait(config, server, deadline) == WaitOutcome::Ended {
            return Ok(());
        }
        send(Signal::SIGTERM)?;
        if wait_for_end(server, before_sigkill.slice(AFTER_SECOND_SIGTERM)) == WaitOutcome::Ended {
            return Ok(());
        }
    }
    log::warning(format!(
        "server pid {} did not end on SIGTERM; sending SIGKILL",
        server.pid()
    ));
    send(Signal::SIGKILL)?;
    match wait_for_end(server, deadline) {
        WaitOutcome::Ended => Ok(()),
        WaitOutcome::DeadlineOver => Err(Failure::generic(does_not_end(server))),
    }
}

fn does_not_end(server: Process) -> String {
    let channel = server.wait_channel();
    let place = if channel.is_empty() {
        String::new()
    } else {
        format!(" in {channel}")
    };
    match server.state() {
        Some(ProcessState::Uninterruptible) => format!(
            "the node must be fenced: the server (pid {}) does not end on SIGKILL, it waits for the kernel{place}; the disk or \
             DRBD below it does not answer",
            server.pid()
        ),
        _ => format!("the server (pid {}) does not end on SIGKILL{place}", server.pid()),
    }
}

/// The file system can be unmounted only when nothing uses it. What is left of the server's own session is ended; others
/// are named in the log and left to the Filesystem agent, whose business they are.
fn release(
    config: &Config,
    run: &RunDirectory,
    sessions: &[i32],
    origins: &BTreeSet<Origin>,
    action: Deadline,
) -> Result<(), Failure> {
    unmount_leftovers(config, action);
    let mut deadline = action.slice(HOLDERS_TIMEOUT);
    let mut is_last_try = false;
    let mut asked: HashSet<Process> = HashSet::new();
    loop {
        let holders = holders_of(config.data_root())?;
        let is_the_servers = |process: &Process| {
            process
                .session()
                .is_some_and(|session| sessions.contains(&session))
        };
        let ours: Vec<Process> = holders.iter().copied().filter(is_the_servers).collect();
        let flushes = |process: &Process| sentinel::is_child(run, *process);
        if holders.is_empty() {
            // The kernel lets go of what an ending process had open a moment after its descriptors have left /proc (do_exit: exit_files,
            // then exit_task_work). Its own threads, in session 0, look like that all the time.
            let is_ending = |process: Process| {
                process.session() != Some(0)
                    && process.is_exiting()
                    && (is_the_servers(&process) || flushes(&process))
            };
            if Process::all().any(is_ending) && deadline.pause(Duration::from_millis(1)) {
                continue;
            }
            return Ok(());
        }
        if ours.is_empty() && !holders.iter().all(flushes) {
            log::warning(format!(
                "still in use: {} by {}",
                config.data_root().display(),
                describe(&holders)
            ));
            return Ok(());
        }
        // One that stays although it was ended is stuck in the kernel, or has not had its turn yet.
        let are_evading = ours.iter().any(|holder| !asked.contains(holder));
        // Children of the server notice its end themselves; who has not after half the time is ended.
        if deadline.remaining() < HOLDERS_TIMEOUT / 2 {
            for holder in &ours {
                let _ = holder.signal(Signal::SIGKILL);
                asked.insert(*holder);
            }
        }
        if deadline.pause(Duration::from_millis(5)) {
            continue;
        }
        // Whoever has forked again each time that he was looked at is ended with all that the server's account runs.
        let ended = !is_last_try
            && are_evading
            && !origins.is_empty()
            && evasion::end_all_of(origins, action).is_ok();
        if ended {
            is_last_try = true;
            deadline = action.slice(HOLDERS_TIMEOUT);
        } else {
            return Err(Failure::generic(format!(
                "the server has ended, but {} is still in use by {}",
                config.data_root().display(),
                describe(&holders)
            )));
        }
    }
}

/// The server mounts compressed time-series files (squashfs on loop devices) below its store and leaves them there when it
/// is killed; the Filesystem agent could then not unmount the store. What cannot be unmounted is logged.
fn unmount_leftovers(config: &Config, deadline: Deadline) {
    let leftovers = mount::below(config.data_root()).unwrap_or_else(|error| {
        log::warning(format!("cannot tell what is mounted below the store: {error}"));
        Vec::new()
    });
    let store = mount::resolve(&mount::all().unwrap_or_default(), config.data_root());
    for leftover in leftovers {
        let ours = mount::loop_backing_file(&leftover.device).is_some_and(|file| file.starts_with(&store));
        if !ours {
            log::warning(format!(
                "{} is mounted below the store and is not the server's",
                leftover.point.display()
            ));
            continue;
        }
        let unmount = || {
            Command::new("umount")
                .arg(&leftover.point)
                .run_ok(deadline.slice(UMOUNT_TIMEOUT))
        };
        // Right after a kill the kernel may still be letting go.
        let retries = deadline.slice(UMOUNT_TIMEOUT);
        let mut last = unmount();
        while last.is_err() && retries.pause(Duration::from_millis(50)) {
            last = unmount();
        }
        match last {
            Ok(_) => log::info(format!("unmounted {}", leftover.point.display())),
            Err(error) => log::warning(format!("{} stays mounted: {error}", leftover.point.display())),
        }
    }
}

/// Who holds something of the store, through whichever mount of it.
fn holders_of(store: &Path) -> Result<Vec<Process>, Failure> {
    let namespaces = namespace::all()
        .map_err(|error| Failure::generic(format!("cannot tell who uses {}: {error}", store.display())))?;
    Ok(holders::of(&Wanted::directory(store, &namespaces), &namespaces))
}
