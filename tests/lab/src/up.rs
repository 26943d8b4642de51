//! `lab up`: a process in the background that holds the lab, and a person who waits for it.

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use lab::vm::choose_fence_handler;
use lab::{Deadline, Installation, Lab, Options, Program, Suite, cib, provision};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Last word of a lab that is complete.
const READY: &str = "is up";

/// Building an image is the longest part.
const PATIENCE: Duration = Duration::from_secs(1200);

/// Runs us again, without terminal, and prints its pid. Arguments: log file, our program, our arguments.
const BACKGROUND: &str = r#"log=$1; shift; setsid "$@" >"$log" 2>&1 </dev/null & echo $!"#;

/// What to start.
#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are flags
pub(crate) struct Arguments {
    /// Debian release of both nodes
    #[arg(long, value_name = "SUITE", default_value = "bookworm")]
    suite: Suite,
    /// The KWDB guide's resources, with the database as systemd:kaiwudb.service and without fencing
    #[arg(long, conflicts_with_all = ["ocf", "empty"])]
    guide: bool,
    /// The same resources with ocf:kaiwudb:kaiwudb, with fencing
    #[arg(long, conflicts_with = "empty")]
    ocf: bool,
    /// Virtual machines with DRBD instead of containers with a shared disk
    #[arg(long)]
    vm: bool,
    /// Booted nodes, no cluster
    #[arg(long)]
    empty: bool,
    #[arg(
        long,
        value_name = "FILE",
        help = "Debian package to install on both nodes [default: KAIWUDB_HA_DEB, with --ocf]"
    )]
    deb: Option<PathBuf>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Server program to install [default: of the directory KWBASE_HOME, else KAIWUDB_HA_STANDIN]"
    )]
    kwbase: Option<PathBuf>,
    /// Run the server with TLS
    #[arg(long)]
    tls: bool,
    /// Debian package that the nodes shall have besides what every lab needs; may be given several times
    #[arg(long = "package", value_name = "NAME", conflicts_with = "vm")]
    packages: Vec<String>,
    /// Names of the nodes in the cluster
    #[arg(long, num_args = 2, value_names = ["NAME1", "NAME2"])]
    cluster_names: Option<Vec<String>>,
    #[arg(
        long,
        value_name = "MS",
        value_parser = clap::value_parser!(u64).range(200..=60_000),
        help = "Milliseconds without a token after which the peer counts as lost [default: 600, with --vm 5000]"
    )]
    token: Option<u64>,
    /// Hold the lab in this process, until it is ended
    #[arg(long)]
    foreground: bool,
}

/// Starts the lab `name`.
pub(crate) fn run(name: &str, arguments: &Arguments) -> Result<()> {
    if !arguments.foreground {
        return in_background(name);
    }
    // Before anything is started: what is missing is missing.
    let package = package(arguments)?;
    let installation = installation(arguments)?;
    let kind = if arguments.vm {
        Options::virtual_machines()
    } else {
        Options::default()
    };
    let lab = Lab::up(&Options {
        name: Some(name.to_owned()),
        suite: arguments.suite,
        packages: arguments.packages.clone(),
        cluster_names: arguments
            .cluster_names
            .clone()
            .and_then(|names| names.try_into().ok()),
        cluster: !arguments.empty,
        token: arguments.token.map_or(kind.token, Duration::from_millis),
        ..kind
    })?;
    configure(&lab, arguments, package.as_deref(), installation.as_ref())?;
    eprintln!("lab {name} {READY}");
    // Until SIGTERM or SIGINT: the lab ends with this process.
    loop {
        Deadline::after(PATIENCE).pause(PATIENCE);
    }
}

fn configure(
    lab: &Lab,
    arguments: &Arguments,
    package: Option<&Path>,
    installation: Option<&Installation>,
) -> Result<()> {
    if let Some(package) = package {
        for node in lab.nodes() {
            node.install_package(package)?;
        }
    }
    if let Some(installation) = installation {
        provision(lab, installation)?;
    }
    if arguments.empty {
        return Ok(());
    }
    let names = lab.nodes().each_ref().map(|node| node.cluster_name().to_owned());
    let configuration = match (arguments.guide, arguments.ocf) {
        (true, _) if arguments.vm => cib::drbd_guide(),
        (true, _) => cib::guide(),
        (_, true) if arguments.vm => cib::drbd_ocf().cluster_names(&names),
        (_, true) => cib::ocf().cluster_names(&names),
        _ => cib::fenced().cluster_names(&names),
    };
    if arguments.vm {
        choose_fence_handler(lab, &configuration)?;
    }
    lab.cluster().load(&configuration)?;
    lab.cluster()
        .wait_idle(Deadline::after(lab.patience(Duration::from_secs(120))))?;
    if arguments.guide || arguments.ocf {
        // The lab stays: somebody has to look why.
        for resource in ["KaiwuDB", "ClusterIP"] {
            if lab.cluster().where_is(resource)?.is_none() {
                eprintln!(
                    "warning: {resource} does not run: 'lab status' and 'lab logs DIRECTORY' tell more"
                );
            }
        }
    }
    Ok(())
}

/// The package to install; our agents come from nowhere else.
fn package(arguments: &Arguments) -> Result<Option<PathBuf>> {
    if !arguments.ocf {
        return Ok(arguments.deb.clone());
    }
    let package = arguments
        .deb
        .clone()
        .or_else(|| std::env::var_os("KAIWUDB_HA_DEB").map(PathBuf::from));
    let package =
        package.context("--ocf needs our agents: give a package with --deb FILE or set KAIWUDB_HA_DEB")?;
    Ok(Some(package))
}

/// The server to install; none for a lab that needs none when there is none at hand.
fn installation(arguments: &Arguments) -> Result<Option<Installation>> {
    let found = match &arguments.kwbase {
        Some(path) => Ok(Installation {
            program: Program::Binary(path.clone()),
            tls: false,
            start_arguments: String::new(),
        }),
        None => Installation::from_environment(),
    };
    match found {
        Ok(installation) => Ok(Some(Installation {
            tls: arguments.tls,
            ..installation
        })),
        Err(_) if !(arguments.guide || arguments.ocf || arguments.tls) => Ok(None),
        Err(error) => Err(error.context("--kwbase FILE names one")),
    }
}

fn in_background(name: &str) -> Result<()> {
    ensure!(
        !lab::names().iter().any(|known| known == name),
        "a lab named '{name}' is up already: 'lab down' ends it"
    );
    let log = tempfile::NamedTempFile::new().context("cannot make a file for the lab's messages")?;
    let started = host::Command::new("bash")
        .args(["-c", BACKGROUND, "lab"])
        .arg(log.path())
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--foreground")
        .run_ok(Deadline::after(Duration::from_secs(10)))?
        .text();
    let process = Path::new("/proc").join(started.trim());
    let deadline = Deadline::after(PATIENCE);
    let mut shown = 0;
    loop {
        let running = process.exists();
        let text = fs::read_to_string(log.path()).context("cannot read the lab's messages")?;
        eprint!("{}", &text[shown..]);
        shown = text.len();
        if text.lines().any(|line| line == format!("lab {name} {READY}")) {
            return Ok(());
        }
        ensure!(running, "the lab did not come up");
        if !deadline.pause(Duration::from_millis(100)) {
            bail!("the lab is not up after {} s", PATIENCE.as_secs());
        }
    }
}
