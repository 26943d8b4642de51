//! Types what a page shows.

use crate::page::{Section, Step, sections};
use crate::screen::compare;
use anyhow::{Context, Result, anyhow, bail, ensure};
use lab::{Client, ClientOptions, Deadline, Lab, Node};
use operator::deadline;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// The longest of what is typed: a drill, a node that boots.
const PATIENCE: Duration = Duration::from_secs(240);

/// Said of a section that puts an older state of the data back.
const ROWS: &str = "rows are lost";

/// Until a node that boots is seen to do so.
const BOOT: Duration = Duration::from_secs(15);

/// What these print changes while the cluster works: a person types them until it is as shown. Their exit status is part of the answer.
const LOOKS: [&str; 10] = [
    "kaiwudb-ha status",
    "kaiwudb-ha check",
    "kaiwudb-ha alerts list",
    "crm_mon",
    "crm_attribute",
    "pcs status",
    "pcs stonith history",
    "pcs quorum status",
    "systemctl is-active",
    "systemctl is-enabled",
];

/// Does the part with this number, and prints how many commands that were.
pub(crate) fn part(lab: &Lab, language: &str, number: &str) -> Result<()> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/handbook")
        .join(language);
    let path = fs::read_dir(&directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(number))
        })
        .with_context(|| format!("{language} has no part {number}"))?;
    let text = fs::read_to_string(&path)?;
    let only = std::env::var("HANDBOOK_SECTION").unwrap_or_default();
    let (mut typed, mut elsewhere) = (0, 0);
    let mut failed = Vec::new();
    for section in sections(&text).with_context(|| path.display().to_string())? {
        elsewhere += section.elsewhere;
        if section.commands() == 0 || !section.heading.contains(&only) {
            continue;
        }
        typed += section.commands();
        if let Err(error) = as_begun(lab).and_then(|()| play(lab, language, &section)) {
            let error = format!("{}: {}: {error:#}", path.display(), section.heading);
            eprintln!("{error}");
            failed.push(error);
        }
    }
    eprintln!(
        "{}: {typed} commands typed, {elsewhere} need DRBD or a site",
        path.display()
    );
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    ensure!(typed > 0, "{}: nothing was typed", path.display());
    Ok(())
}

/// Both nodes online, the database on node1, no failure.
fn as_begun(lab: &Lab) -> Result<()> {
    lab::Event::repair(lab)?;
    let [first, second] = lab.nodes();
    if lab.cluster().wait_active("ClusterIP", deadline())?.name() != first.name() {
        lab::event::standby(second, true)?;
        lab.cluster().wait_idle(deadline())?;
        lab::event::standby(second, false)?;
    }
    lab.cluster().wait_idle(deadline())?;
    let active = lab.cluster().wait_active("ClusterIP", deadline())?;
    ensure!(
        active.name() == first.name(),
        "the database is on {}",
        active.name()
    );
    Ok(())
}

/// A client writes the whole time: none of its rows may be missing afterwards.
fn play(lab: &Lab, language: &str, section: &Section) -> Result<()> {
    let mut client = Client::start(lab, &ClientOptions::default())?;
    client.wait_for_commits(5, deadline())?;
    for step in &section.steps {
        match step {
            Step::Command {
                node,
                line,
                shown,
                at,
            } => {
                typed(lab.node(node)?, language, line, shown)
                    .with_context(|| format!("line {at}: {node}# {line}"))?;
            }
            Step::Lab { words, at } => around(lab, words).with_context(|| format!("line {at}: {words}"))?,
        }
    }
    let report = client.stop();
    let gap = report.longest_gap().map_or(Duration::ZERO, lab::Gap::length);
    let lost = client.lost()?;
    eprintln!(
        "  {}: {} commands, longest time without a commit {:.1} s, {} rows lost",
        section.heading,
        section.commands(),
        gap.as_secs_f64(),
        lost.len()
    );
    let is_meant = |step: &Step| matches!(step, Step::Lab { words, .. } if words == ROWS);
    ensure!(
        lost.is_empty() || section.steps.iter().any(is_meant),
        "{} rows are lost",
        lost.len()
    );
    Ok(())
}

fn typed(node: &Node, language: &str, line: &str, shown: &[String]) -> Result<()> {
    let locale = if language == "en" {
        "C.UTF-8"
    } else {
        "zh_CN.UTF-8"
    };
    if line.contains("reboot") {
        // The connection ends with it.
        let _ = node.exec(["sh", "-c", line], Deadline::after(Duration::from_secs(20)));
        return Ok(());
    }
    let command = format!("export LANG={locale} NO_COLOR=1; {line}");
    let asked = shown.iter().any(|line| line.ends_with("[y/N] y"));
    let looks = LOOKS.iter().any(|begin| line.starts_with(begin));
    let end = deadline();
    loop {
        let limit = Deadline::after(PATIENCE);
        let output = if asked {
            lab::at_terminal(node, &command, "[y/N]", "echo y", limit)?
        } else {
            node.exec(["sh", "-c", &format!("{{ {command}\n}} </dev/null 2>&1")], limit)?
        };
        let screen = format!("{}{}", output.stdout, output.stderr).replace('\r', "");
        if std::env::var_os("HANDBOOK_SCREENS").is_some() {
            eprintln!("{}# {line}\n{screen}", node.name());
        }
        let result = match output.status {
            Some(0) => compare(shown, &screen),
            Some(1 | 3 | 4) if looks => compare(shown, &screen),
            status => Err(anyhow!("it ended with {status:?}:\n{screen}")),
        };
        if result.is_ok() || !looks || !end.pause(Duration::from_secs(2)) {
            return result;
        }
    }
}

/// What is not typed.
fn around(lab: &Lab, words: &str) -> Result<()> {
    let limit = Deadline::after(PATIENCE);
    match words.split_once(' ') {
        Some(("power-off", node)) => lab.node(node)?.power_off(),
        Some(("power-on", node)) => {
            lab.node(node)?.power_on()?;
            lab.node(node)?.wait_booted(limit)
        }
        _ if words == ROWS => Ok(()),
        None if words == "online" => {
            for node in lab.nodes() {
                // One that reboots by itself is on until it is off.
                while node.wait_booted(Deadline::after(BOOT)).is_err() {
                    node.power_on()?;
                    ensure!(
                        limit.pause(Duration::from_secs(1)),
                        "{} does not come back",
                        node.name()
                    );
                }
            }
            lab.cluster().wait_online(limit)
        }
        Some((node, script)) if node.ends_with(':') => lab
            .node(node.trim_end_matches(':'))?
            .shell(script, limit)
            .map(drop),
        _ => bail!("the lab knows power-off, power-on, online and NODE: COMMAND"),
    }
}
