//! Failures are reported to Pacemaker the moment they happen.

use contract::machine::{BINARY, Machine, PATIENCE, wait_until};
use contract::on_a_machine;
use contract::process::{self, Process};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The sentinel asks for health once a second.
const SETTLED: Duration = Duration::from_millis(2500);
/// A failure report takes tens of milliseconds; a busy machine may need longer.
const AT_ONCE: Duration = Duration::from_secs(3);

/// After a report, for so long the monitor leaves it at that; the sentinel itself may need up to a second.
const RECOVERY: Duration = Duration::from_millis(3500);

fn reports(machine: &Machine) -> usize {
    let calls = machine.cluster_calls();
    calls
        .iter()
        .filter(|call| call.starts_with("crm_resource --fail"))
        .count()
}

#[track_caller]
fn is_reported(machine: &Machine, limit: Duration) {
    wait_until("Pacemaker is told", limit, || reports(machine) > 0);
    let call = machine
        .cluster_calls()
        .into_iter()
        .find(|call| call.contains("crm_resource --fail"))
        .unwrap_or_default();
    assert!(call.contains("-r KaiwuDB") && call.contains("-N node1"), "{call}");
}

#[test]
fn a_killed_server() {
    on_a_machine(|machine| {
        for signal in ["KILL", "SEGV"] {
            let server = machine.start();
            sleep(SETTLED);
            machine.shell(": >/run/cib.log");
            // The stand-in's first SIGSEGV meets a handler of Rust's, which takes itself away.
            machine.shell(&format!(
                "kill -{signal} {0}; sleep 0.1; kill -{signal} {0} 2>/dev/null || true",
                server.0
            ));
            is_reported(machine, AT_ONCE);
            sleep(RECOVERY);
            machine
                .monitor()
                .run()
                .fails(7, &["ended unexpectedly", &format!("SIG{signal}")]);
            machine.probe().run().is_silent(7);
            machine.agent("stop").run().succeeds();
        }
    });
}

/// A monitor that comes while the sentinel is telling Pacemaker would make two failures of one, and two move the database.
#[test]
fn one_end_is_one_failure() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        machine.shell("sed -i '/crm_resource) exit 0/s/exit 0/sleep 1; exit 0/' /usr/sbin/crm_resource; : >/run/cib.log");
        machine.signal(server, "KILL");
        wait_until("it ends", AT_ONCE, || !server.is_running());
        machine.monitor().run().succeeds();
        machine.probe().run().is_silent(7);
        wait_until("the sentinel goes", AT_ONCE, || process::sentinels().is_empty());
        machine.monitor().run().succeeds();
        sleep(RECOVERY);
        machine.monitor().run().fails(7, &["ended unexpectedly"]);
    });
    // Where Pacemaker cannot be told, the monitor is all there is.
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        machine.leave_cluster();
        machine.signal(server, "KILL");
        sleep(Duration::from_millis(500));
        assert!(!process::sentinels().is_empty(), "the sentinel tries again");
        let said = || machine.monitor().run();
        // One that meets a try leaves it at that.
        wait_until("a monitor between two tries", AT_ONCE, || said().code() != 0);
        said().fails(7, &["the server"]);
        wait_until("the sentinel leaves it to the monitor", AT_ONCE, || {
            process::sentinels().is_empty()
        });
    });
}

/// How many servers are killed: a few in `make test`, as many as this says elsewhere.
const KILLS: &str = "KAIWUDB_HA_KILLS";
const FEW: usize = 20;
/// So much memory takes the kernel 0.1 to 0.2 s to take back, as that of a real server does. In this time it neither runs nor has ended.
const MEMORY: (&str, &str) = ("KWBASE_STANDIN_MEMORY", "450");

/// Whoever sees the end first, the sentinel or one of the monitors that come back to back, it is counted once; and Pacemaker, which starts
/// the server again at once, hears no more of the old one.
#[test]
fn as_many_failures_as_kills() {
    let kills = std::env::var(KILLS).map_or(FEW, |kills| kills.parse().expect("a number"));
    on_a_machine(|machine| {
        machine.server_variables(&[MEMORY]);
        let (mut by_monitor, mut twice) = (0, Vec::new());
        machine.start();
        for kill in 1..=kills {
            let server = process::server();
            let told = by_monitor + reports(machine);
            let monitor = |turn: usize| machine.monitor().level([0, 10][turn % 2]);
            monitor(kill).run().succeeds();
            // At every moment of a monitor, and between two.
            let first = monitor(kill).spawn();
            sleep(Duration::from_millis((kill as u64 * 7) % 40));
            machine.signal(server, "KILL");
            let mut failed = first.outcome().code() != 0;
            let began = Instant::now();
            for turn in kill + 1.. {
                if failed || by_monitor + reports(machine) > told {
                    break;
                }
                failed = monitor(turn).run().code() != 0;
                assert!(began.elapsed() < PATIENCE, "kill {kill} was never reported");
            }
            by_monitor += usize::from(failed);
            machine.agent("stop").run().succeeds();
            machine.start();
            if by_monitor + reports(machine) != told + 1 {
                twice.push(kill);
            }
        }
        sleep(RECOVERY);
        let by_sentinel = reports(machine);
        println!("{kills} kills: {by_sentinel} counted by the sentinel, {by_monitor} by a monitor");
        assert_eq!(by_sentinel + by_monitor, kills, "not once each: kills {twice:?}");
        machine.agent("stop").run().succeeds();
    });
}

