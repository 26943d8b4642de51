//! A cluster as we build it.

use anyhow::{Context, Result, ensure};
use lab::{Event, Lab, cib, event};
use operator::{answer, at_terminal, command, deadline, epoch, findings};
use std::time::{Duration, Instant};

/// Takes back what the guide did and loads our configuration.
fn set_up(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        node.shell(
            "rm -f /etc/drbd.d/drbd3.res /etc/drbd.d/global_common.conf /etc/kaiwudb/certs/kw-certs.tar.gz \
             /etc/kaiwudb/certs/ca.key && ln -sf dash /bin/sh",
            deadline(),
        )?;
    }
    let names = lab.nodes().each_ref().map(|node| node.cluster_name().to_owned());
    lab::activate(lab, &with_certificates().cluster_names(&names))?;
    Ok(())
}

/// Our configuration with TLS.
fn with_certificates() -> cib::Cib {
    let certificates = cib::Primitive::new("KaiwuCerts", "ocf:kaiwudb:cert-sync")
        .operation("monitor", &[("interval", "30s"), ("timeout", "30s")]);
    let mut configuration = cib::ocf();
    for resource in &mut configuration.resources {
        if let cib::Resource::Group { members, .. } = resource {
            members.insert(1, certificates.clone());
        }
    }
    configuration
}

pub(crate) fn nothing_is_found(lab: &Lab) -> Result<()> {
    set_up(lab)?;
    for node in lab.nodes() {
        node.shell("kaiwudb-ha guard /var/lib/kaiwudb", deadline())?;
    }
    operator::on_the_servers_node(lab, "kaiwudb-ha durable --back --yes", "no server answers")?;
    for node in lab.nodes() {
        let (_, report) = answer(node, "kaiwudb-ha check --json")?;
        let found: Vec<String> = findings(&report, false).into_iter().collect();
        ensure!(found == ["loss-bounded"], "{report:#}");
    }
    // From either node, whichever serves.
    for node in lab.nodes() {
        operator::on_the_servers_node(lab, "kaiwudb-ha durable --back --yes", "no server answers")?;
        let fixed = command(node, "kaiwudb-ha check --fix --yes")?;
        ensure!(fixed.status == Some(0), "{fixed}");
    }
    for node in lab.nodes() {
        let (status, report) = answer(node, "kaiwudb-ha check --json")?;
        ensure!(findings(&report, false).is_empty(), "{report:#}");
        ensure!(status == Some(0), "{status:?} {report:#}");
    }
    Ok(())
}

pub(crate) fn looking_changes_nothing(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    lab.cluster().wait_idle(deadline())?;
    let seen = |node: &lab::Node| {
        node.shell(
            "find /etc /root /var/lib/pacemaker/cib -type f -exec md5sum {} + | sort; ls /sys/module",
            deadline(),
        )
    };
    let all = || -> Result<_> { Ok((epoch(node)?, seen(node)?, seen(&lab.nodes()[1])?)) };
    // Pacemaker writes its configuration to the disk some time after it has changed.
    let mut before = all()?;
    let settled = deadline();
    loop {
        ensure!(settled.pause(Duration::from_secs(2)), "it changes by itself");
        let now = all()?;
        if now == before {
            break;
        }
        before = now;
    }
    for words in ["check", "check --json", "status", "status --json"] {
        command(node, &format!("kaiwudb-ha {words}"))?;
    }
    let after = all()?;
    ensure!(before == after, "something has changed: {before:?} {after:?}");
    Ok(())
}

