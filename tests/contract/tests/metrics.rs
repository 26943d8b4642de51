//! `kaiwudb-ha metrics`: an answer whatever hangs or is missing, in Prometheus' own judgement, and what it costs.

use contract::machine::Machine;
use contract::on_a_machine;
use contract::programs::Programs;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Prometheus gives up after 10 s.
const LIMIT: Duration = Duration::from_secs(10);
const CRM_MON: &str = include_str!("../../fixtures/pacemaker-2.1.5/crm_mon.xml");

/// A program of the machine.
fn program(name: &str, script: &str) {
    let path = format!("/usr/sbin/{name}");
    let _ = fs::remove_file(&path);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("/usr/sbin is private");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
}

/// What it prints, within the limit.
#[track_caller]
fn scrape() -> String {
    let began = Instant::now();
    let output = Command::new(&Programs::get().command)
        .arg("metrics")
        .stdin(Stdio::null())
        .output()
        .expect("the command is built");
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// The value of the first series whose name and labels have all of these words.
#[track_caller]
fn value(text: &str, words: &[&str]) -> f64 {
    let fits = |line: &&str| !line.starts_with('#') && words.iter().all(|word| line.contains(word));
    let line = text.lines().find(fits);
    let line = line.unwrap_or_else(|| panic!("no {words:?} in\n{text}"));
    line.rsplit(' ')
        .next()
        .and_then(|value| value.parse().ok())
        .expect("a number")
}

/// What Prometheus says of it, outside of the machine: a text that it takes and finds nothing to improve in.
#[track_caller]
fn judged(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Debian's prometheus is installed");
    let mut input = promtool.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = promtool.wait_with_output().expect("it ends");
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.trim().is_empty(),
        "{text}\n{said}"
    );
}

fn with_series(machine: &Machine) {
    for statement in [
        "CREATE TS DATABASE meters",
        "CREATE TABLE meters.power (ts TIMESTAMPTZ NOT NULL, id INT8) TAGS (run INT8 NOT NULL) PRIMARY TAGS (run)",
    ] {
        machine.shell(&format!(
            "{} sql --insecure -e \"{statement}\"",
            contract::machine::BINARY
        ));
    }
}

#[test]
fn a_node_that_serves() {
    let _ = Programs::get();
    let text = on_a_machine(|machine| {
        fs::write("/run/cib/crm_mon.xml", CRM_MON).expect("/run is private");
        machine.start();
        with_series(machine);
        scrape()
    });
    judged(&text);
    for (words, expected) in [
        (&["cluster_up{"][..], 1.0),
        (&["source_up{", "configuration", "not_installed"], 0.0),
        (&["database_running{"], 1.0),
        (&["database_ready{"], 1.0),
        (&["database_time_series_ready{"], 1.0),
        (&["database_connections{"], 0.0),
        (&["database_flush_stalled_seconds{"], 0.0),
        (&["store_mounted{"], 1.0),
        (&["store_read_only{"], 0.0),
        (&["source_up{", "replication", "not_"], 0.0),
    ] {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!((value(&text, &words) - expected).abs() < 0.1, "{words:?}\n{text}");
    }
    assert!(value(&text, &["store_free_bytes{"]) > 0.0);
}

/// Each of these hangs for ever; what does not hang is told.
#[test]
fn nothing_that_hangs_keeps_it() {
    let _ = Programs::get();
    let (server, tools) = on_a_machine(|machine| {
        fs::write("/run/cib/crm_mon.xml", CRM_MON).expect("/run is private");
        let server = machine.start();
        machine.signal(server, "STOP");
        let hung = scrape();
        machine.signal(server, "CONT");
        for tool in ["crm_mon", "cibadmin", "crm_node"] {
            program(tool, "trap '' TERM; while :; do sleep 1000; done");
        }
        (hung, scrape())
    });
    judged(&server);
    judged(&tools);
    assert!(value(&server, &["database_running{"]) > 0.0, "{server}");
    assert!(value(&server, &["database_ready{"]) < 1.0, "{server}");
    assert!(value(&server, &["store_free_bytes{"]) > 0.0, "{server}");
    assert!(value(&server, &["cluster_up{"]) > 0.0, "{server}");
    assert!(
        value(&tools, &["cluster_up{", "reason=\"timeout\""]) < 1.0,
        "{tools}"
    );
    assert!(value(&tools, &["database_ready{"]) > 0.0, "{tools}");
}

