//! A node on which the resource does not run, and perhaps cannot: the probe must be right, quick and careful.

use contract::machine::{BINARY, DATA_ROOT, Machine, on_a_bare_machine};
use contract::store::{Frozen, Hung};
use contract::{on_a_machine, process};
use std::fs;
use std::time::Duration;

#[track_caller]
fn probe_is_over_at_once(machine: &Machine, code: i32) {
    let probe = machine.probe();
    probe.is_over_at_once(&machine.agent("usage"), |outcome| outcome.is_silent(code));
}

/// What holds on every node without a running server.
#[track_caller]
fn is_stopped(machine: &Machine) {
    probe_is_over_at_once(machine, 7);
    machine.monitor().run().fails(7, &["not running"]);
    machine.agent("stop").run().succeeds();
    machine.agent("validate-all").run().succeeds();
}

#[test]
fn nothing_is_installed() {
    on_a_bare_machine(|machine| {
        machine.shell(&format!(
            "umount {BINARY} && rm -r /usr/local/kaiwudb /etc/kaiwudb {DATA_ROOT}"
        ));
        machine.shell("sed -i /^kaiwudb:/d /etc/passwd /etc/group");
        is_stopped(machine);
        machine
            .agent("validate-all")
            .level(10)
            .run()
            .fails(5, &[BINARY, "install"]);
        machine.agent("start").run().fails(5, &[BINARY, "install"]);
        assert!(!fs::exists("/run/kaiwudb-ha/KaiwuDB/server.json").unwrap_or(true));
    });
}

#[test]
fn the_store_is_not_mounted() {
    on_a_bare_machine(|machine| {
        is_stopped(machine);
        machine
            .agent("start")
            .run()
            .fails(1, &[DATA_ROOT, "not mounted", "require_mount"]);
        let left = fs::read_dir(DATA_ROOT).expect("the mount point is there").count();
        assert_eq!(left, 0, "the server began a database on the root disk");
    });
}

/// Whoever touches this file system hangs.
#[test]
fn the_store_does_not_answer() {
    on_a_bare_machine(|machine| {
        let hung = Hung::mount();
        is_stopped(machine);
        let outcome = machine.agent("start").timeout(Duration::from_secs(4)).run();
        outcome.fails(1, &[DATA_ROOT, "stalled"]);
        outcome.within(Duration::from_secs(4));
        drop(hung);
    });
}

#[test]
fn the_store_is_frozen() {
    on_a_machine(|machine| {
        let frozen = Frozen::new();
        is_stopped(machine);
        drop(frozen);
        machine.start();
        let frozen = Frozen::new();
        probe_is_over_at_once(machine, 0);
        drop(frozen);
        machine.agent("stop").run().succeeds();
    });
}

/// A probe is called for a resource that may live elsewhere: it changes nothing here.
#[test]
fn a_probe_leaves_no_trace() {
    on_a_machine(|machine| {
        machine.shell("rm -rf /run/kaiwudb-ha");
        machine.probe().run().is_silent(7);
        assert!(!fs::exists("/run/kaiwudb-ha").unwrap_or(true));
        assert_eq!(machine.log(), Vec::<String>::new());
        assert_eq!(machine.cluster_calls(), Vec::<String>::new());
        assert_eq!(process::sentinels(), []);
    });
}

#[test]
fn tools_that_hang() {
    on_a_machine(|machine| {
        // A directory server that does not answer, asked for an account that is not in /etc/passwd.
        let hang = "/run/hang";
        fs::write(hang, "#!/bin/sh\nexec sleep 1000\n").expect("/run can be written");
        machine.shell(&format!(
            "chmod 755 {hang} && mount --bind {hang} /usr/bin/getent"
        ));
        let outcome = machine
            .agent("start")
            .set("user", "elsewhere")
            .timeout(Duration::from_secs(4))
            .run();
        outcome.fails(5, &["elsewhere"]);
        outcome.within(Duration::from_secs(4));

        // Pacemaker's own tools and blkid: the database starts without them.
        machine.shell(&format!(
            "cp {hang} /usr/sbin/crm_attribute && cp {hang} /usr/sbin/blkid"
        ));
        let outcome = machine.agent("start").timeout(Duration::from_secs(40)).run();
        outcome.succeeds();
        outcome.within(Duration::from_secs(40));
        machine.monitor().run().succeeds();
        machine.agent("stop").run().succeeds();
    });
}
