//! What the tests of a whole cluster share: a lab, and for each test a scene in it.

mod ask;
pub mod everywhere;
mod scene;

pub use ask::Database;
pub use scene::Scene;

use anyhow::{Context, Result};
use lab::{ByHand, Installation, Lab, Options, cib};
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many times the floor is measured.
const ROUNDS: usize = 3;

/// A test and its name.
pub type Test = (&'static str, fn(&Scene<'_>) -> Result<()>);

/// What the tests of one binary work on.
#[derive(Debug)]
pub struct Ground {
    /// Two nodes.
    pub lab: Lab,
    /// Longest gap between two commits that a stop and a start by hand cost, measured on this machine a moment ago.
    pub floor: Duration,
    /// The loaded configuration, to which every test returns.
    pub cib: cib::Cib,
    /// Where the logs of failed tests go.
    logs: PathBuf,
}

impl Ground {
    /// Starts a lab and a database in it, both as the environment wants them.
    pub fn usual(logs: &Path) -> Result<Self> {
        Self::prepare(
            &Options::from_environment()?,
            &Installation::from_environment()?,
            logs,
        )
    }

    /// Starts a lab and a database in it.
    pub fn prepare(options: &Options, installation: &Installation, logs: &Path) -> Result<Self> {
        Self::prepare_with(options, installation, logs, ByHand::BARE, |_, cib| Ok(cib))
    }

    /// The same after a `change` of what is installed and configured, where the server is started and ended `by_hand` otherwise.
    pub fn prepare_with(
        options: &Options,
        installation: &Installation,
        logs: &Path,
        by_hand: ByHand,
        change: impl FnOnce(&Lab, cib::Cib) -> Result<cib::Cib>,
    ) -> Result<Self> {
        let package = lab::package_from_environment()?;
        let lab = Lab::up(options)?;
        lab::install(&lab, &package, installation)?;
        let names = lab.nodes().each_ref().map(|node| node.cluster_name().to_owned());
        let cib = change(&lab, cib::ocf().cluster_names(&names))?;
        let floor =
            lab::floor(&lab, installation, by_hand, ROUNDS).context("the floor cannot be measured")?;
        eprintln!("bare floor: {:.2} s", floor.as_secs_f64());
        lab::activate(&lab, &cib)?;
        Ok(Self {
            lab,
            floor,
            cib,
            logs: logs.to_owned(),
        })
    }
}

/// Runs the tests that the command line selects, one after the other on one ground, as `cargo test` would.
pub fn run<'tests>(
    tests: impl IntoIterator<Item = &'tests Test>,
    prepare: impl FnOnce(&Path) -> Result<Ground>,
    logs: &Path,
) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if arguments.list {
        let trials = tests
            .into_iter()
            .map(|(name, _)| Trial::test(*name, || Ok(())))
            .collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!("the cluster tests start two nodes as containers: run them as root");
        return ExitCode::FAILURE;
    }
    let begun = Instant::now();
    // A ground that cannot be had fails every test, with the reason.
    let ground = prepare(logs).map_err(|error| format!("{error:#}"));
    eprintln!("the database runs after {:.0} s", begun.elapsed().as_secs_f64());
    let ground = Arc::new(Mutex::new(ground));
    let trials = tests.into_iter().map(|&(name, test)| {
        let ground = Arc::clone(&ground);
        Trial::test(name, move || {
            let ground = ground.lock().unwrap_or_else(PoisonError::into_inner);
            let begun = Instant::now();
            let result = ground
                .as_ref()
                .map_err(|reason| Failed::from(reason.clone()))
                .and_then(|ground| {
                    play(ground, name, test).map_err(|error| Failed::from(format!("{error:#}")))
                });
            // At once: the summary at the end is a long time away.
            if let Err(failure) = &result {
                eprintln!("{name}: {}", failure.message().unwrap_or_default());
            }
            eprintln!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
            result
        })
    });
    let conclusion: Conclusion = libtest_mimic::run(&arguments, trials.collect());
    conclusion.exit_code()
}

/// One test. Whatever it did, the ground is made good again for the next one, and what the client and the audit saw counts.
fn play(ground: &Ground, name: &str, test: fn(&Scene<'_>) -> Result<()>) -> Result<()> {
    let scene = Scene::begin(ground).context("before the test")?;
    let result = test(&scene);
    if result.is_err() {
        let _ = ground.lab.cluster().collect_logs(&ground.logs.join(name));
    }
    let rest = scene.end().context("after the test");
    result.and(rest)
}
