//! `lab`: two real Pacemaker nodes on this machine, for people.

/// Prints a line; a reader that has gone away (`lab status | head`) is no error.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod up;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use lab::{Client, ClientOptions, Deadline, Lab, Machines, Suite};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Two real Pacemaker and Corosync nodes on this machine, with shared disk, networks that can be cut and a power switch
/// for fencing. Runs as root; everything lives in namespaces that end with the lab.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// Name of the lab, where there are several
    #[arg(long, global = true, default_value = "default", value_name = "NAME")]
    lab: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the nodes' root file system, if it is not there
    Image {
        /// Debian releases; several are possible
        #[arg(long, value_name = "SUITE", default_value = "bookworm")]
        suite: Vec<Suite>,
        /// Also the virtual machines' disk
        #[arg(long)]
        vm: bool,
    },
    /// Start a lab
    Up(up::Arguments),
    /// Show nodes, links and what the cluster says
    Status,
    /// Run a command in a node, as root
    Exec {
        /// node1 or node2
        node: String,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Open a shell in a node
    Shell {
        /// node1 or node2
        node: String,
    },
    /// Pull the plug of a node
    PowerOff {
        /// node1 or node2
        node: String,
    },
    /// Boot a node
    PowerOn {
        /// node1 or node2
        node: String,
    },
    /// Drop every packet on a link; its carrier stays
    Cut(LinkArgument),
    /// Pass every packet on a link again
    Heal(LinkArgument),
    /// Drop some packets on a link, in each direction
    Lossy {
        #[command(flatten)]
        link: LinkArgument,
        /// Per cent of the packets
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
    },
    /// Commit rows through the virtual IP, watch that nothing happens twice, and read everything back
    Client {
        /// How long
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Milliseconds from one commit to the next
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        interval: u64,
    },
    /// Copy logs and configuration of both nodes into a directory
    Logs {
        /// Made if it is not there
        directory: PathBuf,
    },
    /// End the lab
    Down,
    /// Remove what killed labs left
    Clean {
        /// Also remove the images; the next lab builds them anew
        #[arg(long)]
        images: bool,
    },
}

#[derive(Args)]
struct LinkArgument {
    /// node1/NETWORK, node2/NETWORK, or NETWORK for both; cluster, replication or management
    link: String,
}

/// The longest command in a virtual machine; in a container there is no limit.
const EXEC: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the lab makes and enters namespaces: run it as root"
    );
    let lab = || Lab::attach(&cli.lab);
    match &cli.command {
        Command::Image { suite, vm } => {
            if *vm {
                lab::vm::ensure_image()?;
            }
            for suite in suite {
                say!("{}", lab::ensure_image(*suite)?.display());
            }
        }
        Command::Up(arguments) => up::run(&cli.lab, arguments)?,
        Command::Status => status(&lab()?)?,
        Command::Exec { node, command } => return enter(&lab()?, node, command),
        Command::Shell { node } => {
            let term = std::env::var_os("TERM").and_then(|term| term.into_string().ok());
            let term = format!("TERM={}", term.as_deref().unwrap_or("dumb"));
            return enter(
                &lab()?,
                node,
                &["env".to_owned(), term, "bash".to_owned(), "--login".to_owned()],
            );
        }
        Command::PowerOff { node } => lab()?.node(node)?.power_off()?,
        Command::PowerOn { node } => {
            let lab = lab()?;
            let node = lab.node(node)?;
            node.power_on()?;
            node.wait_booted(Deadline::after(Duration::from_secs(60)))?;
        }
        Command::Cut(link) => change_links(&lab()?, &link.link, 100)?,
        Command::Heal(link) => change_links(&lab()?, &link.link, 0)?,
        Command::Lossy { link, percent } => change_links(&lab()?, &link.link, *percent)?,
        Command::Client { seconds, interval } => return client(&lab()?, *seconds, *interval),
        Command::Logs { directory } => lab()?.cluster().collect_logs(directory)?,
        Command::Down => Lab::down(&cli.lab)?,
        Command::Clean { images } => {
            lab::remove_leftovers()?;
            if *images {
                let labs = lab::names();
                ensure!(
                    labs.is_empty(),
                    "images are in use by {}: 'lab down' first",
                    labs.join(", ")
                );
                lab::remove_images()?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command in a node. In a container we become it, with our terminal; of a virtual machine the output is printed at the end.
fn enter(lab: &Lab, node: &str, command: &[String]) -> Result<ExitCode> {
    if lab.machines() == Machines::Virtual {
        let output = lab.node(node)?.exec(command, Deadline::after(EXEC))?;
        std::io::stdout().write_all(output.stdout.as_bytes())?;
        std::io::stderr().write_all(output.stderr.as_bytes())?;
        let status = output.status.context("ended by a signal")?;
        return Ok(u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from));
    }
    let enter = lab.node(node)?.enter()?;
    let (program, arguments) = enter.split_first().context("no command")?;
    let error = std::process::Command::new(program)
        .args(arguments)
        .args(command)
        .exec();
    bail!("cannot run {program}: {error}")
}

fn change_links(lab: &Lab, name: &str, percent: u8) -> Result<()> {
    for link in lab.links_named(name)? {
        link.lossy(percent)?;
    }
    Ok(())
}

fn status(lab: &Lab) -> Result<()> {
    say!("lab {}, image {}", lab.name(), lab.image().display());
    for node in lab.nodes() {
        let seen = node.observe();
        let mut words = vec![if node.is_on() { "on" } else { "off" }.to_owned()];
        words.extend(
            seen.mounted_at
                .iter()
                .map(|point| format!("shared disk at {}", point.display())),
        );
        words.extend(
            seen.servers
                .iter()
                .map(|(pid, _)| format!("server with pid {pid} of this machine")),
        );
        if seen.has_virtual_ip {
            words.push("virtual IP".to_owned());
        }
        say!("{}: {}", node.name(), words.join(", "));
    }
    for link in lab.links() {
        match link.loss()? {
            0 => {}
            100 => say!("{link}: cut"),
            percent => say!("{link}: drops {percent} % of the packets"),
        }
    }
    say!("\n{}", lab.cluster().text().trim_end());
    Ok(())
}

fn client(lab: &Lab, seconds: u64, interval: u64) -> Result<ExitCode> {
    let audit = lab.audit()?;
    let options = ClientOptions {
        interval: Duration::from_millis(interval),
        ..ClientOptions::default()
    };
    let mut client = Client::start(lab, &options)?;
    let end = Deadline::after(Duration::from_secs(seconds));
    while end.pause(Duration::from_secs(1)) {
        eprintln!("{}", client.report());
    }
    let report = client.stop();
    say!("{report}");
    ensure!(
        !report.acknowledged.is_empty(),
        "nothing was acknowledged: is a server up? See 'lab status'"
    );
    let lost = client.lost()?;
    say!("{} acknowledged rows lost", lost.len());
    audit.finish()?;
    Ok(if lost.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
