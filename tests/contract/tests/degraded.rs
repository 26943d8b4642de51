//! It serves, but look: shown with the reason, and never a failover.

use contract::machine::{BINARY, DATA_ROOT, RUN_DIRECTORY};
use contract::{Call, on_a_machine};

const DEGRADED: i32 = 190;

#[test]
fn reasons_to_look() {
    on_a_machine(|machine| {
        machine.start();
        let cases: [(&str, Call, &[&str]); 2] = [
            (
                "true",
                machine.monitor().set("min_free", "99%"),
                &[DATA_ROOT, "MiB free"],
            ),
            (
                "mkdir -p /etc/systemd/system/multi-user.target.wants
                 ln -s /x /etc/systemd/system/multi-user.target.wants/kaiwudb.service",
                machine.monitor(),
                &["kaiwudb.service", "systemctl disable"],
            ),
        ];
        for (script, call, words) in cases {
            machine.shell(script);
            call.run().fails(DEGRADED, words);
            call.clone().level(10).run().fails(DEGRADED, words);
            // Pacemaker before 2.0.5 would take 190 for a failure.
            call.clone().set("crm_feature_set", "3.2.0").run().succeeds();
        }
        machine.probe().run().is_silent(0);
        machine.agent("start").run().succeeds();
        machine.agent("stop").run().succeeds();
    });
}

/// Opt-in: a row is written and read back.
#[test]
fn the_write_probe() {
    on_a_machine(|machine| {
        machine.start();
        for _ in 0..2 {
            machine.monitor().level(20).run().succeeds();
        }
        machine.agent("stop").run().succeeds();
    });
}

/// Whoever asks for it is told as long as a crash of the node can take rows, whatever level is asked.
#[test]
fn rows_that_a_crash_can_take() {
    on_a_machine(|machine| {
        machine.start();
        machine.monitor().run().succeeds();
        let required = machine.monitor().set("durability", "required");
        let is_told = |call: &Call, words: &[&str]| {
            for level in [0, 10] {
                call.clone().level(level).run().fails(DEGRADED, words);
            }
        };
        let set = |statement: &str| {
            machine.shell(&format!("{BINARY} sql --insecure -e '{statement}'"));
        };
        is_told(
            &required,
            &[
                "ts.wal.wal_level=2, ts.force_sync_file.enabled=false: ",
                "run kaiwudb-ha durable;",
            ],
        );
        let sql =
            "SET CLUSTER SETTING ts.wal.wal_level = 1; SET CLUSTER SETTING ts.force_sync_file.enabled = true";
        assert!(required.run().reason().contains(sql));
        set("SET CLUSTER SETTING ts.wal.wal_level = 1");
        is_told(&required, &["ts.force_sync_file.enabled=false: "]);
        set("SET CLUSTER SETTING ts.force_sync_file.enabled = true");
        for level in [0, 10] {
            required.clone().level(level).run().succeeds();
        }
        is_told(
            &required.clone().set("sync_interval", "0"),
            &["sync_interval=0", "pcs resource update KaiwuDB sync_interval=1s"],
        );
        // What cannot be asked is what it was.
        let unasked = required.clone().set("sql_port", "9");
        unasked.run().succeeds();
        machine.shell(&format!("rm {RUN_DIRECTORY}/durability.json"));
        unasked.run().fails(DEGRADED, &["ts.wal.wal_level=?"]);
        machine.agent("stop").run().succeeds();
        machine
            .agent("start")
            .set("durability", "always")
            .run()
            .fails(6, &["durability", "best-effort", "required"]);
    });
}
