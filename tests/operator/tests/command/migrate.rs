//! From the KWDB guide's agents to ours and back, under load.

use anyhow::{Context, Result, ensure};
use lab::cib::DATA_ROOT;
use lab::{Client, ClientOptions, Event, Lab, Node, Stalls, VIRTUAL_IP, event};
use operator::{answer, at_terminal, command, deadline, epoch, findings};
use std::time::{Duration, Instant};

const AGENT: &str = "/usr/lib/ocf/resource.d/kaiwudb/kaiwudb";
const ADDRESS_AGENT: &str = "/usr/lib/ocf/resource.d/kaiwudb/virtual-ip";
const JOURNAL: &str = "/var/lib/kaiwudb-ha/migration.json";
/// The longest time between two commits that a migration may cost.
const GAP: Duration = Duration::from_millis(200);

/// What must be the same after a migration that was taken back.
#[derive(Debug, PartialEq, Eq)]
struct Before {
    resources: String,
    pins_the_store: bool,
    enabled: Vec<String>,
    server: i32,
    /// The kernel's number of the mount and of its parent, and the address with all that the kernel says of it.
    mount: String,
    address: String,
}

fn seen(lab: &Lab) -> Result<Before> {
    let [first, _] = lab.nodes();
    let section = |name: &str| first.exec_ok(["cibadmin", "--query", "--scope", name], deadline());
    let enabled = |node: &Node| {
        node.shell("systemctl is-enabled kaiwudb.service || true", deadline())
            .map(|word| word.trim().to_owned())
    };
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    Ok(Before {
        resources: section("resources")?,
        pins_the_store: section("crm_config")?.contains("kaiwudb-store-KaiwuDB"),
        enabled: lab.nodes().iter().map(enabled).collect::<Result<_>>()?,
        server: event::server(active)?,
        mount: active.shell(&format!("grep ' {DATA_ROOT} ' /proc/self/mountinfo"), deadline())?,
        address: active.shell(&format!("ip -o address show to {VIRTUAL_IP}"), deadline())?,
    })
}

/// Whether every resource of the database has our agent.
fn is_ours(lab: &Lab) -> Result<()> {
    let resources = seen(lab)?.resources;
    for kind in ["kaiwudb", "filesystem", "virtual-ip"] {
        let words = ["<primitive", "provider=\"kaiwudb\"", &format!("type=\"{kind}\"")];
        let is_it = |line: &str| words.iter().all(|word| line.contains(word));
        ensure!(resources.lines().any(is_it), "{kind}: {resources}");
    }
    ensure!(!resources.contains("heartbeat"), "{resources}");
    Ok(())
}

/// Follows what the kernel says of addresses on a node.
struct Addresses<'a>(&'a Node);

impl<'a> Addresses<'a> {
    const SAID: &'static str = "/run/addresses.said";
    /// An address by which it is seen that somebody listens.
    const OTHER: &'static str = "192.0.2.99";

    fn follow(node: &'a Node) -> Result<Self> {
        let begin = format!(
            "setsid ip -o monitor address >{said} 2>&1 </dev/null & echo $! >{said}.pid
             for i in $(seq 100); do
                 ip address add {other}/32 dev lo; ip address del {other}/32 dev lo
                 grep -q 'Deleted.*{other}' {said} && exit 0
                 sleep 0.1
             done
             exit 1",
            said = Self::SAID,
            other = Self::OTHER
        );
        node.shell(&begin, deadline())?;
        Ok(Self(node))
    }

    /// The virtual IP has not been away for a moment.
    fn nothing_was_removed(self) -> Result<()> {
        let end = format!("kill $(cat {said}.pid); cat {said}", said = Self::SAID);
        let said = self.0.shell(&end, deadline())?;
        let removed = |line: &&str| line.contains("Deleted") && line.contains(VIRTUAL_IP);
        ensure!(!said.lines().any(|line| removed(&line)), "{said}");
        Ok(())
    }
}

/// Nothing is held any more, and the database is watched.
fn is_managed(lab: &Lab) -> Result<()> {
    let status = lab.cluster().cib()?;
    ensure!(!status.contains("kaiwudb-ha-migrate"), "{status}");
    let text = lab.cluster().text();
    ensure!(
        !text.contains("maintenance") && !text.contains("unmanaged"),
        "{text}"
    );
    Ok(())
}

