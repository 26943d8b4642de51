//! A sentinel is alive when it answers, and there is one for each server.

use contract::Machine;
use contract::call::Call;
use contract::machine::{AGENT, wait_until};
use contract::on_a_machine;
use contract::process::{self, Process};
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The sentinel asks for health once a second.
const SETTLED: Duration = Duration::from_millis(2500);
const SOON: Duration = Duration::from_secs(5);
/// After a report, for so long the monitor leaves it at that.
const RECOVERY: Duration = Duration::from_millis(3500);

#[track_caller]
fn sentinel() -> Process {
    match process::sentinels()[..] {
        [sentinel] => sentinel,
        ref others => panic!("not one sentinel: {others:?}"),
    }
}

fn reports(machine: &Machine) -> usize {
    let calls = machine.cluster_calls();
    calls
        .iter()
        .filter(|call| call.contains("crm_resource --fail"))
        .count()
}

/// Kills the server; Pacemaker is told once, and only then a monitor says the same.
#[track_caller]
fn one_crash_is_reported_once(machine: &Machine) {
    machine.shell(": >/run/cib.log");
    machine.signal(process::server(), "KILL");
    wait_until("Pacemaker is told", SOON, || reports(machine) > 0);
    sleep(RECOVERY);
    assert_eq!(reports(machine), 1);
    machine.monitor().run().fails(7, &["ended unexpectedly"]);
    assert!(process::sentinels().is_empty());
}

fn maintenance(on: bool) {
    let text = format!(
        r#"<pacemaker-result><summary><cluster_options maintenance-mode="{on}"/></summary></pacemaker-result>"#
    );
    fs::write("/run/cib/crm_mon.xml", text).expect("the machine is in a cluster");
}

#[test]
fn one_that_does_not_answer_is_replaced() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        let first = sentinel();
        machine.signal(first, "STOP");
        machine
            .monitor()
            .run()
            .within(Duration::from_secs(8))
            .fails(190, &["the sentinel", "did not answer", "was replaced"]);
        assert!(!first.is_running());
        assert_ne!(sentinel(), first);
        assert_eq!(process::server(), server);
        machine.monitor().run().succeeds();
        one_crash_is_reported_once(machine);
    });
}

/// A start must not fail for a sentinel that does not end.
#[test]
fn a_server_ends_while_its_sentinel_does_not_answer() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        let first = sentinel();
        machine.signal(first, "STOP");
        machine.signal(server, "KILL");
        // The stopped sentinel is its parent: it stays as a zombie.
        wait_until("it ends", SOON, || !server.is_running());
        machine.monitor().run().fails(7, &["the server is not running"]);
        machine.agent("stop").run().succeeds();
        machine.agent("start").run().succeeds();
        assert_ne!(sentinel(), first);
        assert_eq!(reports(machine), 0, "the monitor has said it");
        one_crash_is_reported_once(machine);
    });
}

/// What the monitor has said, the sentinel does not say again.
#[test]
fn a_sentinel_that_goes_on_too_late_is_silent() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        let first = sentinel();
        machine.signal(first, "STOP");
        machine.signal(server, "KILL");
        wait_until("it ends", SOON, || !server.is_running());
        machine.monitor().run().fails(7, &["the server is not running"]);
        machine.signal(first, "CONT");
        wait_until("it goes", SOON, || !first.is_running());
        assert_eq!(reports(machine), 0);
    });
}

#[test]
fn one_is_found_without_its_files() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        let first = sentinel();
        machine.shell("rm -rf /run/kaiwudb-ha");
        machine.monitor().run().succeeds();
        assert_eq!((sentinel(), process::server()), (first, server));
        machine.monitor().run().succeeds();
        assert_eq!(sentinel(), first);
        machine.shell("rm -rf /run/kaiwudb-ha");
        machine.signal(first, "STOP");
        machine.monitor().run().fails(190, &["did not answer"]);
        assert_ne!(sentinel(), first);
        one_crash_is_reported_once(machine);
    });
}

/// The server ends before anybody has noticed that the files are gone.
#[test]
fn a_crash_without_files_is_reported_once() {
    on_a_machine(|machine| {
        machine.start();
        sleep(SETTLED);
        machine.shell("rm -rf /run/kaiwudb-ha");
        one_crash_is_reported_once(machine);
    });
}

