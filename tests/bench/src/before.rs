//! What start, monitor and stop of the database's agent cost next to an earlier one, on the same node, in turns: both start the same server on
//! the same store, which the cluster leaves alone meanwhile.

use anyhow::{Context, Result, ensure};
use lab::cib::ocf;
use lab::{Deadline, Installation, Lab, Node, Options};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

const STEP: Duration = Duration::from_secs(300);

/// Where the earlier agent is in the node; it finds itself as its companion there.
const EARLIER: &str = "/root/earlier/kaiwudb";
const PRESENT: &str = "/usr/lib/ocf/resource.d/kaiwudb/kaiwudb";

/// How often the server is started and stopped by each.
const ROUNDS: usize = 7;

/// Arguments: rounds, monitors of each level in a round, then the agents. Prints a line for each call: agent, what, microseconds.
const TURNS: &str = r#"
rounds=$1 monitors=$2; shift 2
export OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=1 OCF_RESKEY_crm_feature_set=3.16.2 \
    OCF_RESOURCE_INSTANCE=KaiwuDB OCF_RESOURCE_PROVIDER=kaiwudb OCF_RESOURCE_TYPE=kaiwudb
call() {
    local agent=$1 what=$2; shift 2
    local begin=${EPOCHREALTIME/./}
    "$agent" "$@" >/run/said 2>&1; local status=$?
    local end=${EPOCHREALTIME/./}
    [ $status = 0 ] || { cat /run/said; exit 1; }
    echo "$agent $what $((end - begin))"
}
OCF_RESKEY_CRM_meta_timeout=90000 "$1" stop >/dev/null 2>&1 || exit 1
for ((round = 0; round < rounds; round++)); do
    for agent in "$@"; do
        OCF_RESKEY_CRM_meta_timeout=600000 call "$agent" start start
        export OCF_RESKEY_CRM_meta_interval=10000 OCF_RESKEY_CRM_meta_timeout=30000
        for ((i = 0; i < monitors; i++)); do
            call "$agent" monitor-0 monitor
            OCF_CHECK_LEVEL=10 call "$agent" monitor-10 monitor
        done
        unset OCF_RESKEY_CRM_meta_interval
        OCF_RESKEY_CRM_meta_timeout=90000 call "$agent" stop stop
    done
done
"#;

/// Prints the table; `earlier` is the other agent's program.
pub(crate) fn measure(earlier: &Path, monitors: u16) -> Result<()> {
    let lab = Lab::up(&Options::from_environment()?)?;
    lab::install(
        &lab,
        &lab::package_from_environment()?,
        &Installation::from_environment()?,
    )?;
    lab::activate(&lab, &ocf())?;
    let node = lab.cluster().wait_active("KaiwuDB", Deadline::after(STEP))?;
    let program = std::fs::read(earlier).with_context(|| earlier.display().to_string())?;
    node.shell("mkdir -p /root/earlier", Deadline::after(STEP))?;
    node.write_file_with_mode(EARLIER, program, 0o755)?;
    node.shell(
        "crm_attribute -n maintenance-mode -v true && crm_resource --wait",
        Deadline::after(STEP),
    )?;
    let times = turns(node, monitors)?;
    let mut table = format!(
        "\nNext to an earlier agent, median of {ROUNDS} starts and stops and {} monitors, in turns on the same node:\n\n\
         | action | now | earlier | now ÷ earlier |\n|---|---|---|---|\n",
        ROUNDS * usize::from(monitors)
    );
    for (what, name) in [
        ("start", "start"),
        ("monitor-0", "monitor"),
        ("monitor-10", "monitor, level 10 (SQL)"),
        ("stop", "stop"),
    ] {
        let (now, then) = (times.median(PRESENT, what)?, times.median(EARLIER, what)?);
        let _ = writeln!(
            table,
            "| {name} | {now:.1} ms | {then:.1} ms | {:.2} |",
            now / then
        );
    }
    std::io::stdout()
        .write_all(table.as_bytes())
        .context("cannot print")
}

/// Agent, what it did, and microseconds.
struct Times(Vec<(String, String, u32)>);

fn turns(node: &Node, monitors: u16) -> Result<Times> {
    let (rounds, monitors) = (ROUNDS.to_string(), monitors.to_string());
    let lines = node.exec_ok(
        ["bash", "-c", TURNS, "turns", &rounds, &monitors, PRESENT, EARLIER],
        Deadline::after(STEP),
    )?;
    let read = |line: &str| -> Option<(String, String, u32)> {
        let mut words = line.split(' ');
        let (agent, what) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some((agent, what, words.next()?.parse().ok()?))
    };
    let times = lines.lines().map(read).collect::<Option<Vec<_>>>();
    times.map(Times).with_context(|| format!("not times: {lines}"))
}

impl Times {
    /// In milliseconds.
    fn median(&self, agent: &str, what: &str) -> Result<f64> {
        let Self(all) = self;
        let mut found: Vec<u32> = all
            .iter()
            .filter(|(one, did, _)| one == agent && did == what)
            .map(|(.., time)| *time)
            .collect();
        ensure!(!found.is_empty(), "{agent} was not asked for {what}");
        found.sort_unstable();
        Ok(f64::from(found[found.len() / 2]) / 1000.0)
    }
}
