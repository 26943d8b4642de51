//! Time series: an engine that looks well until the first query.

use contract::machine::{BINARY, DATA_ROOT, Machine, eventually};
use contract::programs::Programs;
use contract::{on_a_machine, process};

const MAKE: [&str; 3] = [
    "CREATE TS DATABASE meters",
    "CREATE TABLE meters.power (ts TIMESTAMPTZ NOT NULL, id INT8) TAGS (run INT8 NOT NULL) PRIMARY TAGS (run)",
    "INSERT INTO meters.power VALUES ('2026-07-02 10:00:00', 1, 7)",
];

fn sql(machine: &Machine, statement: &str) -> String {
    machine.shell(&format!("{BINARY} sql --insecure -e \"{statement}\""))
}

fn make(machine: &Machine) {
    for statement in MAKE {
        sql(machine, statement);
    }
}

/// What a crash soon after a checkpoint can leave: files without their content. Of the real server's the rows' own count; the stand-in has
/// none of these, and the list of the files counts.
fn damage(machine: &Machine) {
    machine.shell(&format!(
        "cd {DATA_ROOT}/tsdb; set -- vg_*/db*/last.ver-*; [ -e $1 ] || set -- vg_001/TSVERSION-*; for file; do : >$file; done"
    ));
}

/// It serves SQL, health says that it is ready, and the first query ends it: a start says so, before clients come, and the cluster does
/// not carry the same bytes from node to node.
#[test]
fn a_store_that_kills_its_server() {
    on_a_machine(|machine| {
        machine.start();
        make(machine);
        machine.agent("stop").run().succeeds();
        machine.start();
        machine.monitor().level(10).run().succeeds();
        machine.agent("stop").run().succeeds();
        damage(machine);
        for _ in 0..2 {
            let outcome = machine.agent("start").run();
            outcome.fails(6, &["damaged time series", "ends the server", "restore"]);
            assert_eq!(process::servers(), []);
            machine.probe().run().is_silent(7);
            machine.agent("stop").run().succeeds();
        }
        // Whom nobody has asked: a database without time series has none to ask.
        let reports = machine.cluster_calls();
        assert!(
            !reports.iter().any(|call| call.contains("crm_resource --fail")),
            "{reports:?}"
        );
    });
}

/// It broke while it ran, or was adopted: the monitor that asks notices.
#[test]
fn a_monitor_that_asks() {
    on_a_machine(|machine| {
        machine.start();
        // None yet, then one that is dropped, then another.
        machine.monitor().level(10).run().succeeds();
        make(machine);
        machine.monitor().level(10).run().succeeds();
        sql(machine, "DROP TABLE meters.power");
        for _ in 0..2 {
            machine.monitor().level(10).run().succeeds();
        }
        sql(machine, MAKE[1]);
        machine.monitor().level(10).run().succeeds();
        if !Programs::get().is_standin {
            machine.agent("stop").run().succeeds();
            return;
        }
        // An engine that does not answer: its table is locked by somebody who never lets go.
        machine.shell(&format!(
            "{BINARY} sql --insecure -e 'BEGIN; LOCK TABLE meters.power IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)' >/dev/null 2>&1 &"
        ));
        eventually("the table is locked", || {
            let locks = "SELECT 'locked' FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                 AND relation = 'meters.power'::regclass";
            sql(machine, locks).contains("locked")
        });
        machine.monitor().run().succeeds();
        let outcome = machine.monitor().level(10).set("hang_timeout", "2s").run();
        outcome.fails(1, &["does not answer a time-series query within 2 s"]);
        machine.agent("stop").run().succeeds();
    });
}
