//! The vendor's container `kaiwudb-container`, through Docker or Podman. The server's process is seen from this host like any other,
//! so it is watched and ended like any other; the engine is asked how the container is made and set not to restart it.

use super::found::Found;
use crate::config::Config;
use host::daemon::End;
use host::untrusted::{self, Writers};
use host::{Command, Deadline, mount};
use ocf::Failure;
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ONE_CALL: Duration = Duration::from_secs(20);
/// How long the engine may take to come up after boot.
const UP: Duration = Duration::from_secs(60);
/// Made by the vendor's installer.
const COMPOSE_FILE: &str = "/etc/kaiwudb/script/docker-compose.yml";

/// What runs the container. Where both are installed it is Docker, which the vendor's installer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Docker,
    Podman,
}

impl Engine {
    fn installed() -> Option<Self> {
        let is_installed = |engine: &Self| engine.call(&[]).is_installed();
        [Self::Docker, Self::Podman].into_iter().find(is_installed)
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        }
    }

    fn call(self, arguments: &[&str]) -> Command {
        Command::new(self.program()).args(arguments)
    }

    fn failed(self, error: &dyn fmt::Display) -> Failure {
        Failure::generic(format!("{}: {error}", self.name()))
    }

    /// What makes containers from a compose file, the first that is there: the program of its own (Compose 1, which the vendor's unit calls)
    /// or the engine's subcommand (Compose 2). Docker's have to be told to name and limit as Compose 1 did, Podman's does so and does not
    /// know the word.
    fn composer(self, is_there: impl Fn(&[&'static str]) -> bool) -> Option<Vec<&'static str>> {
        let (all, manner): ([&[&str]; 2], &[&str]) = match self {
            Self::Docker => (
                [&["docker-compose"], &["docker", "compose"]],
                &["--compatibility"],
            ),
            Self::Podman => ([&["podman-compose"], &["podman", "compose"]], &[]),
        };
        let found = all.into_iter().find(|words| is_there(words))?;
        Some([found, manner].concat())
    }
}

/// What `inspect` of either engine says, as far as it matters.
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

/// The container; `None` when there is none of that name.
fn inspect(engine: Engine, config: &Config, deadline: Deadline) -> Result<Option<Inspected>, Failure> {
    let output = engine
        .call(&["container", "inspect", &config.container])
        .run(deadline.slice(ONE_CALL))
        .map_err(|error| engine.failed(&error))?;
    if !output.status.success() {
        let words = output.last_words();
        // There is one status for everything, and an empty list for "no such container".
        return if output.text().trim() == "[]" {
            Ok(None)
        } else {
            Err(engine.failed(&words))
        };
    }
    let mut found: Vec<Inspected> =
        serde_json::from_slice(&output.stdout).map_err(|error| engine.failed(&error))?;
    Ok(found.pop())
}

fn engine() -> Result<Engine, Failure> {
    Engine::installed().ok_or_else(|| {
        Failure::not_installed(
            "runtime=container needs docker or podman, neither of which is installed on this node",
        )
    })
}

pub(super) fn check_installation(config: &Config, deadline: Deadline) -> Result<Found, Failure> {
    let engine = engine()?;
    match inspect_when_up(engine, config, deadline)? {
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
    let engine = engine()?;
    if found == Found::Missing {
        make(engine, config, deadline)?;
    }
    if found != Found::Ready {
        never_restart(engine, config, deadline)?;
    }
    engine
        .call(&["start", &config.container])
        .run_ok(deadline)
        .map(drop)
        .map_err(|error| engine.failed(&error))
}

/// From the installer's compose file, without starting it. The engine does as root whatever the file says, so nobody but root may have had
/// a say in it.
fn make(engine: Engine, config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let writers = untrusted::writers(Path::new(COMPOSE_FILE))
        .map_err(|error| engine.failed(&format!("{COMPOSE_FILE}: {error}")))?;
    if writers != Writers::Root {
        return Err(Failure::invalid_here(format!(
            "{COMPOSE_FILE} can be changed by others than root, and {} would do as root what it says; give it and its directories \
             to root, or make the container {} yourself",
            engine.name(),
            config.container
        )));
    }
    let is_there = |words: &[&'static str]| match words {
        [program] => Command::new(program).is_installed(),
        [program, rest @ ..] => Command::new(program)
            .args(rest)
            .arg("version")
            .run_ok(deadline.slice(ONE_CALL))
            .is_ok(),
        [] => false,
    };
    let composer = engine.composer(is_there);
    let Some((program, words)) = composer.as_deref().and_then(<[_]>::split_first) else {
        return Err(Failure::not_installed(format!(
            "there is no container {} and no Compose to make it from {COMPOSE_FILE}; install docker-compose, or {} compose",
            config.container,
            engine.program()
        )));
    };
    Command::new(program)
        .args(words)
        .args(["-f", COMPOSE_FILE, "up", "--no-start"])
        .run_ok(deadline)
        .map_err(|error| engine.failed(&error))?;
    let made = inspect(engine, config, deadline)?
        .ok_or_else(|| engine.failed(&format!("{COMPOSE_FILE} makes no container {}", config.container)))?;
    serves_the_store(config, &made)
}

/// At boot the cluster may be quicker than Docker, and a failed start would be final.
fn inspect_when_up(
    engine: Engine,
    config: &Config,
    deadline: Deadline,
) -> Result<Option<Inspected>, Failure> {
    let limit = deadline.slice(UP);
    loop {
        let found = inspect(engine, config, deadline);
        if found.is_ok() || !limit.pause(Duration::from_millis(100)) {
            return found;
        }
    }
}

pub(super) fn forbid_restart(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let Some(engine) = Engine::installed() else {
        return Ok(());
    };
    match inspect(engine, config, deadline)? {
        Some(container) if container.restarts() => never_restart(engine, config, deadline),
        _ => Ok(()),
    }
}

/// The installer's compose file says `restart: on-failure`. Podman can change that since 5.1.
fn never_restart(engine: Engine, config: &Config, deadline: Deadline) -> Result<(), Failure> {
    engine
        .call(&["update", "--restart=no", &config.container])
        .run_ok(deadline.slice(ONE_CALL))
        .map(drop)
        .map_err(|error| {
            engine.failed(&format!(
                "{} would restart the server behind the cluster's back, and that cannot be changed; make the container again without a \
                 restart policy: {error}",
                config.container
            ))
        })
}

pub(super) fn settle(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let Some(engine) = Engine::installed() else {
        return Ok(());
    };
    // Returns when the container is down and its mounts are gone.
    let stop = engine.call(&["stop", "--time", "1", &config.container]);
    let Err(error) = stop.run_ok(deadline) else {
        return Ok(());
    };
    match inspect(engine, config, deadline)? {
        Some(_) => Err(engine.failed(&error)),
        None => Ok(()),
    }
}

pub(super) fn how_it_ended(config: &Config, deadline: Deadline) -> Option<String> {
    let state = inspect(Engine::installed()?, config, deadline).ok()??.state;
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
    // A shell, and the engine itself, report a signal as 128 and its number.
    let how = match state.exit_code {
        code @ 129..=192 => End::Signaled(code - 128),
        code => End::Exited(code),
    };
    Some(format!("{}{memory}{error}", how.how()))
}

pub(super) fn words(config: &Config, deadline: Deadline) -> String {
    let logs = |engine: Engine| {
        let call = engine.call(&["logs", "--tail", "40", &config.container]);
        call.run(deadline.slice(ONE_CALL)).ok()
    };
    let Some(output) = Engine::installed().and_then(logs) else {
        return String::new();
    };
    format!("{}\n{}", output.text(), String::from_utf8_lossy(&output.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_a_container() {
        let composer = |engine: Engine, there: &[&str]| {
            let found = engine.composer(|words| there.contains(&words.join(" ").as_str()));
            found.map(|words| words.join(" "))
        };
        let all = [
            "docker-compose",
            "docker compose",
            "podman-compose",
            "podman compose",
        ];
        let found = |engine, there: &[&str]| composer(engine, there).unwrap_or_default();
        assert_eq!(found(Engine::Docker, &all), "docker-compose --compatibility");
        assert_eq!(found(Engine::Docker, &all[1..]), "docker compose --compatibility");
        assert_eq!(found(Engine::Podman, &all), "podman-compose");
        assert_eq!(found(Engine::Podman, &all[3..]), "podman compose");
        assert_eq!(composer(Engine::Docker, &all[2..]), None);
    }

    /// Shape of the answer of Docker 20.10 and 28 and of Podman 4.3, shortened.
    #[test]
    fn an_answer_of_an_engine() {
        let text = r#"[{"Id":"x","State":{"Status":"exited","Running":false,"Pid":0,"ExitCode":137,"OOMKilled":true,"Error":""},
            "HostConfig":{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":0}},
            "Mounts":[{"Type":"bind","Source":"/var/lib/kaiwudb","Destination":"/kaiwudb/deploy/kaiwudb-container"}]}]"#;
        let found: Vec<Inspected> = serde_json::from_str(text).unwrap();
        assert!(!found[0].state.running && found[0].state.oom_killed);
        assert_eq!(found[0].host_config.restart_policy.name, "on-failure");
        assert_eq!(found[0].mounts[0].source, Path::new("/var/lib/kaiwudb"));
    }
}