pub(crate) fn status_tells_all(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    for node in lab.nodes() {
        let (status, view) = answer(node, "kaiwudb-ha status --json")?;
        ensure!(status == Some(0), "{status:?} {view:#}");
        let database = &view["database"];
        ensure!(database["node"] == active.cluster_name(), "{view:#}");
        ensure!(
            database["health"] == "ready" && database["sentinel"].is_number(),
            "{view:#}"
        );
        let id = database["cluster_id"].as_str().context("no identity")?;
        ensure!(
            database["pinned"]
                .as_str()
                .is_some_and(|pinned| pinned.contains(id)),
            "{view:#}"
        );
        let digests: Vec<&str> = view["nodes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["certificates"].as_str())
            .collect();
        ensure!(digests.len() == 2 && digests[0] == digests[1], "{view:#}");
        ensure!(view["fencing"][0]["node"].is_string(), "{view:#}");
    }
    let screen = command(active, "kaiwudb-ha status")?;
    ensure!(screen.stdout.contains("Nothing needs attention."), "{screen}");
    ensure!(
        !screen.stdout.contains('\u{1b}'),
        "colour without a terminal: {screen}"
    );
    Ok(())
}

pub(crate) fn messages_are_chinese(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let screen = command(node, "LANG=zh_CN.UTF-8 kaiwudb-ha status")?;
    ensure!(screen.stdout.contains("没有需要处理的问题。"), "{screen}");
    let help = command(node, "LC_ALL=zh_CN.UTF-8 kaiwudb-ha check --help")?;
    ensure!(help.stdout.contains("修复低风险问题"), "{help}");
    Ok(())
}

pub(crate) fn a_wrong_settings_file_is_refused(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.write_file(
        "/root/ha.toml",
        "[nodes.node1]\naddress = \"10.77.0.11\"\n[nodes.node2]\nadress = \"10.77.0.12\"\n",
    )?;
    let refused = command(node, "kaiwudb-ha --config /root/ha.toml check")?;
    ensure!(refused.status == Some(2), "{refused}");
    ensure!(
        refused
            .stderr
            .contains("/root/ha.toml, line 4: unknown key 'adress'")
            && refused.stderr.contains("did you mean 'address'?"),
        "{refused}"
    );
    ensure!(
        command(node, "kaiwudb-ha no-such-word")?.status == Some(2),
        "an unknown word"
    );
    Ok(())
}

pub(crate) fn a_hung_server(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let server = event::server(active)?;
    event::signal(server, nix::sys::signal::Signal::SIGSTOP)?;
    let begun = Instant::now();
    let looked = command(active, "kaiwudb-ha status");
    event::signal(server, nix::sys::signal::Signal::SIGCONT)?;
    let looked = looked?;
    ensure!(
        begun.elapsed() < Duration::from_secs(8),
        "it took {:?}",
        begun.elapsed()
    );
    ensure!(
        looked.status == Some(1) && looked.stdout.contains("does not serve"),
        "{looked}"
    );
    Ok(())
}

pub(crate) fn a_failure_is_shown(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    event::signal(event::server(active)?, nix::sys::signal::Signal::SIGKILL)?;
    let deadline = deadline();
    let screen = loop {
        let screen = command(&lab.nodes()[0], "kaiwudb-ha status")?;
        // The reason follows the report after some seconds, so that it does not disturb the recovery; until then it is that of the
        // failure before.
        let reason = (screen.stdout.lines()).find(|line| line.contains("last failure of KaiwuDB"));
        if reason.is_some_and(|line| line.contains("SIGKILL") || line.contains("signal 9")) {
            break screen;
        }
        ensure!(deadline.pause(Duration::from_millis(300)), "{screen}");
    };
    let fail_count = format!("KaiwuDB has failed on {} (fail count: 1)", active.cluster_name());
    ensure!(
        screen.status == Some(1) && screen.stdout.contains(&fail_count),
        "{screen}"
    );
    Event::repair(lab)
}

pub(crate) fn a_silent_node(lab: &Lab) -> Result<()> {
    let [first, second] = lab.nodes();
    second.shell(
        "systemctl stop ssh.service ssh.socket 2>/dev/null || systemctl stop ssh.service",
        deadline(),
    )?;
    let (status, report) = answer(first, "kaiwudb-ha check --json")?;
    // Nothing is wrong with what answered, and it is said that something did not.
    ensure!(status == Some(4), "{status:?} {report:#}");
    let silent = report["unanswered"].to_string();
    ensure!(
        silent.contains("node2 did not answer") && silent.contains("Connection refused"),
        "{silent}"
    );
    second.shell("systemctl start ssh.service", deadline())?;
    second.shell("mv /usr/bin/kaiwudb-ha /usr/bin/kaiwudb-ha.away", deadline())?;
    let (_, report) = answer(first, "kaiwudb-ha check --json")?;
    second.shell("mv /usr/bin/kaiwudb-ha.away /usr/bin/kaiwudb-ha", deadline())?;
    ensure!(
        report["unanswered"].to_string().contains("not installed there"),
        "{report:#}"
    );
    Ok(())
}

pub(crate) fn a_drill_that_cannot_begin(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    // Nobody is there to say yes, and this node would switch itself off.
    for (words, why) in [
        ("kill", "standard input is not a terminal"),
        ("power-off --yes", "run the drill on the other one"),
    ] {
        let refused = command(active, &format!("kaiwudb-ha drill run {words}"))?;
        ensure!(
            refused.status == Some(3) && refused.stderr.contains(why),
            "{refused}"
        );
    }
    ensure!(
        command(active, "kaiwudb-ha drill list")?
            .stdout
            .contains("No drill"),
        "something was kept"
    );
    Ok(())
}

/// Lets a drill begin and kills it in the middle; what it has done is undone all the same.
fn killed_in_the_middle(node: &lab::Node, words: &str, begun: &str) -> Result<()> {
    let script = format!(
        "setsid kaiwudb-ha drill run {words} --yes >/dev/null 2>&1 </dev/null & pid=$!
         for i in $(seq 300); do {begun} && break; sleep 0.1; done
         {begun} || exit 1
         kill -KILL $pid
         for i in $(seq 300); do test -e /run/kaiwudb-ha/drill.json || exit 0; sleep 0.1; done
         exit 2"
    );
    node.exec_ok(["bash", "-c", &script], deadline()).map(drop)
}

fn the_other<'a>(lab: &'a Lab, node: &lab::Node) -> Result<&'a lab::Node> {
    let mut nodes = lab.nodes().iter();
    nodes.find(|one| one.name() != node.name()).context("one node")
}