/// Starts a migration and ends it by SIGKILL as soon as it has come to a step.
fn kill_in(node: &Node, arguments: &str, step: &str) -> Result<()> {
    let script = format!(
        "setsid kaiwudb-ha migrate {arguments} --yes >/run/migrate.said 2>&1 </dev/null & pid=$!
         for i in $(seq 2000); do
             grep -q '\"step\": \"{step}\"' {JOURNAL} 2>/dev/null && kill -KILL $pid && exit 0
             sleep 0.05
         done
         cat /run/migrate.said {JOURNAL} >&2
         exit 1"
    );
    node.exec_ok(["bash", "-c", &script], deadline())
        .map(drop)
        .with_context(|| format!("the step {step} was not seen"))
}

pub(crate) fn check_names_it(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        node.shell("systemctl enable --quiet kaiwudb.service", deadline())?;
    }
    let (_, report) = answer(&lab.nodes()[0], "kaiwudb-ha check --json")?;
    ensure!(findings(&report, true).contains("database-by-unit"), "{report:#}");
    ensure!(report.to_string().contains("kaiwudb-ha migrate"), "{report:#}");
    Ok(())
}

pub(crate) fn it_refuses(lab: &Lab) -> Result<()> {
    let [first, second] = lab.nodes();
    let before = (seen(lab)?, epoch(first)?);
    let refused = |words: &str, why: &str| {
        let refused = command(first, &format!("kaiwudb-ha migrate {words}"))?;
        ensure!(
            refused.status == Some(3) && refused.stderr.contains(why),
            "{words}: {refused}"
        );
        anyhow::Ok(())
    };
    refused("", "standard input is not a terminal")?;
    refused("--back", "no record of a migration")?;
    second.shell(&format!("mv {AGENT} {AGENT}.away"), deadline())?;
    let missing = refused("--yes", "cannot be used on node2");
    second.shell(&format!("mv {AGENT}.away {AGENT}"), deadline())?;
    missing?;
    // No, and a dry run.
    let declined = at_terminal(first, "kaiwudb-ha migrate", "Begin?", "echo n")?;
    ensure!(declined.status == Some(5), "{declined}");
    let dry = command(first, "kaiwudb-ha migrate --dry-run --json")?;
    ensure!(
        dry.status == Some(0) && dry.stdout.contains("\"possible\""),
        "{dry}"
    );
    // What ours could not do on a node stays with its agent, and the rest goes on.
    let refuses = format!(
        "#!/bin/sh\nif [ \"$1\" = validate-all ]; then echo 'ocf-exit-reason:no subnet for a test' >&2; exit 2; fi\n\
         exec {ADDRESS_AGENT}.real \"$@\"\n"
    );
    second.shell(&format!("mv {ADDRESS_AGENT} {ADDRESS_AGENT}.real"), deadline())?;
    second.write_file_with_mode(ADDRESS_AGENT, refuses, 0o755)?;
    let kept = command(first, "kaiwudb-ha migrate --dry-run --json");
    second.shell(&format!("mv {ADDRESS_AGENT}.real {ADDRESS_AGENT}"), deadline())?;
    let kept = kept?;
    let report: serde_json::Value = serde_json::from_str(&kept.stdout)?;
    ensure!(
        kept.status == Some(0)
            && report["kept"][0]["id"] == "ClusterIP"
            && report["kept"][0]["why"] == "node2: no subnet for a test"
            && report["resources"]
                .as_array()
                .is_some_and(|exchanged| exchanged.len() == 2),
        "{kept}"
    );
    ensure!((seen(lab)?, epoch(first)?) == before, "something has changed");
    Ok(())
}

