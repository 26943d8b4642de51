//! Ours side by side with `ocf:linbit:drbd`, in the same machines and states.

use anyhow::{Context, Result, ensure};
use drbd_scenarios::{Agent, Call, World};
use host::Deadline;
use lab::{Event, Node, activate, cib};
use std::time::Duration;

const CALLS: u32 = 5;

/// Wall and processor seconds of one call, the mean of some.
fn cost(node: &Node, call: &Call) -> Result<(f64, f64)> {
    let line = call
        .argv()
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(" ");
    // The first one of a row finds cold caches.
    let script = format!(
        "TIMEFORMAT='%R %U %S'\n{line} >/dev/null 2>&1\ntime for i in $(seq {CALLS}); do {line} >/dev/null 2>&1; done"
    );
    let output = node.exec(["bash", "-c", &script], Deadline::after(Duration::from_secs(300)))?;
    let numbers: Vec<f64> = (output.stderr.split_whitespace())
        .filter_map(|word| word.parse().ok())
        .collect();
    let [wall, user, system] = numbers[..] else {
        anyhow::bail!("no times: {output}");
    };
    let calls = f64::from(CALLS);
    Ok((wall / calls, (user + system) / calls))
}

pub(crate) fn monitor(world: &World) -> Result<()> {
    let [first, second] = world.lab.nodes();
    Call::new("promote").expect(first, 0, &[])?;
    println!(
        "    {:<12} {:>14} {:>14} {:>8}",
        "monitor", "ours", "linbit", "ratio"
    );
    let mut worst = f64::INFINITY;
    for (role, node, status) in [("Primary", first, 8), ("Secondary", second, 0)] {
        let calls = [Agent::Ours, Agent::Linbit].map(|agent| Call::new("monitor").of(agent));
        for call in &calls {
            call.expect(node, status, &[])?;
        }
        let (ours, linbit) = (cost(node, &calls[0])?, cost(node, &calls[1])?);
        for (what, ours, linbit) in [("wall", ours.0, linbit.0), ("CPU", ours.1, linbit.1)] {
            println!(
                "    {:<12} {ours:>12.3} s {linbit:>12.3} s {:>7.1}x",
                format!("{role} {what}"),
                linbit / ours
            );
            worst = worst.min(linbit / ours);
        }
    }
    ensure!(worst >= 10.0, "ours is only {worst:.1} times cheaper");
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
                let outcome =
                    Event::Standby.run(&world.lab, client, Deadline::after(Duration::from_secs(600)))?;
                outages.push(outcome.outage.as_secs_f64());
                Event::mend(&world.lab)?;
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

/// The time is measured in the machine: between DRBD's event and the changed attribute.
pub(crate) fn score(world: &World) -> Result<()> {
    let (active, standby) = world.active_and_standby()?;
    Call::new("monitor").expect(active, 8, &[])?;
    let query = format!(
        "crm_attribute --quiet --lifetime=reboot --node={} --name=master-KaiwuData --query",
        standby.cluster_name()
    );
    let script = format!(
        "before=$({query})
         drbdadm disconnect drbd3
         begun=$(date +%s%3N)
         while [ \"$({query} 2>/dev/null || echo none)\" = \"$before\" ]; do
             [ $(($(date +%s%3N) - begun)) -lt 60000 ] || exit 1
         done
         echo \"$before $({query} 2>/dev/null || echo none) $(($(date +%s%3N) - begun))\""
    );
    let said = standby.shell(&script, Deadline::after(Duration::from_secs(120)))?;
    println!("    score before, after, milliseconds between: {}", said.trim());
    let milliseconds: u64 = (said.split_whitespace().last())
        .and_then(|word| word.parse().ok())
        .context("no time")?;
    ensure!(
        milliseconds <= 1000,
        "the score followed only after {milliseconds} ms"
    );
    standby.exec_ok(
        ["drbdadm", "connect", "drbd3"],
        Deadline::after(Duration::from_secs(60)),
    )?;
    Ok(())
}
