//! What can go wrong with telling people must not touch the cluster.

use crate::ground::sinks;
use anyhow::{Result, ensure};
use lab::{Client, ClientOptions, Deadline, Event, Lab};
use operator::{answer, command, deadline, sample, scrape};
use std::time::{Duration, Instant};

/// The same fault with a sink that answers, and with one that does not: the outage is the same, and what was not told is told later.
pub(crate) fn dead_sink(lab: &Lab) -> Result<()> {
    let outage = |dead: bool| -> Result<Duration> {
        sinks()?.play_dead(dead);
        let client = Client::start(lab, &ClientOptions::default())?;
        let outcome = Event::Kill.run(lab, &client, deadline())?;
        Event::repair(lab)?;
        lab.cluster().wait_active("ClusterIP", deadline())?;
        Ok(outcome.outage())
    };
    let with = outage(false)?;
    Deadline::after(Duration::from_secs(20)).pause(Duration::from_secs(20));
    wait_for_waiting(lab, false)?;
    let since = Instant::now();
    let without = outage(true)?;
    eprintln!("  outage with a sink {with:.2?}, with a dead one {without:.2?}");
    ensure!(
        without < with * 2 + Duration::from_millis(500),
        "{without:?}, with a sink {with:?}"
    );
    // It is said which messages are not delivered, and why.
    let patience = deadline();
    loop {
        let (_, view) = answer(&lab.nodes()[0], "kaiwudb-ha status --json")?;
        let attention = view["attention"].to_string();
        if attention.contains("not delivered by mail-1") && attention.contains("not delivered by webhook-1") {
            break;
        }
        ensure!(patience.pause(Duration::from_secs(1)), "{attention}");
    }
    ensure!(
        sinks()?.messages(since).is_empty() && sinks()?.mail(since).is_empty(),
        "they are dead"
    );
    wait_for_waiting(lab, true)?;
    // The cluster does not see all of what a client sees.
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let seen = sample(&scrape(active)?, &["last_outage_seconds{", "cause=\"failure\""])?;
    eprintln!("  of it the cluster has seen {seen:.2} s");
    ensure!(seen > 0.0 && seen < without.as_secs_f64() + 2.0, "{seen} s");
    sinks()?.play_dead(false);
    sinks()?.wait(
        since,
        &["KaiwuDB failed on", "SIGKILL"],
        Deadline::after(Duration::from_secs(150)),
    )?;
    sinks()?.wait(since, &["over: "], Deadline::after(Duration::from_secs(150)))?;
    let patience = Deadline::after(Duration::from_secs(150));
    for node in lab.nodes() {
        loop {
            let (_, list) = answer(node, "kaiwudb-ha alerts list --json")?;
            if list["undelivered"].as_array().is_some_and(Vec::is_empty) {
                break;
            }
            ensure!(patience.pause(Duration::from_secs(1)), "{list:#}");
        }
    }
    wait_for_waiting(lab, false)
}

/// Waits until the metrics say that each channel has messages that wait, or that none has; on which node is not said.
fn wait_for_waiting(lab: &Lab, expected: bool) -> Result<()> {
    let patience = deadline();
    for channel in ["mail-1", "webhook-1"] {
        let label = format!("channel=\"{channel}\"");
        loop {
            let mut waiting = 0.0;
            for node in lab.nodes() {
                waiting += sample(&scrape(node)?, &["alert_undelivered_messages{", &label])?;
            }
            if (waiting > 0.0) == expected {
                break;
            }
            ensure!(
                patience.pause(Duration::from_millis(500)),
                "{channel}: {waiting} wait"
            );
        }
    }
    Ok(())
}

/// As Pacemaker calls it: as `hacluster`, hundreds of times in a second, with texts as long as the kernel takes them.
pub(crate) fn agent(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let script = "
        systemctl stop kaiwudb-ha-alerts.path kaiwudb-ha-alerts.timer kaiwudb-ha-alerts.service
        export CRM_alert_kind=resource CRM_alert_rsc=KaiwuDB CRM_alert_task=monitor CRM_alert_rc=7
        export CRM_alert_desc=\"$(head -c 120000 /dev/zero | tr '\\0' x)\"
        call='setpriv --reuid hacluster --regid haclient --clear-groups /usr/lib/kaiwudb-ha/alert'
        $call || exit 1
        begin=$(date +%s%N)
        for i in $(seq 400); do $call || exit 1; done
        end=$(date +%s%N)
        echo $(( (end - begin) / 400000 )) $(ls /run/kaiwudb-ha-alerts/spool | wc -l) $(du -sk /run/kaiwudb-ha-alerts | cut -f 1) \
             $(ls /run/kaiwudb-ha-alerts/new | wc -l)
        systemctl start kaiwudb-ha-alerts.path kaiwudb-ha-alerts.timer";
    let said = node.shell(script, deadline())?;
    eprintln!("  microseconds a call, events, KiB, unfinished: {}", said.trim());
    let numbers: Vec<u64> = said
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    ensure!(
        matches!(numbers.as_slice(), [each, 256, kib, 0] if *each < 50_000 && *kib < 4096),
        "{said}"
    );
    // They are looked at once, and nothing is told: nothing has happened.
    let patience = deadline();
    while node
        .shell("ls /run/kaiwudb-ha-alerts/spool | wc -l", deadline())?
        .trim()
        != "0"
    {
        ensure!(patience.pause(Duration::from_millis(200)), "events stay");
    }
    let others = node.shell(
        "setpriv --reuid nobody --regid nogroup --clear-groups sh -c 'echo x >/run/kaiwudb-ha-alerts/spool/x' 2>&1 || true; \
         stat -c %a /var/lib/kaiwudb-ha/alerts",
        deadline(),
    )?;
    ensure!(
        others.contains("Permission denied") && others.trim_end().ends_with("700"),
        "{others}"
    );
    Ok(())
}

/// A root file system that takes nothing any more: it is told all the same, once.
pub(crate) fn read_only(lab: &Lab) -> Result<()> {
    let since = Instant::now();
    for node in lab.nodes() {
        node.shell(
            "systemctl stop kaiwudb-ha-alerts.service; mount --bind /var/lib/kaiwudb-ha/alerts /var/lib/kaiwudb-ha/alerts && mount -o remount,bind,ro /var/lib/kaiwudb-ha/alerts",
            deadline(),
        )?;
    }
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    lab::event::signal(lab::event::server(active)?, nix::sys::signal::Signal::SIGKILL)?;
    let told = sinks()?.wait(
        since,
        &["KaiwuDB failed on", "SIGKILL"],
        Deadline::after(Duration::from_secs(30)),
    );
    let over = told.and_then(|_| sinks()?.wait(since, &["over: "], Deadline::after(Duration::from_secs(60))));
    for node in lab.nodes() {
        node.shell(
            "systemctl stop kaiwudb-ha-alerts.service; umount /var/lib/kaiwudb-ha/alerts",
            deadline(),
        )?;
    }
    over?;
    let mail = sinks()?.mail(since);
    ensure!(mail.len() == 2, "{mail:#?}");
    let screen = command(active, "kaiwudb-ha alerts list")?;
    ensure!(screen.status == Some(0), "{screen}");
    Event::repair(lab)
}