pub(crate) fn a_change_by_somebody_else(lab: &Lab) -> Result<()> {
    let [first, _] = lab.nodes();
    let before = seen(lab)?;
    // While the operator reads the question, the configuration changes.
    let change = "crm_attribute -t crm_config -n cluster-recheck-interval -v 10min >/dev/null && echo y";
    let refused = at_terminal(first, "kaiwudb-ha migrate", "Begin?", change)?;
    ensure!(
        refused.status == Some(3)
            && refused.stdout.contains("nothing was done")
            && refused.stdout.contains("changed by another user"),
        "{refused}"
    );
    first.shell(
        "crm_attribute -t crm_config -n cluster-recheck-interval -D",
        deadline(),
    )?;
    ensure!(seen(lab)?.resources == before.resources, "something has changed");
    is_managed(lab)
}

pub(crate) fn a_failed_step_is_taken_back(lab: &Lab) -> Result<()> {
    let [first, second] = lab.nodes();
    let before = seen(lab)?;
    // Everything looks well until the agent is asked on the node that does not serve.
    let broken = format!(
        "#!/bin/sh\nif [ \"$1\" = meta-data ]; then exec {AGENT}.real \"$@\"; fi\n\
         echo 'ocf-exit-reason:broken for a test' >&2\nexit 1\n"
    );
    second.shell(&format!("mv {AGENT} {AGENT}.real"), deadline())?;
    second.write_file_with_mode(AGENT, broken, 0o755)?;
    let failed = command(first, "kaiwudb-ha migrate --yes");
    second.shell(&format!("mv {AGENT}.real {AGENT}"), deadline())?;
    let failed = failed?;
    ensure!(
        failed.status == Some(3)
            && failed.stderr.contains("was reverted")
            && failed.stderr.contains("broken for a test"),
        "{failed}"
    );
    ensure!(seen(lab)? == before, "{before:#?} {:#?}", seen(lab)?);
    is_managed(lab)?;
    let nothing = first.exec(["test", "-e", JOURNAL], deadline())?;
    ensure!(nothing.status == Some(1), "the journal is left");
    Ok(())
}

/// A monitor has been degraded, and Pacemaker remembers it: in maintenance `crm_resource --wait` then waits for ever.
fn be_degraded_once(active: &Node) -> Result<()> {
    active
        .shell(
            "systemctl enable --quiet kaiwudb.service
         for i in $(seq 120); do
             cibadmin --query | grep -q 'id=\"KaiwuDB_last_failure_0\".*rc-code=\"190\"' && break
             sleep 0.5
         done
         systemctl disable --quiet kaiwudb.service
         cibadmin --query | grep -q 'id=\"KaiwuDB_last_failure_0\".*rc-code=\"190\"'",
            deadline(),
        )
        .map(drop)
        .context("the monitor was not degraded")
}

