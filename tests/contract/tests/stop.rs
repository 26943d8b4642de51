//! Stop: in time, whatever the server does, and proven.

use contract::machine::{DATA_ROOT, wait_until};
use contract::store::Frozen;
use contract::{on_a_machine, process};
use std::time::Duration;

#[test]
fn a_server_that_is_stopped_by_a_signal() {
    on_a_machine(|machine| {
        let server = machine.start();
        machine.signal(server, "STOP");
        let outcome = machine.agent("stop").run();
        outcome.succeeds();
        outcome.within(Duration::from_secs(4));
        machine.shell(&format!("umount {DATA_ROOT}"));
    });
}

#[test]
fn a_server_that_has_ended() {
    on_a_machine(|machine| {
        let server = machine.start();
        machine.signal(server, "KILL");
        wait_until("it ends", Duration::from_secs(5), || !server.is_running());
        machine.agent("stop").run().succeeds();
        // The kernel may need a moment to let go of what a killed process had open.
        machine.shell(&format!(
            "umount {DATA_ROOT} || {{ sleep 1; umount {DATA_ROOT}; }}"
        ));
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
        wait_until("it ends", Duration::from_secs(5), || !server.is_running());
        machine.agent("stop").run().succeeds();
        // The database below it hung, too, and notices only now that the server is gone.
        let unmount = || machine.shell(&format!("umount {DATA_ROOT} && echo done || true"));
        wait_until("the store is unmounted", Duration::from_secs(10), || {
            unmount().contains("done")
        });
    });
}

/// However little time there is, enough is kept for SIGKILL and for seeing that it worked.
#[test]
fn a_server_that_ignores_sigterm() {
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_IGNORE_SIGTERM", "1")]);
        for timeout in [90, 20, 5, 2].map(Duration::from_secs) {
            machine.start();
            let outcome = machine.agent("stop").timeout(timeout).run();
            outcome.succeeds();
            outcome.within(timeout.min(Duration::from_secs(10)));
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

/// The first SIGTERM lets the server finish, for as long as the parameter says.
#[test]
fn a_server_that_drains() {
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_DRAIN_SECONDS", "3")]);
        machine.start();
        let outcome = machine.agent("stop").run();
        outcome.succeeds();
        outcome.within(Duration::from_millis(2800));
        machine.start();
        let outcome = machine
            .agent("stop")
            .set("drain_timeout", "20s")
            .timeout(Duration::from_secs(60))
            .run();
        outcome.succeeds();
        assert!(
            outcome.took > Duration::from_secs(2),
            "the drain was cut short: {outcome:?}"
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