pub(crate) fn a_killed_drill_is_undone(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let other = the_other(lab, active)?;
    let in_standby = format!(
        "crm_standby --node {} --query --quiet 2>/dev/null | grep -qx on",
        active.cluster_name()
    );
    killed_in_the_middle(other, "standby", &in_standby)?;
    let standby = other.exec(["sh", "-c", &in_standby], deadline())?;
    ensure!(standby.status == Some(1), "standby is left: {standby}");
    lab.cluster().wait_idle(deadline())?;
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let server = event::server(active)?;
    killed_in_the_middle(active, "hang", "grep -qs '(kwbase) T ' /proc/*/stat")?;
    lab.cluster().wait_idle(deadline())?;
    ensure!(
        event::server(active)? == server,
        "the server was not continued in time"
    );
    let nothing = command(active, "kaiwudb-ha drill undo")?;
    ensure!(nothing.stdout.contains("nothing to undo"), "{nothing}");
    let screen = command(active, "kaiwudb-ha status")?;
    ensure!(screen.status == Some(0), "{screen}");
    Ok(())
}

pub(crate) fn a_link_is_cut_and_healed(lab: &Lab) -> Result<()> {
    // The node with the database wins the race.
    lab.nodes()[0].shell(
        "crm_attribute -t crm_config -n priority-fencing-delay -v 5s && crm_resource --meta -r KaiwuDB -p priority -v 10",
        deadline(),
    )?;
    lab.cluster().wait_idle(deadline())?;
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let (status, record) = answer(active, "kaiwudb-ha drill run link --yes --json")?;
    ensure!(
        status == Some(0) && record["lost"] == 0 && record["served_by"] == active.cluster_name(),
        "{status:?} {:?}",
        (&record["lost"], &record["served_by"], &record["outage_ms"])
    );
    let events = record["events"].to_string();
    for kind in ["injected", "offline", "undone"] {
        ensure!(events.contains(&format!("\"{kind}\"")), "{kind}: {events}");
    }
    ensure!(lab.fence_events().len() == 1, "{:?}", lab.fence_events());
    let left = active.shell(
        "nft list tables; systemctl list-timers --all --no-legend 'kaiwudb-ha-*'",
        deadline(),
    )?;
    ensure!(left.trim().is_empty(), "{left}");
    lab.nodes()[0].shell(
        "crm_attribute -t crm_config -n priority-fencing-delay -D; crm_resource --meta -r KaiwuDB -d priority",
        deadline(),
    )?;
    Event::repair(lab)
}

/// Nobody may be surprised by what a question does when the answer is not yes.
pub(crate) fn no_is_no(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let before = epoch(node)?;
    for typed in ["echo n", "echo", "echo yess", "true"] {
        let declined = at_terminal(node, "kaiwudb-ha drill run kill", "Begin?", typed)?;
        ensure!(declined.status == Some(5), "{typed}: {declined}");
    }
    ensure!(epoch(node)? == before, "something has changed");
    let nothing = command(node, "kaiwudb-ha drill undo")?;
    ensure!(nothing.stdout.contains("nothing to undo"), "{nothing}");
    Ok(())
}

pub(crate) fn a_drill_tells_what_it_cost(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let other = the_other(lab, active)?;
    // Of the guide's operations Pacemaker may have kept the history. As long as it has it, it takes every failure for one of an
    // operation that has changed, and forgets it within 150 ms.
    lab.cluster().refresh("KaiwuDB", deadline())?;
    let (status, record) = answer(other, "kaiwudb-ha drill run kill --yes --json")?;
    ensure!(status == Some(0), "{status:?} {record:#}");
    ensure!(
        record["lost"] == 0 && record["served_by"] == active.cluster_name(),
        "{record:#}"
    );
    let outage = record["outage_ms"].as_u64().context("no outage")?;
    ensure!((100..10_000).contains(&outage), "{outage} ms");
    let patiently = record["patient_outage_ms"]
        .as_u64()
        .context("the client without timeouts waits")?;
    ensure!(
        (100..10_000).contains(&patiently),
        "{patiently} ms without timeouts"
    );
    let events: Vec<&str> = record["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event["kind"].as_str())
        .collect();
    for kind in ["injected", "last-commit", "first-commit", "failed", "undone"] {
        ensure!(events.contains(&kind), "{kind}: {events:?}");
    }
    let kept = other.shell("cat /var/lib/kaiwudb-ha/drills/*-kill.html", deadline())?;
    ensure!(
        kept.contains("<svg") && kept.contains("class=\"outage\""),
        "{kept:.300}"
    );
    let list = command(other, "kaiwudb-ha drill list")?;
    ensure!(
        list.stdout.lines().count() == 1 && list.stdout.contains("kill"),
        "{list}"
    );
    // Nothing of it stays: no fail count, no table.
    let screen = command(other, "kaiwudb-ha status")?;
    ensure!(screen.status == Some(0), "{screen}");
    let select = format!("SELECT id FROM kaiwudb_ha_drill_{}", record["began"]);
    let table = command(
        active,
        &format!("kwbase sql --certs-dir=/etc/kaiwudb/certs -e '{select}'"),
    )?;
    ensure!(
        table.status != Some(0) && table.stderr.contains("does not exist"),
        "{table}"
    );
    Ok(())
}