/// The package was upgraded: its file is another one now.
#[test]
fn one_of_an_older_package_is_found() {
    on_a_machine(|machine| {
        machine.shell(&format!("mkdir /run/old; cp {AGENT} /run/old/kaiwudb"));
        let old = "/run/old/kaiwudb";
        Call::new(old.into(), "start").run().succeeds();
        sleep(SETTLED);
        let first = sentinel();
        machine.shell(&format!(
            "cp {AGENT} {old}.new; mv {old}.new {old}; rm -r /run/kaiwudb-ha"
        ));
        machine.monitor().run().succeeds();
        assert_eq!(sentinel(), first);
        machine.signal(first, "STOP");
        machine.shell("rm -r /run/kaiwudb-ha");
        machine.monitor().run().fails(190, &["did not answer"]);
        assert_ne!(sentinel(), first);
    });
}

#[test]
fn two_monitors_arm_one() {
    on_a_machine(|machine| {
        machine.start();
        sleep(SETTLED);
        for lost in [false, true] {
            machine.signal(sentinel(), "KILL");
            wait_until("it ends", SOON, || process::sentinels().is_empty());
            if lost {
                machine.shell("rm -r /run/kaiwudb-ha");
            }
            let monitors: Vec<_> = (0..3).map(|_| machine.monitor().spawn()).collect();
            for monitor in monitors {
                monitor.outcome().succeeds();
            }
            sentinel();
        }
        one_crash_is_reported_once(machine);
    });
}

/// What an operator does then is no failure; when the cluster takes over, it finds a sentinel that watches the server that runs.
#[test]
fn nothing_is_a_failure_in_maintenance() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        maintenance(true);
        machine.shell(": >/run/cib.log");
        machine.signal(server, "KILL");
        wait_until("the sentinel goes", SOON, || process::sentinels().is_empty());
        assert_eq!(reports(machine), 0, "{:?}", machine.cluster_calls());
        let log = machine.log();
        assert!(
            log.iter()
                .any(|line| line.contains("not reported, because the cluster does not manage")),
            "{log:#?}"
        );
        machine
            .monitor()
            .run()
            .fails(190, &["ended unexpectedly", "the cluster does not manage it now"]);
        machine.probe().run().is_silent(7);
        maintenance(false);
        machine.monitor().run().fails(7, &["ended unexpectedly"]);
        assert_eq!(reports(machine), 0);
    });
}

/// A server with memory takes a while to end after its SIGKILL. Monitors that come all the time meet it in every state; whatever
/// they see, Pacemaker hears of one failure: from the sentinel or from a monitor.
#[test]
fn one_end_is_one_failure_whoever_sees_it() {
    // More for a long run.
    let rounds = std::env::var("KAIWUDB_HA_KILLS").map_or(6, |count| count.parse().expect("a number"));
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_MEMORY", "2048")]);
        let server = machine.start();
        let ends = host::Process::with_pid(server.0).expect("it runs");
        let killed = Instant::now();
        machine.signal(server, "KILL");
        // Its first thread is a zombie long before the last one has given its memory back.
        host::wait_for_end(ends, host::Deadline::after(SOON));
        let dying = killed.elapsed();
        assert!(
            dying > Duration::from_millis(100),
            "it dies too fast to be met: {dying:?}"
        );
        machine.agent("stop").run().succeeds();
        for round in 0..rounds {
            let server = machine.start();
            machine.monitor().run().succeeds();
            machine.shell(": >/run/cib.log");
            machine.signal(server, "KILL");
            let killed = Instant::now();
            let (mut failed, mut stopped) = (0, false);
            while !stopped {
                let code = machine.monitor().run().code();
                failed += usize::from(code == 7);
                // Pacemaker recovers at the first failure that it hears of, and takes half a second to call the monitor off.
                stopped = failed > 0 || (reports(machine) > 0 && killed.elapsed() > Duration::from_secs(1));
            }
            // Pacemaker's stop comes later: one at once would keep the sentinel from saying what the monitor has said.
            wait_until("the sentinel goes", SOON, || process::sentinels().is_empty());
            machine.agent("stop").run().succeeds();
            assert_eq!(
                failed + reports(machine),
                1,
                "round {round}: {:?}",
                machine.cluster_calls()
            );
        }
    });
}
