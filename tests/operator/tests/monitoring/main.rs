//! What a monitoring system is told of a real cluster: metrics, readiness, the plugin's line, and the units that hand them over. The tests build
//! on each other and run in this order.

use anyhow::{Result, ensure};
use lab::{Event, Lab, Node};
use operator::{Test, answer, command, deadline, pair, sample, scrape};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const TESTS: &[Test] = &[
    ("metrics_of_a_sound_cluster", metrics_of_a_sound_cluster),
    ("a_scrape_is_cheap", a_scrape_is_cheap),
    ("a_sound_cluster_is_ready", a_sound_cluster_is_ready),
    ("each_planted_defect_is_the_reason", each_planted_defect),
    ("publishing_disturbs_nothing", publishing_disturbs_nothing),
    ("the_units_hand_them_over", the_units_hand_them_over),
    ("a_plugin_says_it_in_one_line", a_plugin_says_it_in_one_line),
    ("only_news_are_told", only_news_are_told),
    ("without_pacemaker_the_metrics_say_so", without_pacemaker),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("monitoring");
    operator::run(TESTS, operator::running, &logs)
}

fn holds(text: &str, words: &[&str], expected: u8) -> Result<()> {
    let found = sample(text, words)?;
    ensure!(
        (found - f64::from(expected)).abs() < 0.5,
        "{words:?} is {found}\n{text}"
    );
    Ok(())
}

fn metrics_of_a_sound_cluster(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab, "KaiwuDB")?;
    for (node, serves) in [(active, 1), (passive, 0)] {
        let text = scrape(node)?;
        let here = format!("node=\"{}\"", node.cluster_name());
        for (words, expected) in [
            (vec!["cluster_up{"], 1),
            (vec!["cluster_quorate{"], 1),
            (vec!["cluster_fencing_enabled{"], 1),
            (vec!["source_up{", "configuration"], 1),
            (vec!["source_up{", "database"], 1),
            (vec!["database_ready{", &here], serves),
            (vec!["database_running{", &here], serves),
            (vec!["store_mounted{", &here], serves),
            (vec!["resource_active{", "KaiwuDB", &here], serves),
            (vec!["node_online{", &here], 1),
        ] {
            holds(&text, &words, expected)?;
        }
        if serves == 1 {
            holds(&text, &["companion_alive{", "sentinel"], 1)?;
            holds(&text, &["companion_alive{", "watcher"], 1)?;
        }
        ensure!(
            sample(&text, &["certificate_expiry_timestamp_seconds{"])? > 1.8e9,
            "{text}"
        );
        let sets: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| Some(line.rsplit_once(' ')?.0))
            .collect();
        ensure!(
            sets.len() == text.lines().count(),
            "a label set stands twice\n{text}"
        );
    }
    Ok(())
}

/// Everything that it starts included, with Pacemaker's own tools and a database with TLS.
fn a_scrape_is_cheap(lab: &Lab) -> Result<()> {
    const CALLS: u32 = 10;
    let (active, _) = pair(lab, "KaiwuDB")?;
    let script =
        format!("TIMEFORMAT='%U %S'; time (for i in $(seq {CALLS}); do kaiwudb-ha metrics >/dev/null; done)");
    let mut least = f64::INFINITY;
    for _ in 0..5 {
        let output = active.exec(["bash", "-c", &script], deadline())?;
        let times = output
            .stderr
            .split_whitespace()
            .filter_map(|word| word.parse::<f64>().ok());
        least = least.min(times.sum::<f64>() * 1000.0 / f64::from(CALLS));
    }
    eprintln!("a scrape costs {least:.1} ms of processor time");
    ensure!(least <= 50.0, "{least} ms");
    Ok(())
}

/// Ids of the reasons, from either node.
fn reasons(node: &Node) -> Result<(Option<i32>, BTreeSet<String>, Value)> {
    let (status, found) = answer(node, "kaiwudb-ha status --ready --json")?;
    let ids = found["reasons"].as_array().into_iter().flatten();
    let ids = ids
        .filter_map(|reason| Some(reason["id"].as_str()?.to_owned()))
        .collect();
    Ok((status, ids, found))
}

fn a_sound_cluster_is_ready(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab, "KaiwuDB")?;
    for node in lab.nodes() {
        let (status, ids, found) = reasons(node)?;
        ensure!(
            status == Some(0) && ids.is_empty() && found["ready"] == true,
            "{found:#}"
        );
        ensure!(found["target"] == passive.cluster_name(), "{found:#}");
        ensure!(found["serving"] == active.cluster_name(), "{found:#}");
    }
    let words = command(active, "kaiwudb-ha status --ready")?;
    ensure!(words.stdout.contains("would succeed now"), "{words}");
    let words = command(active, "LC_ALL=zh_CN.UTF-8 kaiwudb-ha status --ready")?;
    ensure!(words.stdout.contains("现在可以成功切换到"), "{words}");
    Ok(())
}