/// A control group with little memory. Dropped, it goes; a server in it must have ended.
struct Poor(&'static str);

impl Poor {
    fn group(machine: &Machine, server: Process) -> Self {
        // With several hierarchies, or with one.
        let (directory, limit) = if Path::new("/sys/fs/cgroup/memory").is_dir() {
            ("/sys/fs/cgroup/memory/kaiwudb-contract", "memory.limit_in_bytes")
        } else {
            machine.shell("echo +memory >/sys/fs/cgroup/cgroup.subtree_control");
            ("/sys/fs/cgroup/kaiwudb-contract", "memory.max")
        };
        machine.shell(&format!(
            "mkdir -p {directory}; echo 2M >{directory}/{limit}; echo {} >{directory}/cgroup.procs",
            server.0
        ));
        Self(directory)
    }
}

impl Drop for Poor {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(self.0);
    }
}

#[test]
fn a_server_without_memory() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        machine.shell(": >/run/cib.log");
        let _group = Poor::group(machine, server);
        machine.shell(&format!(
            "{BINARY} sql --insecure -e \"SELECT repeat('x', 50000000)\" >/dev/null 2>&1 || true"
        ));
        is_reported(machine, AT_ONCE);
        sleep(RECOVERY);
        machine
            .monitor()
            .run()
            .fails(7, &["ended unexpectedly", "SIGKILL", "for lack of memory"]);
    });
}

/// From the moment at which start has returned, nobody else watches.
#[test]
fn a_server_that_fails_right_after_the_start() {
    for signal in ["KILL", "STOP"] {
        on_a_machine(|machine| {
            machine.agent("start").set("hang_timeout", "1s").run().succeeds();
            machine.signal(process::server(), signal);
            is_reported(machine, Duration::from_secs(6));
        });
    }
}

#[test]
fn a_wanted_end_is_no_failure() {
    on_a_machine(|machine| {
        machine.start();
        machine.agent("stop").run().succeeds();
        machine.start();
        machine.agent("stop").run().succeeds();
        assert_eq!(reports(machine), 0, "{:?}", machine.cluster_calls());
    });
}

/// Pacemaker may be away when the server ends; it is told when it is back.
#[test]
fn a_cluster_that_does_not_answer() {
    on_a_machine(|machine| {
        let server = machine.start();
        sleep(SETTLED);
        machine.shell("mv /run/cib /run/away; : >/run/cib.log");
        machine.signal(server, "KILL");
        wait_until("a first try", AT_ONCE, || !machine.cluster_calls().is_empty());
        machine.shell("mv /run/away /run/cib; : >/run/cib.log");
        is_reported(machine, Duration::from_secs(10));
    });
}

#[test]
fn a_hung_server() {
    on_a_machine(|machine| {
        let call = |action: &str| machine.agent(action).set("hang_timeout", "1s");
        call("start").run().succeeds();
        let server = process::server();
        sleep(SETTLED);
        machine.signal(server, "STOP");
        let began = Instant::now();
        is_reported(machine, Duration::from_secs(10));
        assert!(
            began.elapsed() > Duration::from_millis(900),
            "patience is the parameter's"
        );
        machine.signal(server, "CONT");
        wait_until("it serves again", AT_ONCE, || {
            machine.monitor().set("hang_timeout", "1s").run().code() == 0
        });
        call("stop").run().succeeds();
    });
}

/// Without a restart of the server, and the new one reports as the old one did.
#[test]
fn a_killed_sentinel_is_replaced() {
    on_a_machine(|machine| {
        let server = machine.start();
        let one = |before: Option<Process>| match process::sentinels()[..] {
            [sentinel] if Some(sentinel) != before => sentinel,
            ref others => panic!("not one new sentinel: {others:?}"),
        };
        let first = one(None);
        machine.signal(first, "KILL");
        wait_until("it ends", AT_ONCE, || !first.is_running());
        machine.probe().run().is_silent(0);
        assert_eq!(process::sentinels(), [], "a probe changes nothing");
        machine.monitor().run().succeeds();
        let second = one(Some(first));
        machine.monitor().run().succeeds();
        assert_eq!(one(Some(first)), second, "one is enough");
        assert_eq!(process::server(), server);
        machine.shell(": >/run/cib.log");
        machine.signal(server, "KILL");
        is_reported(machine, AT_ONCE);
        sleep(RECOVERY);
        machine.monitor().run().fails(7, &["ended unexpectedly"]);
    });
}

#[test]
fn new_thresholds_without_a_restart() {
    on_a_machine(|machine| {
        let server = machine.start();
        let sentinels = process::sentinels();
        sleep(SETTLED);
        machine
            .agent("reload-agent")
            .set("hang_timeout", "1s")
            .run()
            .succeeds();
        assert_eq!((process::server(), process::sentinels()), (server, sentinels));
        machine.signal(server, "STOP");
        // The default would be 10 s.
        is_reported(machine, Duration::from_secs(6));
    });
}
