//! What a monitor costs: ours next to the shell agent for PostgreSQL, on the same node, in turns.

use anyhow::{Context, Result, ensure};
use lab::cib::ocf;
use lab::{Deadline, Installation, Lab, Node, Options};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

const STEP: Duration = Duration::from_secs(120);

/// A PostgreSQL beside the database, as `ocf:heartbeat:pgsql` wants it.
const POSTGRESQL: &str = r"
version=$(ls /usr/lib/postgresql)
pg_createcluster --port 6543 $version bench >/dev/null
pg_ctlcluster $version bench start
";

/// What Pacemaker gives an agent for a recurring monitor.
const COMMON: &str = "OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=1 \
                      OCF_RESKEY_CRM_meta_interval=10000 OCF_RESKEY_CRM_meta_timeout=30000 \
                      OCF_RESKEY_crm_feature_set=3.16.2";

const OURS: &str = "OCF_RESOURCE_INSTANCE=KaiwuDB OCF_RESOURCE_PROVIDER=kaiwudb OCF_RESOURCE_TYPE=kaiwudb \
                    /usr/lib/ocf/resource.d/kaiwudb/kaiwudb monitor";

/// Words after `env` with which the shell agent asks the PostgreSQL above.
fn theirs(version: &str) -> String {
    format!(
        "OCF_RESOURCE_INSTANCE=PostgreSQL OCF_RESOURCE_PROVIDER=heartbeat OCF_RESOURCE_TYPE=pgsql \
         OCF_RESKEY_pgctl=/usr/lib/postgresql/{version}/bin/pg_ctl OCF_RESKEY_psql=/usr/lib/postgresql/{version}/bin/psql \
         OCF_RESKEY_pgdata=/var/lib/postgresql/{version}/bench OCF_RESKEY_config=/etc/postgresql/{version}/bench/postgresql.conf \
         OCF_RESKEY_pgport=6543 OCF_RESKEY_socketdir=/var/run/postgresql \
         /usr/lib/ocf/resource.d/heartbeat/pgsql monitor"
    )
}

/// Arguments: how often, then the commands; prints microseconds, a column per command.
const TURNS: &str = r#"
count=$1; shift
for ((i = 0; i < count; i++)); do
    line=
    for command in "$@"; do
        begin=${EPOCHREALTIME/./}
        $command >/dev/null 2>&1 || { $command; exit 1; }
        line="$line $((${EPOCHREALTIME/./} - begin))"
    done
    echo $line
done
"#;

struct Cost {
    name: String,
    microseconds: Vec<u64>,
    execs: usize,
    forks: usize,
}

/// Prints the table.
pub(crate) fn measure(count: u16) -> Result<()> {
    let lab = Lab::up(&Options::from_environment()?)?;
    lab::install(
        &lab,
        &lab::package_from_environment()?,
        &Installation::from_environment()?,
    )?;
    lab::activate(&lab, &ocf())?;
    let node = lab.cluster().wait_active("KaiwuDB", Deadline::after(STEP))?;
    node.shell(POSTGRESQL, Deadline::after(STEP))
        .context("PostgreSQL beside the database")?;
    let version = node.shell("ls /usr/lib/postgresql", Deadline::after(STEP))?;
    let service = format!("env {COMMON} OCF_CHECK_LEVEL=10 {OURS}");
    let commands = [
        ("kaiwudb monitor", format!("env {COMMON} {OURS}")),
        ("kaiwudb monitor, level 10 (SQL)", service),
        (
            "ocf:heartbeat:pgsql monitor",
            format!("env {COMMON} {}", theirs(version.trim())),
        ),
    ];
    let costs = cost(node, count, &commands)?;
    let base = costs.last().map(median).context("no agent was measured")?;
    let mut table = format!(
        "\nOne monitor, median of {count}, in turns on the same node:\n\n\
         | agent | time | execs | forks | ocf:heartbeat:pgsql ÷ this |\n|---|---|---|---|---|\n"
    );
    for cost in &costs {
        let _ = writeln!(
            table,
            "| {} | {:.1} ms | {} | {} | {:.1} |",
            cost.name,
            median(cost) / 1000.0,
            cost.execs,
            cost.forks,
            base / median(cost)
        );
    }
    std::io::stdout()
        .write_all(table.as_bytes())
        .context("cannot print")
}

#[allow(clippy::cast_precision_loss)] // microseconds of a process
fn median(cost: &Cost) -> f64 {
    let mut sorted = cost.microseconds.clone();
    sorted.sort_unstable();
    sorted[sorted.len() / 2] as f64
}

fn cost(node: &Node, count: u16, commands: &[(&str, String)]) -> Result<Vec<Cost>> {
    let count = count.to_string();
    let argv = ["bash", "-c", TURNS, "turns", &count]
        .into_iter()
        .chain(commands.iter().map(|(_, command)| command.as_str()));
    let lines = node.exec_ok(argv, Deadline::after(STEP))?;
    let rows: Vec<Vec<u64>> = lines
        .lines()
        .map(|line| line.split(' ').map(str::parse).collect::<Result<_, _>>())
        .collect::<Result<_, _>>()
        .with_context(|| format!("not numbers: {lines}"))?;
    let mut costs = Vec::new();
    for (column, (name, command)) in commands.iter().enumerate() {
        let (execs, forks) = processes(node, command)?;
        costs.push(Cost {
            name: (*name).to_owned(),
            microseconds: rows.iter().filter_map(|row| row.get(column).copied()).collect(),
            execs,
            forks,
        });
    }
    Ok(costs)
}

/// How many programs and processes one call takes, the agent itself not counted as a fork.
fn processes(node: &Node, command: &str) -> Result<(usize, usize)> {
    let enter = node.enter()?;
    let output = host::Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-e",
            "trace=execve,fork,vfork,clone,clone3",
            "-o",
            "/dev/stdout",
        ])
        .args(&enter)
        .args(command.split_whitespace())
        .run_ok(Deadline::after(STEP))?;
    let trace = output.text();
    let lines: Vec<&str> = trace.lines().collect();
    // Before the agent's own exec it is we who enter the node.
    let begin = lines
        .iter()
        .position(|line| line.contains("execve(\"/usr/lib/ocf/resource.d/"))
        .context("strace did not see the agent")?;
    let after = &lines[begin..];
    let execs = after
        .iter()
        .filter(|line| line.contains("execve") && line.ends_with("= 0"))
        .count();
    let forks = after
        .iter()
        .filter(|line| {
            ["fork(", "clone(", "clone3("]
                .iter()
                .any(|call| line.contains(call))
        })
        .filter(|line| !line.contains("CLONE_THREAD"))
        .count();
    ensure!(execs > 0, "strace saw no program: {trace}");
    Ok((execs, forks))
}
