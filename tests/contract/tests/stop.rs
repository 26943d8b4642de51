//! Stop: in time, whatever the server does, and proven.

use contract::machine::{BINARY, DATA_ROOT, Machine, RUN_DIRECTORY, eventually};
use contract::store::Frozen;
use contract::{Call, on_a_machine, process};
use host::Deadline;
use kwdb::sql::{Connection, SqlError, Target};
use std::time::Duration;

/// More time than any of these stops needs, and what shows that one has not used all of it.
const AMPLE: Duration = Duration::from_secs(90);
const SOON: Duration = Duration::from_secs(30);

fn store_is_unmounted(machine: &Machine) {
    eventually("the store is unmounted", || {
        let done = machine.shell(&format!("umount {DATA_ROOT} && echo done || true"));
        done.contains("done")
    });
}

#[test]
fn a_server_that_is_stopped_by_a_signal() {
    on_a_machine(|machine| {
        let server = machine.start();
        machine.signal(server, "STOP");
        let outcome = machine.agent("stop").timeout(AMPLE).run();
        outcome.succeeds();
        outcome.within(SOON);
        machine.shell(&format!("umount {DATA_ROOT}"));
    });
}

#[test]
fn a_server_that_has_ended() {
    on_a_machine(|machine| {
        let server = machine.start();
        machine.signal(server, "KILL");
        eventually("it ends", || !server.is_running());
        machine.agent("stop").run().succeeds();
        // The kernel may need a moment to let go of what a killed process had open.
        store_is_unmounted(machine);
        machine.agent("stop").run().succeeds();
    });
}

/// The disk does not answer: SIGKILL has no effect, and only fencing helps. The reason says so, and what it waits for.
#[test]
fn a_server_in_the_kernel() {
    on_a_machine(|machine| {
        let server = machine.start();
        let frozen = Frozen::new();
        let outcome = machine.agent("stop").timeout(Duration::from_secs(8)).run();
        outcome.within(Duration::from_secs(8));
        outcome.fails(
            1,
            &[&format!("(pid {})", server.0), "SIGKILL", "the kernel", "fenc"],
        );
        drop(frozen);
        eventually("it ends", || !server.is_running());
        machine.agent("stop").run().succeeds();
        // The database below it hung, too, and notices only now that the server is gone.
        store_is_unmounted(machine);
    });
}

/// However little time there is, enough is kept for SIGKILL and for seeing that it worked.
#[test]
#[cfg_attr(real_server, ignore = "needs a fault of the stand-in: SIGTERM has no effect")]
fn a_server_that_ignores_sigterm() {
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_IGNORE_SIGTERM", "1")]);
        for timeout in [90, 20, 5].map(Duration::from_secs) {
            machine.start();
            let outcome = machine.agent("stop").timeout(timeout).run();
            outcome.succeeds();
            outcome.within(timeout.min(SOON));
            assert_eq!(process::servers(), []);
        }
        machine.start();
        let outcome = machine
            .agent("stop")
            .set("drain_timeout", "10min")
            .timeout(Duration::from_secs(8))
            .run();
        outcome.succeeds();
        outcome.within(Duration::from_secs(8));
    });
}

/// A drain takes much longer than any of these stops may.
const LONG_DRAIN: (&str, &str) = ("KWBASE_STANDIN_DRAIN_SECONDS", "600");
/// So does waiting for as long as the parameter allows.
const PATIENT: &str = "60s";

fn connect(machine: &Machine) -> Connection {
    let server = Target {
        address: ([127, 0, 0, 1], 26257).into(),
        user: "root".into(),
        database: "defaultdb".into(),
        certs_directory: None,
    };
    machine.start();
    Connection::open(&server, soon()).expect("the server serves")
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// A stop with this `drain_timeout` and all the time it wants.
fn stop(machine: &Machine, drain_timeout: &str) -> Call {
    let stop = machine.agent("stop").timeout(AMPLE);
    stop.set("drain_timeout", drain_timeout)
}

/// Nobody is served by the rest of a drain.
#[test]
fn without_clients_at_once() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN]);
        drop(connect(machine));
        let outcome = stop(machine, PATIENT).run();
        outcome.succeeds();
        outcome.within(SOON);
    });
}

/// The first SIGTERM ends idle sessions.
#[test]
fn idle_clients_are_told() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN]);
        let mut session = connect(machine);
        let outcome = stop(machine, PATIENT).run();
        outcome.succeeds();
        outcome.within(SOON);
        let told = session.query("SELECT 1", soon());
        assert!(
            matches!(&told, Err(SqlError::Server { code, .. }) if code == "57P01"),
            "{told:?}"
        );
    });
}

