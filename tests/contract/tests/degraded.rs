//! It serves, but look: shown with the reason, and never a failover.

use contract::machine::DATA_ROOT;
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
