//! The vendor's unit, started and watched through systemd. Its `ExecStop` together with `KillMode=control-group` sends
//! SIGTERM twice by accident, so the agent ends the server itself and lets systemd notice.

use super::found::Found;
use crate::config::Config;
use host::daemon::End;
use host::{Command, Deadline};
use ocf::Failure;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const ONE_CALL: Duration = Duration::from_secs(20);

fn systemctl(arguments: &[&str]) -> Command {
    Command::new("systemctl")
        .args(["--no-ask-password", "--no-pager"])
        .args(arguments)
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::generic(format!("systemd: {error}"))
}

/// Properties of the unit; `systemctl show` prints name=value and never fails for an unknown unit.
fn properties(config: &Config, names: &str, deadline: Deadline) -> Result<BTreeMap<String, String>, Failure> {
    let output = systemctl(&["show", &config.unit, "--property", names])
        .run_ok(deadline.slice(ONE_CALL))
        .map_err(|error| failed(&error))?;
    let text = output.text();
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect())
}

pub(super) fn check_installation(config: &Config, deadline: Deadline) -> Result<Found, Failure> {
    let found = properties(config, "LoadState,Restart", deadline)?;
    match found.get("LoadState").map(String::as_str) {
        Some("loaded") => Ok(if restarts(&found) {
            Found::Restarts
        } else {
            Found::Ready
        }),
        state => Err(Failure::not_installed(format!(
            "the unit {} cannot be used (LoadState {}); install KWDB on this node or set the parameter unit",
            config.unit,
            state.unwrap_or("unknown")
        ))),
    }
}

fn restarts(properties: &BTreeMap<String, String>) -> bool {
    properties.get("Restart").is_none_or(|restart| restart != "no")
}

pub(super) fn start(config: &Config, found: Found, deadline: Deadline) -> Result<(), Failure> {
    if found == Found::Restarts {
        write_drop_in(config, deadline)?;
    }
    // A unit that failed before may be held back by its start limit.
    let _ = systemctl(&["reset-failed", &config.unit]).run(deadline.slice(ONE_CALL));
    systemctl(&["start", &config.unit])
        .run_ok(deadline)
        .map(drop)
        .map_err(|error| failed(&error))
}

pub(super) fn forbid_restart(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    if restarts(&properties(config, "Restart", deadline)?) {
        write_drop_in(config, deadline)?;
    }
    Ok(())
}

/// A unit with `Restart=` would start the server again behind the cluster's back. A drop-in in /run says no,
/// as Pacemaker's own does for `systemd:` resources.
fn write_drop_in(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let directory = PathBuf::from(format!("/run/systemd/system/{}.d", config.unit));
    std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::write(directory.join("50-kaiwudb-ha.conf"), "[Service]\nRestart=no\n"))
        .map_err(|error| failed(&error))?;
    systemctl(&["daemon-reload"])
        .run_ok(deadline.slice(ONE_CALL))
        .map(drop)
        .map_err(|error| failed(&error))
}

pub(super) fn settle(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    systemctl(&["stop", &config.unit])
        .run_ok(deadline)
        .map_err(|error| failed(&error))?;
    let _ = systemctl(&["reset-failed", &config.unit]).run(deadline.slice(ONE_CALL));
    Ok(())
}

pub(super) fn how_it_ended(config: &Config, deadline: Deadline) -> Option<String> {
    let found = properties(config, "ActiveState,ExecMainCode,ExecMainStatus,Result", deadline).ok()?;
    let value = |name: &str| found.get(name).map_or("", String::as_str);
    if !matches!(value("ActiveState"), "failed" | "inactive") {
        return None;
    }
    let status = value("ExecMainStatus").parse().ok()?;
    // ExecMainCode is the kernel's CLD_ number: 1 exited, 2 killed, 3 dumped core.
    let end = match value("ExecMainCode") {
        "2" | "3" => End::Signaled(status),
        _ => End::Exited(status),
    };
    // What systemd makes of it, where that is more than the end itself: "oom-kill", "start-limit-hit".
    Some(match value("Result") {
        "success" | "exit-code" | "signal" => end.how(),
        result => format!("{} (systemd: {result})", end.how()),
    })
}

pub(super) fn words(config: &Config, deadline: Deadline) -> String {
    Command::new("journalctl")
        .args([
            "--no-pager",
            "--quiet",
            "--output=cat",
            "--lines=40",
            "--unit",
            &config.unit,
        ])
        .run_ok(deadline.slice(ONE_CALL))
        .map(|output| output.text())
        .unwrap_or_default()
}