/// A statement that is short enough is finished and acknowledged, and then nothing is waited for any more.
#[test]
#[cfg_attr(real_server, ignore = "holds a statement by PostgreSQL's advisory locks")]
fn a_short_statement_finishes() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN]);
        let mut session = connect(machine);
        session
            .query("CREATE TABLE short (n INT)", soon())
            .expect("a table");
        // It waits for the lock of our session, which the first SIGTERM ends.
        session
            .query("SELECT pg_advisory_lock(1)", soon())
            .expect("a lock");
        machine.shell(&format!(
            "{{ {BINARY} sql --insecure -e 'INSERT INTO short SELECT 1 FROM pg_advisory_lock(1)' >/run/said 2>&1; \
             echo \"status $?\" >>/run/said; }} >/dev/null 2>&1 &"
        ));
        let statements =
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT%'";
        eventually("the statement runs", || {
            session.query(statements, soon()).expect("an answer")[0][0].as_deref() == Some("1")
        });
        let outcome = stop(machine, PATIENT).run();
        outcome.succeeds();
        outcome.within(SOON);
        eventually("the client has ended", || {
            machine.shell("cat /run/said").contains("status")
        });
        let said = machine.shell("cat /run/said");
        assert!(said.ends_with("status 0\n"), "{said}");
        let rows = connect(machine).query("SELECT n FROM short", soon());
        assert_eq!(rows.expect("rows").len(), 1);
    });
}

/// A client that holds its session gets all the time of the parameter, and no more.
#[test]
fn a_client_that_holds_its_session() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN]);
        let mut session = connect(machine);
        session.query("BEGIN", soon()).expect("a transaction");
        let outcome = stop(machine, "1s").run();
        outcome.succeeds();
        outcome.within(SOON);
        assert!(outcome.took >= Duration::from_secs(1), "cut short: {outcome:?}");
    });
}

/// Where the server cannot be asked whether it drains, it is given the time of the parameter.
#[test]
fn what_cannot_be_known() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN]);
        machine.start();
        let outcome = machine
            .agent("stop")
            .set("drain_timeout", "1s")
            .set("http_port", "9")
            .run();
        outcome.succeeds();
        assert!(outcome.took >= Duration::from_secs(1), "cut short: {outcome:?}");
    });
}

/// With `ts.wal.wal_level` 0 a hard stop loses rows; who cannot know drains fully, and what was seen at the start is known.
#[test]
#[cfg_attr(
    real_server,
    ignore = "needs a fault of the stand-in: a drain that never ends by itself"
)]
fn a_level_of_logging_that_is_not_known() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN]);
        let silent = |forget: bool| {
            machine.start();
            if forget {
                machine.shell(&format!("rm {RUN_DIRECTORY}/durability.json"));
            }
            machine.agent("stop").set("sql_port", "9").run()
        };
        let known = silent(false);
        known.succeeds();
        known.within(Duration::from_secs(3));
        let unknown = silent(true);
        unknown.succeeds();
        assert!(unknown.took >= Duration::from_secs(8), "cut short: {unknown:?}");
        assert!(
            machine
                .log()
                .iter()
                .any(|line| line.contains("wal_level is not known")),
            "{:?}",
            machine.log()
        );
        let mut session = connect(machine);
        let set = "SET CLUSTER SETTING ts.wal.wal_level = 0";
        session.query(set, soon()).expect("a setting");
        drop(session);
        machine.agent("stop").run().succeeds();
        // What a start has seen of it counts as well.
        let off = silent(false);
        off.succeeds();
        assert!(off.took >= Duration::from_secs(8), "cut short: {off:?}");
    });
}

/// Two SIGTERMs before the server has taken the first are one, and one is a full drain.
#[test]
fn the_second_sigterm_is_not_lost() {
    on_a_machine(|machine| {
        machine.server_variables(&[LONG_DRAIN, ("KWBASE_STANDIN_SIGNAL_DELAY", "0.15")]);
        machine.start();
        let outcome = stop(machine, PATIENT).run();
        outcome.succeeds();
        outcome.within(SOON);
        let ended = machine.shell(&format!("cat {RUN_DIRECTORY}/ended.json"));
        assert!(
            ended.contains("\"signal\":15"),
            "by the second SIGTERM, not by SIGKILL: {ended}"
        );
    });
}

/// Filesystem's stop comes next and must succeed at once: nothing of the database holds the mount.
#[test]
fn the_store_can_be_unmounted() {
    on_a_machine(|machine| {
        for _ in 0..5 {
            machine
                .agent("start")
                .set("sync_interval", "10ms")
                .run()
                .succeeds();
            machine.agent("stop").run().succeeds();
            let held = "{ ps -eo pid,ppid,sid,stat,args; exit 1; } >&2";
            machine.shell(&format!(
                "umount {DATA_ROOT} || {held}; mount -o loop /run/store-1.img {DATA_ROOT}"
            ));
        }
    });
}

/// What the parameters say now need not be what the server was started with.
#[test]
fn parameters_that_changed_while_it_ran() {
    on_a_machine(|machine| {
        machine.start();
        machine
            .agent("stop")
            .set("data_root", "/var/lib/other")
            .run()
            .succeeds();
        assert_eq!(
            process::servers(),
            [],
            "the server that this resource started has ended"
        );
    });
}