pub(crate) fn under_load(lab: &Lab) -> Result<()> {
    let [first, second] = lab.nodes();
    let before = seen(lab)?;
    let addresses = Addresses::follow(lab.cluster().wait_active("ClusterIP", deadline())?)?;
    let stalls = Stalls::watch()?;
    let mut client = Client::start(lab, &ClientOptions::default())?;
    client.wait_for_commits(5, deadline())?;
    let begun = Instant::now();

    let migrated = command(second, "kaiwudb-ha migrate --yes --json")?;
    ensure!(
        migrated.status == Some(0) && migrated.stdout.contains("\"migrated\""),
        "{migrated}"
    );
    is_ours(lab)?;
    let now = seen(lab)?;
    ensure!(
        now.server == before.server && now.enabled == ["disabled", "disabled"],
        "{now:#?}"
    );
    ensure!(
        now.mount == before.mount && now.address == before.address,
        "{before:#?} {now:#?}"
    );
    // Of a former node's clients nothing was known to the guide's agent.
    ensure!(now.resources.contains("name=\"tickle_dir\""), "{now:#?}");
    ensure!(now.pins_the_store, "the store is not pinned");
    // MODE belongs to the server's account.
    for (name, value) in [
        ("user", "kaiwudb"),
        ("binary", "kwbase"),
        ("runtime", "bare"),
        ("data_root", DATA_ROOT),
    ] {
        let is_written = (now.resources.lines())
            .any(|line| line.contains(&format!("name=\"{name}\"")) && line.contains(&format!("{value}\"")));
        ensure!(is_written, "{name}: {now:#?}");
    }
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let order = active.shell("systemctl show --property=Before kaiwudb.service", deadline())?;
    ensure!(order.contains("pacemaker.service"), "{order}");
    let again = command(second, "kaiwudb-ha migrate --yes")?;
    ensure!(
        again.status == Some(0) && again.stdout.contains("Nothing to migrate"),
        "{again}"
    );
    // The record is on the node on which it was run.
    ensure!(
        command(first, "kaiwudb-ha migrate --back --yes")?.status == Some(3),
        "the way back without a record"
    );
    be_degraded_once(active)?;
    let back = command(second, "kaiwudb-ha migrate --back --yes")?;
    ensure!(back.status == Some(0), "{back}");
    ensure!(seen(lab)? == before, "{before:#?} {:#?}", seen(lab)?);
    let left = active.shell("pgrep -f '[k]aiwudb-sentinel|[v]irtual-ip' || true", deadline())?;
    ensure!(left.trim().is_empty(), "a companion is left: {left}");

    // Interrupted on the way: taken back, or finished.
    kill_in(second, "", "probe")?;
    let elsewhere = command(first, "kaiwudb-ha migrate --yes")?;
    ensure!(
        elsewhere.status == Some(3) && elsewhere.stderr.contains("started on node2"),
        "{elsewhere}"
    );
    let back = command(second, "kaiwudb-ha migrate --back --yes")?;
    ensure!(
        back.status == Some(0) && back.stderr.contains("interrupted"),
        "{back}"
    );
    ensure!(seen(lab)? == before, "{before:#?} {:#?}", seen(lab)?);
    kill_in(second, "", "exchange")?;
    let finished = at_terminal(second, "kaiwudb-ha migrate", "Finish it", "echo y")?;
    ensure!(finished.status == Some(0), "{finished}");
    is_ours(lab)?;
    is_managed(lab)?;
    let now = seen(lab)?;
    ensure!(
        (now.server, &now.mount, &now.address) == (before.server, &before.mount, &before.address),
        "{before:#?} {now:#?}"
    );
    addresses.nothing_was_removed()?;

    let ended = Instant::now();
    let report = client.stop();
    let longest = report
        .longest_gap_between(begun, ended)
        .context("fewer than two commits")?;
    let beyond = stalls.beyond(longest);
    let words = format!(
        "longest time between two commits: {:?}, {beyond:?} without stalls of the machine",
        longest.length()
    );
    eprintln!("{words}");
    ensure!(beyond < GAP, "{words}");
    ensure!(client.lost()?.is_empty(), "acknowledged rows were lost");
    Ok(())
}

pub(crate) fn afterwards_the_cluster_works(lab: &Lab) -> Result<()> {
    let client = Client::start(lab, &ClientOptions::default())?;
    client.wait_for_commits(50, deadline())?;
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let adopted = event::server(active)?;
    event::signal(adopted, nix::sys::signal::Signal::SIGKILL)?;
    client.wait_for_commits(50, deadline())?;
    ensure!(
        event::server(lab.cluster().wait_active("KaiwuDB", deadline())?)? != adopted,
        "the server that was killed runs"
    );
    lab.cluster().cleanup(None, deadline())?;
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    event::standby(active, true)?;
    lab.cluster().wait_idle(deadline())?;
    client.wait_for_commits(50, deadline())?;
    let other = lab.cluster().wait_active("KaiwuDB", deadline())?;
    ensure!(other.name() != active.name(), "it has not moved");
    ensure!(client.lost()?.is_empty(), "acknowledged rows were lost");
    Event::repair(lab)?;
    // systemd knows nothing of a server that the agent has started.
    let back = command(&lab.nodes()[1], "kaiwudb-ha migrate --back --yes")?;
    ensure!(
        back.status == Some(3) && back.stderr.contains("was started by the agent"),
        "{back}"
    );
    // The exchange of an agent that works would cost an outage.
    let (_, plan) = answer(other, "kaiwudb-ha plan --json")?;
    let changes = plan["changes"].as_array().context("no plan")?;
    ensure!(
        !changes
            .iter()
            .any(|change| change.to_string().contains("Filesystem")),
        "the file system gets another agent: {plan:#}"
    );
    for node in lab.nodes() {
        node.exec_ok(["rm", "-f", JOURNAL], deadline())?;
    }
    Ok(())
}
