//! What the tests of `kaiwudb-ha` share: a lab with two nodes that reach each other by ssh, and the command's answers.

use anyhow::{Context, Error, Result, anyhow, ensure};
use lab::{Deadline, Installation, Lab, Node, Options, Output, Suite, cib};
use libtest_mimic::{Arguments, Failed, Trial};
use pacemaker::xml::Element;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nothing in these tests takes longer by right.
const PATIENCE: Duration = Duration::from_secs(90);

/// A test's name and what it does with the lab.
pub type Test = (&'static str, fn(&Lab) -> Result<()>);

/// Runs the tests that the command line selects, one after the other in one lab; `logs` is where those of failed ones go.
pub fn run(tests: &[Test], ground: fn() -> Result<Lab>, logs: &Path) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if !arguments.list && !nix::unistd::geteuid().is_root() {
        eprintln!("the operator's tests start two nodes as containers: run them as root");
        return ExitCode::FAILURE;
    }
    let ground = if arguments.list {
        Err("not started".to_owned())
    } else {
        ground().map_err(|error| format!("{error:#}"))
    };
    let ground = Arc::new(Mutex::new(ground));
    let trials = tests.iter().map(|&(name, test)| {
        let ground = Arc::clone(&ground);
        let logs = logs.join(name.replace("::", "-"));
        Trial::test(name, move || {
            let ground = ground.lock().unwrap_or_else(PoisonError::into_inner);
            let begun = Instant::now();
            let result = ground
                .as_ref()
                .map_err(|reason| anyhow!(reason.clone()))
                .and_then(test);
            eprintln!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
            if let (Err(_), Ok(lab)) = (&result, ground.as_ref()) {
                let _ = lab.cluster().collect_logs(&logs);
            }
            result.map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The limit of one wait.
pub fn deadline() -> Deadline {
    Deadline::after(PATIENCE)
}

/// Two nodes with KWDB, TLS, our package and ssh between them; no resources yet.
pub fn ground() -> Result<Lab> {
    ready(&Options {
        packages: vec!["openssh-server".to_owned()],
        ..Options::from_environment()?
    })
}

/// The same with our resources, which run.
pub fn running() -> Result<Lab> {
    let lab = ground()?;
    let names = lab.nodes().each_ref().map(|node| node.cluster_name().to_owned());
    lab::activate(&lab, &cib::ocf().cluster_names(&names))?;
    Ok(lab)
}

/// The node on which this resource runs, and the other one.
pub fn pair<'lab>(lab: &'lab Lab, resource: &str) -> Result<(&'lab Node, &'lab Node)> {
    let active = lab.cluster().wait_active(resource, deadline())?;
    let [one, other] = lab.nodes();
    Ok((active, if one.name() == active.name() { other } else { one }))
}

/// Nodes with KWDB, TLS, our package and ssh between them.
pub fn ready(options: &Options) -> Result<Lab> {
    let package = lab::package_from_environment()?;
    let lab = Lab::up(options)?;
    let installation = Installation {
        tls: true,
        ..Installation::from_environment()?
    };
    lab::install(&lab, &package, &installation)?;
    lab::ssh_between_nodes(&lab, deadline())?;
    Ok(lab)
}

/// Runs the command on a node.
pub fn command(node: &Node, arguments: &str) -> Result<Output> {
    let line = format!("{arguments} </dev/null");
    node.exec(["sh", "-c", &line], deadline())
}

/// The same for what waits for the cluster, twice when it has to undo.
pub fn patiently(node: &Node, arguments: &str) -> Result<Output> {
    let line = format!("{arguments} </dev/null");
    node.exec(["sh", "-c", &line], Deadline::after(Duration::from_secs(150)))
}

/// Runs it at a terminal; see [`lab::at_terminal`].
pub fn at_terminal(node: &Node, arguments: &str, question: &str, then: &str) -> Result<Output> {
    lab::at_terminal(node, arguments, question, then, deadline())
}

/// Runs it and reads its JSON; an answer that is none is an error that shows it.
pub fn answer(node: &Node, arguments: &str) -> Result<(Option<i32>, Value)> {
    let output = command(node, arguments)?;
    let value = serde_json::from_str(&output.stdout).with_context(|| format!("{arguments}: {output}"))?;
    Ok((output.status, value))
}

/// What the node's metrics are.
pub fn scrape(node: &Node) -> Result<String> {
    let output = command(node, "kaiwudb-ha metrics")?;
    ensure!(output.status == Some(0), "{output}");
    Ok(output.stdout)
}

/// The value of the first series with all of these words.
pub fn sample(text: &str, words: &[&str]) -> Result<f64> {
    let line = text
        .lines()
        .find(|line| !line.starts_with('#') && words.iter().all(|word| line.contains(word)));
    let line = line.with_context(|| format!("no {words:?} in\n{text}"))?;
    line.rsplit(' ')
        .next()
        .and_then(|value| value.parse().ok())
        .with_context(|| line.to_owned())
}

/// Runs it on both nodes: the one with the server does it, the other says why not.
pub fn on_the_servers_node(lab: &Lab, arguments: &str, refusal: &str) -> Result<()> {
    let mut done = 0;
    for node in lab.nodes() {
        let output = command(node, arguments)?;
        match output.status {
            Some(0) => done += 1,
            _ => ensure!(
                output.stderr.contains(refusal),
                "{arguments} on {}: {output}",
                node.name()
            ),
        }
    }
    ensure!(done == 1, "{arguments}: {done} nodes did it");
    Ok(())
}

/// Ids of the findings of `check` that are at least as bad as a warning, or of all of them.
pub fn findings(report: &Value, with_advice: bool) -> BTreeSet<String> {
    report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| with_advice || finding["severity"] != "advice")
        .filter_map(|finding| finding["id"].as_str().map(str::to_owned))
        .collect()
}

/// Version of the configuration: it changes with every change.
pub fn epoch(node: &Node) -> Result<String> {
    let cib = node.exec_ok(["cibadmin", "--query"], deadline())?;
    let at = cib.find(" epoch=\"").context("the configuration has no epoch")?;
    let rest = &cib[at + 8..];
    ensure!(rest.contains('"'), "the configuration is cut off");
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

/// Two nodes with KWDB, TLS, our package, `pcsd` and ssh between them, and no cluster. The password of `hacluster`, which belongs to the
/// installation, is `secret`.
pub fn bare_ground() -> Result<Lab> {
    let options = Options::from_environment()?;
    let mut packages = vec!["openssh-server".to_owned()];
    if options.suite != Suite::Bullseye {
        packages.push("ansible-core".to_owned());
    }
    let lab = ready(&Options {
        packages,
        cluster: false,
        ..options
    })?;
    for node in lab.nodes() {
        // Debian 11's second half of pcsd ends again by itself unless it is enabled.
        node.shell(
            "rm -f /etc/corosync/corosync.conf && echo hacluster:secret | chpasswd && \
             systemctl enable --quiet --now $(cd /lib/systemd/system && ls pcsd-ruby.service 2>/dev/null) pcsd.service",
            deadline(),
        )?;
    }
    Ok(lab)
}

/// A configuration as text that is the same whichever tool has written it: without ids of what has no name of its own, without what
/// is the default anyway, without what the cluster and our agents note, and sorted where order means nothing.
pub fn canonical(cib: &str) -> Result<String> {
    let cib = Element::parse(cib).map_err(Error::msg)?;
    let configuration = cib.child("configuration").context("no configuration")?;
    let mut lines = Vec::new();
    for name in ["crm_config", "resources", "constraints", "rsc_defaults"] {
        for child in configuration.all(name).flat_map(|section| &section.children) {
            let text = plain(child);
            if !text.is_empty() {
                lines.push(text);
            }
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

/// What the cluster and our agents write by themselves.
const NOTED: [&str; 8] = [
    "have-watchdog",
    "dc-version",
    "dc-deadtime",
    "cluster-infrastructure",
    "cluster-name",
    "last-lrm-refresh",
    "maintenance-mode",
    "kaiwudb-store-KaiwuDB",
];

fn plain(element: &Element) -> String {
    let anonymous = !matches!(
        element.name.as_str(),
        "primitive" | "group" | "clone" | "rsc_colocation" | "rsc_order" | "rsc_location"
    );
    if element.get("name").is_some_and(|name| NOTED.contains(&name)) {
        return String::new();
    }
    let mut attributes: Vec<String> = element
        .attributes()
        .filter(|(name, value)| {
            !(*name == "id" && anonymous || *name == "kind" && *value == "Mandatory" || *value == "Started")
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    attributes.sort();
    let mut inside: Vec<String> = element
        .children
        .iter()
        .map(plain)
        .filter(|text| !text.is_empty())
        .collect();
    if element.name != "group" {
        inside.sort();
    }
    if inside.is_empty() && attributes.is_empty() {
        return String::new();
    }
    let inside = inside.join("\n").replace('\n', "\n  ");
    let inside = if inside.is_empty() {
        inside
    } else {
        format!("\n  {inside}")
    };
    format!("{} {}{inside}", element.name, attributes.join(" "))
}
