//! What comes to an attacker's mind who has read the agents: file systems of his own, processes that cannot be caught, paths without end.

use contract::machine::{AGENT, DATA_ROOT, eventually, shell};
use contract::{Call, on_a_bare_machine, on_a_machine, store};
use hostile::{
    POINT, SERVICE, SOON, as_account, cert_sync, database, file_system, honest_servers, pretender, races,
    start_as, stock_layout, the_service_goes_on,
};
use std::thread;
use std::time::Duration;

testing::tests![
    a_file_system_of_the_accounts_own,
    processes_that_are_gone_when_they_are_looked_at,
    processes_that_leave_their_group_as_well,
    a_container_with_the_same_number_is_spared,
    a_server_that_leaves_processes_that_evade,
    a_path_without_end,
];

/// FUSE, as `fusermount` does it for anybody, over directories of the account's own: root may not look into it, or waits for ever.
fn a_file_system_of_the_accounts_own() {
    for options in ["", ",allow_other"] {
        for place in ["info", "script", "certs"] {
            on_a_machine(|machine| {
                stock_layout();
                shell(
                    "mkdir -p /etc/corosync; head -c 128 /dev/zero | tr '\\0' x >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey",
                );
                machine.agent("start").run().succeeds();
                shell(&format!(
                    "(exec 9<>/dev/fuse; mount -i -t fuse evil /etc/kaiwudb/{place} -o fd=9,rootmode=40000,user_id={SERVICE},group_id={SERVICE}{options}
                     exec sleep 600) >/dev/null 2>&1 & echo $! >/run/fuse.pid; sleep 1; grep -q ' /etc/kaiwudb/{place} ' /proc/self/mounts"
                ));
                for action in ["monitor", "stop"] {
                    for call in [database(action), cert_sync(action)] {
                        let outcome = call.run();
                        assert!(outcome.took < SOON * 2, "{place}{options} {action}: {outcome:?}");
                        assert!(
                            action != "stop" || outcome.code() == 0,
                            "{place}{options}: {outcome:?}"
                        );
                    }
                }
                assert!(honest_servers().is_empty());
                machine.probe().run().within(SOON).is_silent(7);
                shell(&format!(
                    "kill $(cat /run/fuse.pid); sleep 0.2; umount /etc/kaiwudb/{place}"
                ));
                the_service_goes_on(machine);
            });
        }
    }
}

/// A file system of which something of the account's does not let go: a stop succeeds all the same.
fn held_by(script: &str) {
    held_by_beside(script, || (), || ());
}

/// With this before the stop, and this after it.
fn held_by_beside(script: &str, before: impl FnOnce() + Send, after: impl FnOnce() + Send) {
    on_a_bare_machine(|_machine| {
        stock_layout();
        let device = shell(&format!("losetup --find --show {}", store::empty().display()));
        let device = device.trim();
        let call = |action: &str| file_system(action, device).env("OCF_RESKEY_CRM_meta_timeout", "20000");
        call("start").run().succeeds();
        shell(&format!("chown kaiwudb: {POINT}"));
        let _holder = start_as(SERVICE, script);
        thread::sleep(Duration::from_secs(1));
        before();
        let outcome = call("stop").run();
        outcome.within(SOON * 2).succeeds();
        after();
        shell("pkill -KILL -u kaiwudb || true");
        shell(&format!("losetup --detach {device}"));
    });
}

/// Each has forked the next one and ended before anybody can send it a signal.
fn processes_that_are_gone_when_they_are_looked_at() {
    held_by(&format!("cd {POINT} && exec perl -e '{CHAIN}'"));
}

fn processes_that_leave_their_group_as_well() {
    held_by(&format!("cd {POINT} && exec perl -MPOSIX -e '{LEAVES}'"));
}

/// Perl: forks and ends, without end.
const CHAIN: &str = "$SIG{TERM} = q(IGNORE); $SIG{CHLD} = q(IGNORE); while (1) { fork and exit }";

/// Perl: the same, in a new session each time.
const LEAVES: &str = "$SIG{TERM} = q(IGNORE); while (1) { fork and exit; POSIX::setsid() }";

/// Who has the same number as the server's account and is another: a program in a container without a user namespace, and one in a user
/// namespace. Both are gone with the machine.
fn start_bystanders() {
    let run = format!("setpriv --reuid={SERVICE} --regid={SERVICE} --clear-groups");
    shell(&format!(
        "unshare --pid --fork --kill-child {run} sleep 6001 >/dev/null 2>&1 &
         {run} unshare --user --map-root-user sleep 6002 >/dev/null 2>&1 &"
    ));
    eventually("the bystanders run", || bystanders() == 2);
}

fn bystanders() -> usize {
    shell("pgrep -fx 'sleep 600[12]' || true").lines().count()
}

/// As a container has it that uses the number of the server's account.
fn a_container_with_the_same_number_is_spared() {
    for script in [CHAIN, LEAVES] {
        for _ in 0..races(1) {
            held_by_beside(
                &format!("cd {POINT} && exec perl -MPOSIX -e '{script}'"),
                start_bystanders,
                || assert_eq!(bystanders(), 2, "{script}"),
            );
        }
    }
}

/// The server has ended, and what it leaves in its session cannot be caught: each is gone when the agent, which is slow here, sends its signal.
fn a_server_that_leaves_processes_that_evade() {
    on_a_machine(|machine| {
        stock_layout();
        shell(&format!(
            "printf '#!/bin/sh\nexec strace -f --seccomp-bpf -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:delay_enter=20000 {AGENT} \"$@\"\n' \
             >/run/slow; chmod +x /run/slow"
        ));
        let _server = pretender(
            SERVICE,
            &format!(
                "use POSIX; setsid(); if (!fork) {{ chdir q({DATA_ROOT}); exec qw(perl -e), q(fork for 1..6;) . <<'CHAIN' }} sleep 600 while 1;\n{CHAIN}\nCHAIN\n"
            ),
        );
        eventually("the server runs", || honest_servers().len() == 1);
        let evading = || shell(&format!("pgrep -u {SERVICE} -x perl || true"));
        eventually("they evade", || !evading().is_empty());
        let outcome = Call::new("/run/slow".into(), "stop").run();
        outcome.within(SOON * 2).succeeds();
        let log = machine.log();
        let words = format!("everything that uid {SERVICE} ran has been ended");
        assert!(log.iter().any(|line| line.contains(&words)), "{log:?}");
        assert_eq!(evading(), "");
    });
}

/// The kernel cannot tell where such a process is: its directory has a path of more than 4096 bytes.
fn a_path_without_end() {
    let name = "x".repeat(200);
    held_by(&format!(
        "cd {POINT} && exec perl -e 'for (1..40) {{ mkdir q({name}); chdir q({name}) or die }} $SIG{{TERM}} = q(IGNORE); sleep 600 while 1'"
    ));
    on_a_machine(|machine| {
        stock_layout();
        machine.agent("start").run().succeeds();
        let _holder = start_as(
            SERVICE,
            &format!(
                "cd {DATA_ROOT} && exec perl -e 'for (1..40) {{ mkdir q({name}); chdir q({name}) or die }} sleep 600 while 1'"
            ),
        );
        thread::sleep(Duration::from_secs(1));
        machine.agent("stop").run().within(SOON).succeeds();
        assert!(honest_servers().is_empty());
        as_account(SERVICE, &format!("rm -rf {DATA_ROOT}/{name}"));
    });
}
