//! Ours side by side with `ocf:linbit:drbd`, in the same machines and states.

use anyhow::{Context, Result, ensure};
use drbd_scenarios::{Agent, Call, World};
use host::Deadline;
use lab::{Event, Node, activate, cib, steps};
use std::time::Duration;

const CALLS: u32 = 10;

/// Our agent believes what it found out for this many seconds, unless the kernel says something else.
const BELIEVED: f64 = 180.0;

/// Wall and processor seconds of one call.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    processor: f64,
}

impl Cost {
    /// Of one monitor in the mean, where one of `count` is `other`.
    fn with_one_of(self, count: f64, other: Self) -> Self {
        let mean = |usual: f64, rare: f64| (usual * (count - 1.0) + rare) / count;
        Self {
            wall: mean(self.wall, other.wall),
            processor: mean(self.processor, other.processor),
        }
    }
}

/// The mean of some calls, each after `before`, a shell command whose own cost is taken off.
fn cost(node: &Node, call: &Call, before: &str) -> Result<Cost> {
    let argv = call.argv(node);
    let quoted: Vec<String> = argv[1..].iter().map(|word| format!("'{word}'")).collect();
    let (variables, line) = quoted.split_at(quoted.len() - 2);
    let script = format!(
        "export {variables}; monitor() {{ {before}; {line} >/dev/null 2>&1; }}\nTIMEFORMAT='%R %U %S'\n\
         # The first one of a row finds cold caches.\n\
         monitor\n\
         time for i in $(seq {CALLS}); do monitor; done\n\
         time for i in $(seq {CALLS}); do {before}; done",
        variables = variables.join(" "),
        line = line.join(" "),
    );
    let output = node.exec(["bash", "-c", &script], Deadline::after(Duration::from_secs(300)))?;
    let numbers: Vec<f64> = (output.stderr.split_whitespace())
        .filter_map(|word| word.parse().ok())
        .collect();
    let [wall, user, system, less_wall, less_user, less_system] = numbers[..] else {
        anyhow::bail!("no times: {output}");
    };
    let calls = f64::from(CALLS);
    Ok(Cost {
        wall: (wall - less_wall) / calls,
        processor: (user + system - less_user - less_system) / calls,
    })
}

pub(crate) fn monitor(world: &World) -> Result<()> {
    let [first, second] = world.lab.nodes();
    Call::new("promote").expect(first, 0, &[])?;
    println!("    monitor, per call      ours, usual   ours, asks all   ours, mean       linbit    ratio");
    let mut worst = f64::INFINITY;
    for (role, node, status, interval) in [("Primary", first, 8, 10.0), ("Secondary", second, 0, 20.0)] {
        let [ours, theirs] = [Agent::Ours, Agent::Linbit].map(|agent| Call::new("monitor").of(agent));
        for call in [&ours, &theirs] {
            call.expect(node, status, &[])?;
        }
        let usual = cost(node, &ours, ":")?;
        let asking = cost(node, &ours, "touch -d '1 hour ago' /run/kaiwudb-ha/KaiwuData/*")?;
        let mean = usual.with_one_of(BELIEVED / interval, asking);
        let linbit = cost(node, &theirs, ":")?;
        for (what, of) in [
            ("wall", (|cost: Cost| cost.wall) as fn(Cost) -> f64),
            ("CPU", |cost| cost.processor),
        ] {
            let ratio = of(linbit) / of(mean);
            println!(
                "    {:<20} {:>11.3} s {:>14.3} s {:>10.3} s {:>10.3} s {ratio:>7.1}x",
                format!("{role}, {what}"),
                of(usual),
                of(asking),
                of(mean),
                of(linbit),
            );
            worst = worst.min(ratio);
        }
    }
    ensure!(worst >= 10.0, "ours is only {worst:.1} times cheaper");
    Ok(())
}

/// Action, interval in milliseconds, exit status: what `ocf-tester` asks of an agent, with the repetitions that must do no harm.
const CONTRACT: &[(&str, &str, i32)] = &[
    ("meta-data", "0", 0),
    ("validate-all", "0", 0),
    ("stop", "0", 0),
    ("monitor", "0", 7),
    ("stop", "0", 0),
    ("start", "0", 0),
    ("monitor", "10000", 0),
    ("monitor", "0", 0),
    ("start", "0", 0),
    ("notify", "0", 0),
    ("demote", "0", 0),
    ("promote", "0", 0),
    ("monitor", "10000", 8),
    ("monitor", "0", 8),
    ("promote", "0", 0),
    ("start", "0", 0),
    ("monitor", "10000", 0),
    ("promote", "0", 0),
    ("demote", "0", 0),
    ("demote", "0", 0),
    ("monitor", "10000", 0),
    ("reload", "0", 0),
    ("promote", "0", 0),
    ("stop", "0", 0),
    ("monitor", "10000", 7),
    ("nonsense", "0", 3),
];