/// `ClusterLabs/ha_cluster_exporter` issues 177, 203, 232 and 252: what is not there says why.
#[test]
fn what_does_not_run_or_is_not_installed_says_so() {
    let _ = Programs::get();
    let (down, missing, bare) = on_a_machine(|machine| {
        machine.leave_cluster();
        let down = scrape();
        for tool in ["crm_mon", "crm_node"] {
            fs::remove_file(format!("/usr/sbin/{tool}")).expect("the machine has it");
        }
        let missing = scrape();
        fs::create_dir_all("/etc/kaiwudb-ha").expect("/etc is private");
        fs::write("/etc/kaiwudb-ha/ha.toml", "[metrics]\npair = 7\n").expect("/etc is private");
        (down, missing, scrape())
    });
    judged(&down);
    judged(&missing);
    assert!(
        value(&down, &["cluster_up{", "reason=\"not_running\""]) < 1.0,
        "{down}"
    );
    assert!(
        value(&missing, &["cluster_up{", "reason=\"not_installed\""]) < 1.0,
        "{missing}"
    );
    assert!(value(&missing, &["database_running{"]) < 1.0, "{missing}");
    // Settings that cannot be read take no metric away.
    judged(&bare);
    assert!(value(&bare, &["cluster_up{"]) < 1.0, "{bare}");
}

/// One request on a socket, as systemd hands it over; a client that says nothing is not waited for.
#[test]
fn one_scrape_over_http() {
    let _ = Programs::get();
    on_a_machine(|_| {
        let ask = |request: &str| {
            let (mut ours, theirs) = UnixStream::pair().expect("a pair");
            let mut child = Command::new(&Programs::get().command)
                .args(["metrics", "--http"])
                .stdin(Stdio::from(OwnedFd::from(theirs)))
                .stdout(Stdio::null())
                .spawn()
                .expect("the command is built");
            ours.write_all(request.as_bytes()).expect("it reads");
            let mut answer = String::new();
            ours.set_read_timeout(Some(LIMIT)).expect("a socket");
            ours.read_to_string(&mut answer).expect("it answers in time");
            assert!(child.wait().expect("it ends").success());
            answer
        };
        let answer = ask("GET /metrics HTTP/1.1\r\nHost: node1:26957\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(length.and_then(|length| length.parse().ok()), Some(body.len()));
        judged(body);
        assert!(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(ask("HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
        let began = Instant::now();
        assert_eq!(ask("GET /metrics"), "");
        assert!(began.elapsed() < LIMIT);
    });
}

/// What one scrape costs, everything that it starts included. The shell scripts that stand in for Pacemaker's tools here cost about what those
/// do; the cluster suite measures the real ones.
#[test]
fn the_cost_of_a_scrape() {
    const CALLS: u32 = 10;
    let _ = Programs::get();
    let milliseconds = on_a_machine(|machine| {
        fs::write("/run/cib/crm_mon.xml", CRM_MON).expect("/run is private");
        machine.start();
        with_series(machine);
        let command = Programs::get().command.display().to_string();
        let script = format!(
            "TIMEFORMAT='%U %S'; time (for i in {{1..{CALLS}}}; do {command} metrics >/run/out; done)"
        );
        let once = || {
            let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
            let seconds: f64 = said
                .split_whitespace()
                .filter_map(|word| word.parse::<f64>().ok())
                .sum();
            seconds * 1000.0 / f64::from(CALLS)
        };
        (0..3).map(|_| once()).fold(f64::INFINITY, f64::min)
    });
    println!("a scrape costs {milliseconds:.1} ms of processor time");
    assert!(milliseconds < 50.0, "{milliseconds} ms");
}
