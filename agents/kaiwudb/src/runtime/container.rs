//! The vendor's container `kaiwudb-container`, through Docker. The server's process is seen from this host like any other,
//! so it is watched and ended like any other; Docker is asked which process it is and set not to restart it.

use super::found::Found;
use crate::config::Config;
use host::daemon::End;
use host::untrusted::{self, Writers};
use host::{Command, Deadline, mount};
use ocf::Failure;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ONE_CALL: Duration = Duration::from_secs(20);
/// How long Docker may take to come up after boot.
const ENGINE: Duration = Duration::from_secs(60);
/// Made by the vendor's installer.
const COMPOSE_FILE: &str = "/etc/kaiwudb/script/docker-compose.yml";

/// What `docker inspect` says, as far as it matters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: State,
    host_config: HostConfig,
    #[serde(default)]
    mounts: Vec<Mount>,
}

impl Inspected {
    fn restarts(&self) -> bool {
        !matches!(self.host_config.restart_policy.name.as_str(), "" | "no")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    exit_code: i32,
    #[serde(rename = "OOMKilled", default)]
    oom_killed: bool,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    restart_policy: RestartPolicy,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestartPolicy {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mount {
    source: PathBuf,
}

fn docker(arguments: &[&str]) -> Command {
    Command::new("docker").args(arguments)
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::generic(format!("Docker: {error}"))
}

/// The container; `None` when there is none of that name.
fn inspect(config: &Config, deadline: Deadline) -> Result<Option<Inspected>, Failure> {
    let output = docker(&["container", "inspect", &config.container])
        .run(deadline.slice(ONE_CALL))
        .map_err(|error| failed(&error))?;
    if !output.status.success() {
        let words = output.last_words();
        // Docker has one status for everything, and an empty list for "no such container".
        return if output.text().trim() == "[]" {
            Ok(None)
        } else {
            Err(failed(&words))
        };
    }
    let mut found: Vec<Inspected> = serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))?;
    Ok(found.pop())
}

pub(super) fn check_installation(config: &Config, deadline: Deadline) -> Result<Found, Failure> {
    if !docker(&[]).is_installed() {
        return Err(Failure::not_installed(
            "runtime=container needs docker, which is not installed on this node",
        ));
    }
    match inspect_when_up(config, deadline)? {
        Some(container) => {
            serves_the_store(config, &container)?;
            Ok(if container.restarts() {
                Found::Restarts
            } else {
                Found::Ready
            })
        }
        None if Path::new(COMPOSE_FILE).exists() => Ok(Found::Missing),
        None => Err(Failure::not_installed(format!(
            "there is no container {} and no {COMPOSE_FILE} to make it from; install KWDB on this node",
            config.container
        ))),
    }
}

/// A container on another directory would be another database.
fn serves_the_store(config: &Config, container: &Inspected) -> Result<(), Failure> {
    // The path may be spelled in another way in the container's definition.
    let mounts = mount::all().unwrap_or_default();
    let is_it =
        |source: &Path| mount::resolve(&mounts, source) == mount::resolve(&mounts, config.data_root());
    if container.mounts.iter().any(|mount| is_it(&mount.source)) {
        return Ok(());
    }
    Err(Failure::invalid_here(format!(
        "the container {} does not have {} mounted, so it would serve another store",
        config.container,
        config.data_root().display()
    )))
}

pub(super) fn start(config: &Config, found: Found, deadline: Deadline) -> Result<(), Failure> {
    if found == Found::Missing {
        make(config, deadline)?;
    }
    if found != Found::Ready {
        never_restart(config, deadline)?;
    }
    docker(&["start", &config.container])
        .run_ok(deadline)
        .map(drop)
        .map_err(|error| failed(&error))
}

/// From the installer's compose file, without starting it. Docker does as root whatever the file says, so nobody but root may have had a
/// say in it.
fn make(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let writers = untrusted::writers(Path::new(COMPOSE_FILE))
        .map_err(|error| failed(&format!("{COMPOSE_FILE}: {error}")))?;
    if writers != Writers::Root {
        return Err(Failure::invalid_here(format!(
            "{COMPOSE_FILE} can be changed by others than root, and Docker would do as root what it says; give it and its directories \
             to root, or make the container {} yourself",
            config.container
        )));
    }
    Command::new("docker-compose")
        .args(["--compatibility", "-f", COMPOSE_FILE, "up", "--no-start"])
        .run_ok(deadline)
        .map_err(|error| failed(&error))?;
    let made = inspect(config, deadline)?
        .ok_or_else(|| failed(&format!("{COMPOSE_FILE} makes no container {}", config.container)))?;
    serves_the_store(config, &made)
}

/// At boot the cluster may be quicker than Docker, and a failed start would be final.
fn inspect_when_up(config: &Config, deadline: Deadline) -> Result<Option<Inspected>, Failure> {
    let limit = deadline.slice(ENGINE);
    loop {
        let found = inspect(config, deadline);
        if found.is_ok() || !limit.pause(Duration::from_millis(100)) {
            return found;
        }
    }
}

pub(super) fn forbid_restart(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    if !docker(&[]).is_installed() {
        return Ok(());
    }
    match inspect(config, deadline)? {
        Some(container) if container.restarts() => never_restart(config, deadline),
        _ => Ok(()),
    }
}

/// The installer's compose file says `restart: on-failure`.
fn never_restart(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    docker(&["update", "--restart=no", &config.container])
        .run_ok(deadline.slice(ONE_CALL))
        .map(drop)
        .map_err(|error| failed(&error))
}

pub(super) fn settle(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    if !docker(&[]).is_installed() {
        return Ok(());
    }
    // Returns when the container is down and its mounts are gone.
    let Err(error) = docker(&["stop", "--time", "1", &config.container]).run_ok(deadline) else {
        return Ok(());
    };
    match inspect(config, deadline)? {
        Some(_) => Err(failed(&error)),
        None => Ok(()),
    }
}

pub(super) fn how_it_ended(config: &Config, deadline: Deadline) -> Option<String> {
    let state = inspect(config, deadline).ok()??.state;
    if state.running {
        return None;
    }
    let memory = if state.oom_killed {
        ", killed for lack of memory"
    } else {
        ""
    };
    let error = if state.error.is_empty() {
        String::new()
    } else {
        format!(", {}", state.error)
    };
    // A shell, and Docker itself, report a signal as 128 and its number.
    let how = match state.exit_code {
        code @ 129..=192 => End::Signaled(code - 128),
        code => End::Exited(code),
    };
    Some(format!("{}{memory}{error}", how.how()))
}

pub(super) fn words(config: &Config, deadline: Deadline) -> String {
    let Ok(output) = docker(&["logs", "--tail", "40", &config.container]).run(deadline.slice(ONE_CALL))
    else {
        return String::new();
    };
    format!("{}\n{}", output.text(), String::from_utf8_lossy(&output.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shape of the answer of Docker 20.10 and 28, shortened.
    #[test]
    fn an_answer_of_docker() {
        let text = r#"[{"Id":"x","State":{"Status":"exited","Running":false,"Pid":0,"ExitCode":137,"OOMKilled":true,"Error":""},
            "HostConfig":{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":0}},
            "Mounts":[{"Type":"bind","Source":"/var/lib/kaiwudb","Destination":"/kaiwudb/deploy/kaiwudb-container"}]}]"#;
        let found: Vec<Inspected> = serde_json::from_str(text).unwrap();
        assert!(!found[0].state.running && found[0].state.oom_killed);
        assert_eq!(found[0].host_config.restart_policy.name, "on-failure");
        assert_eq!(found[0].mounts[0].source, Path::new("/var/lib/kaiwudb"));
    }
}