/// On the passive node, planted and taken back by a shell; `NODE` is its name.
const DEFECTS: &[(&str, &str, &str)] = &[
    (
        "program-missing",
        "mv /usr/local/kaiwudb/bin/kwbase /usr/local/kaiwudb/bin/kwbase.away",
        "mv /usr/local/kaiwudb/bin/kwbase.away /usr/local/kaiwudb/bin/kwbase",
    ),
    (
        "program-differs",
        "cp -a /usr/local/kaiwudb/bin/kwbase /root/kwbase && echo x >>/usr/local/kaiwudb/bin/kwbase",
        "cp -a /root/kwbase /usr/local/kaiwudb/bin/kwbase",
    ),
    (
        "agent-missing",
        "mv /usr/lib/ocf/resource.d/kaiwudb/virtual-ip /root",
        "mv /root/virtual-ip /usr/lib/ocf/resource.d/kaiwudb",
    ),
    (
        "port-taken",
        "setsid python3 -m http.server 26257 >/dev/null 2>&1 & for i in $(seq 50); do ss -ltn | grep -q :26257 && break; sleep 0.1; done",
        "fuser -k 26257/tcp",
    ),
    ("standby", "crm_standby -N NODE -v on", "crm_standby -N NODE -D"),
    (
        "maintenance",
        "crm_attribute -N NODE -n maintenance -v true",
        "crm_attribute -N NODE -n maintenance -D",
    ),
    (
        "constraint",
        "crm_resource --ban -r KaiwuDB -N NODE",
        "crm_resource --clear -r KaiwuDB -N NODE",
    ),
    (
        "certificates-differ",
        "cp -a /etc/kaiwudb/certs /root/certs && cat /etc/kaiwudb/certs/ca.crt >>/etc/kaiwudb/certs/node.crt",
        "cp -a /root/certs/. /etc/kaiwudb/certs/",
    ),
    (
        "unit-enabled",
        "systemctl enable kaiwudb.service",
        "systemctl disable kaiwudb.service",
    ),
    (
        "not-fenceable",
        "crm_attribute -t crm_config -n stonith-enabled -v false",
        "crm_attribute -t crm_config -n stonith-enabled -v true",
    ),
];