/// The same calls of both agents on the same node. A difference is told; ours must keep the contract.
pub(crate) fn contract(world: &World) -> Result<()> {
    let [node, _] = world.lab.nodes();
    let run = |agent: Agent| -> Result<Vec<(Option<i32>, f64)>> {
        let calls = CONTRACT.iter().map(|(action, interval, _)| {
            let call = Call::new(action)
                .of(agent)
                .variable("OCF_RESKEY_CRM_meta_interval", interval);
            let output = call.run(node)?;
            Ok((output.status, output.elapsed.as_secs_f64()))
        });
        let answers = calls.collect();
        Call::new("stop").run(node)?;
        answers
    };
    let (theirs, ours) = (run(Agent::Linbit)?, run(Agent::Ours)?);
    let said = |(status, seconds): (Option<i32>, f64)| {
        let status = status.map_or_else(|| "killed".to_owned(), |status| status.to_string());
        format!("{status:>6} {seconds:>6.2} s")
    };
    println!(
        "    {:<22} {:>8} {:>15} {:>15}",
        "action", "expected", "ours", "linbit"
    );
    let mut wrong = Vec::new();
    for ((action, interval, expected), (ours, theirs)) in CONTRACT.iter().zip(ours.into_iter().zip(theirs)) {
        let name = format!("{action}, interval {interval}");
        println!(
            "    {name:<22} {expected:>8} {:>15} {:>15}",
            said(ours),
            said(theirs)
        );
        if ours.0 != Some(*expected) {
            wrong.push(name);
        }
    }
    ensure!(
        wrong.is_empty(),
        "ours did not do as expected: {}",
        wrong.join("; ")
    );
    Ok(())
}

pub(crate) fn standby(world: &World) -> Result<()> {
    let mut means = Vec::new();
    for (name, configuration) in [("ours", cib::drbd_ocf()), ("guide", cib::drbd_guide())] {
        world.lab.restore("installed")?;
        world
            .lab
            .cluster()
            .wait_online(Deadline::after(Duration::from_secs(300)))?;
        activate(&world.lab, &configuration).context(name)?;
        let mut outages = Vec::new();
        world.under_load(|client| {
            for _ in 0..2 {
                let begin = steps::now(&world.lab.nodes()[0])?;
                let outcome =
                    Event::Standby.run(&world.lab, client, Deadline::after(Duration::from_secs(600)))?;
                outages.push(outcome.outage().as_secs_f64());
                println!("    {name}: {:.1} s", outcome.outage().as_secs_f64());
                for step in steps::since(&world.lab, begin)? {
                    println!("    {step}");
                }
                Event::repair(&world.lab)?;
            }
            Ok(())
        })?;
        println!("    planned standby, {name}: {outages:.2?} s");
        means.push(outages.iter().sum::<f64>());
    }
    let ratio = means[1] / means[0];
    println!("    ours is {ratio:.1} times faster");
    ensure!(ratio >= 2.5, "a planned standby is only {ratio:.1} times faster");
    Ok(())
}

/// The time is taken from the machine's own logs, so that looking does not slow down what is looked at: from the kernel's line about
/// the lost connection to the attribute manager's about the new score.
pub(crate) fn score(world: &World) -> Result<()> {
    let (active, standby) = world.active_and_standby()?;
    Call::new("monitor").expect(active, 8, &[])?;
    let minute = || Deadline::after(Duration::from_secs(60));
    let begin = steps::now(standby)?;
    standby.exec_ok(["drbdadm", "disconnect", "drbd3"], minute())?;
    let setting = format!("Setting master-KaiwuData[{}]:", standby.cluster_name());
    let last = |command: &str, words: &str| -> Result<Option<(f64, String)>> {
        let log = standby.shell(command, minute())?;
        let line = log.lines().rev().find(|line| line.contains(words));
        Ok(line.and_then(|line| Some((steps::time_in(line)?, line.to_owned()))))
    };
    // Long enough for a score that comes late to be told as that.
    Deadline::after(Duration::from_secs(10)).pause(Duration::from_secs(10));
    let changed = last(
        "journalctl -k -o short-precise --no-pager -n 200",
        "conn( Connected ->",
    )?
    .filter(|(at, _)| *at >= begin)
    .context("the kernel does not tell of the lost connection")?;
    let written = last("tail -n 400 /var/log/pacemaker/pacemaker.log", &setting)?
        .filter(|(at, _)| *at >= begin)
        .context("no new score within 10 s")?;
    let seconds = written.0 - changed.0;
    println!("    {}\n    {}\n    {seconds:.2} s between", changed.1, written.1);
    ensure!(seconds <= 1.0, "the score followed only after {seconds:.2} s");
    standby.exec_ok(["drbdadm", "connect", "drbd3"], minute())?;
    Ok(())
}