fn each_planted_defect(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab, "KaiwuDB")?;
    let mut wrong = Vec::new();
    for (id, plant, take_back) in DEFECTS {
        let name = passive.cluster_name();
        passive.shell(&plant.replace("NODE", name), deadline())?;
        let limit = deadline();
        let mut seen = reasons(active)?;
        // The cluster takes a moment to know.
        while !seen.1.contains(*id) && limit.pause(Duration::from_millis(500)) {
            seen = reasons(active)?;
        }
        passive.shell(&take_back.replace("NODE", name), deadline())?;
        if seen.0 != Some(1) || !seen.1.contains(*id) || seen.2["ready"] != false {
            wrong.push(format!("{id}: {:#}", seen.2));
        }
        lab.cluster().wait_idle(deadline())?;
        let limit = deadline();
        while !reasons(active)?.1.is_empty() {
            ensure!(
                limit.pause(Duration::from_millis(500)),
                "{id} stays: {:#}",
                reasons(active)?.2
            );
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// How often the schedulers of both nodes have computed.
fn transitions(lab: &Lab) -> Result<Vec<String>> {
    let last = "cat /var/lib/pacemaker/pengine/pe-input.last 2>/dev/null || true";
    lab.nodes()
        .iter()
        .map(|node| node.shell(last, deadline()))
        .collect()
}

/// Written once, where it differs, and never while the cluster is at work.
fn publishing_disturbs_nothing(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab, "KaiwuDB")?;
    let attribute = |node: &Node| -> Result<String> {
        let name = node.cluster_name();
        let words = format!(
            "crm_attribute -N {name} -l reboot -n kaiwudb-ha-failover-ready -G -q 2>/dev/null || true"
        );
        Ok(node.shell(&words, deadline())?.trim().to_owned())
    };
    let publish = |node: &Node| command(node, "kaiwudb-ha status --ready --publish");
    ensure!(publish(active)?.status == Some(0), "{}", publish(active)?);
    ensure!(attribute(active)? == "yes", "{}", attribute(active)?);
    lab.cluster().wait_idle(deadline())?;
    let before = transitions(lab)?;
    for _ in 0..3 {
        publish(active)?;
    }
    ensure!(
        transitions(lab)? == before,
        "an attribute that has not changed was written"
    );
    let text = scrape(active)?;
    holds(&text, &["failover_ready{"], 1)?;
    // A reason comes and goes.
    passive.shell("mv /usr/local/kaiwudb/bin/kwbase /root/kwbase.away", deadline())?;
    ensure!(publish(active)?.status == Some(1), "{}", publish(active)?);
    ensure!(
        attribute(active)? == "no:program-missing",
        "{}",
        attribute(active)?
    );
    let text = scrape(active)?;
    holds(&text, &["failover_ready{"], 0)?;
    holds(&text, &["failover_obstacle{", "program-missing"], 1)?;
    passive.shell("mv /root/kwbase.away /usr/local/kaiwudb/bin/kwbase", deadline())?;
    publish(active)?;
    ensure!(attribute(active)? == "yes", "{}", attribute(active)?);
    Ok(())
}

fn the_units_hand_them_over(lab: &Lab) -> Result<()> {
    let (active, _) = pair(lab, "KaiwuDB")?;
    active.shell(
        "mkdir -p /var/lib/prometheus/node-exporter && systemctl daemon-reload && \
         systemctl start kaiwudb-ha-metrics.socket kaiwudb-ha-textfile.service kaiwudb-ha-ready.service kaiwudb-ha-check.service",
        deadline(),
    )?;
    let get = "exec 3<>/dev/tcp/127.0.0.1/26957; printf 'GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; cat <&3";
    let answer = active.exec(["timeout", "20", "bash", "-c", get], deadline())?;
    ensure!(answer.stdout.starts_with("HTTP/1.1 200 OK"), "{answer}");
    holds(&answer.stdout, &["cluster_up{"], 1)?;
    let file = active.read_file("/var/lib/prometheus/node-exporter/kaiwudb-ha.prom")?;
    holds(&file, &["cluster_up{"], 1)?;
    let failed = active.shell(
        "systemctl list-units --failed --plain --no-legend 'kaiwudb-ha*'",
        deadline(),
    )?;
    ensure!(failed.trim().is_empty(), "{failed}");
    let verified = active.shell("systemctl start kaiwudb-ha-ready.timer kaiwudb-ha-check.timer kaiwudb-ha-textfile.timer && systemctl list-timers --no-legend 'kaiwudb-ha*' | wc -l && systemctl stop 'kaiwudb-ha-*.timer'", deadline())?;
    ensure!(verified.trim() == "3", "{verified}");
    holds(&scrape(active)?, &["check_findings{", "severity=\"error\""], 0)?;
    Ok(())
}

fn a_plugin_says_it_in_one_line(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab, "KaiwuDB")?;
    let said = command(active, "kaiwudb-ha check --nagios")?;
    let lines: Vec<&str> = said.stdout.trim_end().lines().collect();
    ensure!(lines.len() == 1, "{said}");
    ensure!(matches!(said.status, Some(0 | 1)), "{said}");
    ensure!(
        lines[0].starts_with("KAIWUDB-HA ") && lines[0].contains(" | errors=0;"),
        "{said}"
    );
    ensure!(lines[0].contains("database_ready=1;"), "{said}");
    passive.shell(
        "crm_attribute -t crm_config -n stonith-enabled -v false",
        deadline(),
    )?;
    let said = command(active, "kaiwudb-ha check --nagios");
    passive.shell(
        "crm_attribute -t crm_config -n stonith-enabled -v true",
        deadline(),
    )?;
    let said = said?;
    ensure!(
        said.status == Some(2) && said.stdout.starts_with("KAIWUDB-HA CRITICAL - "),
        "{said}"
    );
    ensure!(said.stdout.contains("fencing-off"), "{said}");
    Ok(())
}

fn only_news_are_told(lab: &Lab) -> Result<()> {
    let (active, _) = pair(lab, "KaiwuDB")?;
    command(active, "kaiwudb-ha check --new")?;
    let said = command(active, "kaiwudb-ha check --new")?;
    ensure!(
        said.stdout.trim() == "Nothing has come or gone since the last check.",
        "{said}"
    );
    active.shell(
        "crm_attribute -t crm_config -n stonith-enabled -v false",
        deadline(),
    )?;
    let new = command(active, "kaiwudb-ha check --new");
    active.shell(
        "crm_attribute -t crm_config -n stonith-enabled -v true",
        deadline(),
    )?;
    let new = new?;
    ensure!(
        new.stdout.contains("fencing-off") && !new.stdout.contains("link-single"),
        "{new}"
    );
    let gone = command(active, "kaiwudb-ha check --new")?;
    ensure!(gone.stdout.contains("gone: fencing-off"), "{gone}");
    Ok(())
}

/// The metrics do not vanish with the cluster; those of the node itself stay.
fn without_pacemaker(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab, "KaiwuDB")?;
    passive.shell("systemctl stop pacemaker", deadline())?;
    let begun = Instant::now();
    let down = scrape(passive)?;
    ensure!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    holds(&down, &["cluster_up{", "reason=\"not_running\""], 0)?;
    holds(&down, &["database_running{"], 0)?;
    let away = format!("node=\"{}\"", passive.cluster_name());
    let patience = deadline();
    // A member is missed a moment later.
    while let Err(error) = holds(&scrape(active)?, &["node_online{", &away], 0) {
        ensure!(patience.pause(Duration::from_millis(200)), "{error:#}");
    }
    let (status, ids, found) = reasons(active)?;
    ensure!(status == Some(1) && ids.contains("offline"), "{found:#}");
    passive.shell("systemctl start pacemaker", deadline())?;
    lab.cluster().wait_online(deadline())?;
    Event::repair(lab)
}
