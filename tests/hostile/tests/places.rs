//! Places that others share with root: a file system's root directory, the directory of locks.

use contract::machine::{eventually, shell};
use contract::programs::Programs;
use contract::{Call, on_a_bare_machine, store};
use hostile::{
    NEIGHBOUR, POINT, SERVICE, SOON, as_account, canary_is_untouched, file_system, start_as, stock_layout,
};
use std::path::Path;
use std::time::Duration;

testing::tests![
    a_link_where_the_monitor_writes,
    a_pipe_where_the_monitor_writes,
    a_lock_directory_of_a_neighbours,
];

fn with_file_system(attack: &str) {
    on_a_bare_machine(|_machine| {
        stock_layout();
        let device = shell(&format!("losetup --find --show {}", store::empty().display()));
        let device = device.trim();
        let call = |action: &str| file_system(action, device);
        let monitor = || call("monitor").every(Duration::from_secs(20)).level(20).run();
        call("start").run().succeeds();
        shell(&format!("chown kaiwudb: {POINT}"));
        assert_eq!(as_account(SERVICE, &format!("cd {POINT} && {attack}")), "");
        monitor().within(SOON).succeeds();
        canary_is_untouched();
        monitor().within(SOON).succeeds();
        assert_eq!(shell(&format!("ls -A {POINT} | grep kaiwudb || true")), "");
        call("stop").run().within(SOON).succeeds();
        shell(&format!("losetup --detach {device}"));
    });
}

fn a_link_where_the_monitor_writes() {
    with_file_system("ln -s /root/canary .kaiwudb-ha-monitor");
}

fn a_pipe_where_the_monitor_writes() {
    with_file_system("mkfifo .kaiwudb-ha-monitor");
}

/// On Debian everybody can make directories in `/run/lock`. The handler waits for nobody there and makes nothing elsewhere.
fn a_lock_directory_of_a_neighbours() {
    on_a_bare_machine(|_machine| {
        stock_layout();
        // The case is never plain here, and the script to which it would be handed over is not ours.
        shell(
            "mkdir -p /usr/lib/drbd; mount -t tmpfs none /usr/lib/drbd; mkdir -p /run/lock; chmod 1777 /run/lock; [ -e /var/lock ] || ln -s /run/lock /var/lock",
        );
        for lock in [
            "mkfifo fence.r0",
            "ln -s /root/made fence.r0",
            "touch fence.r0; exec flock fence.r0 sleep 600",
        ] {
            shell("rm -rf /run/lock/drbd*");
            let _neighbour = start_as(
                NEIGHBOUR,
                &format!("mkdir /var/lock/drbd && cd /var/lock/drbd && {lock}; sleep 600"),
            );
            eventually("the directory is his", || {
                !shell("ls -A /var/lock/drbd 2>/dev/null || true").is_empty()
            });
            let outcome = Call::new(Programs::get().agent("crm-fence-peer"), "--quiet")
                .env("DRBD_RESOURCE", "r0")
                .env("DRBD_PEER", "other")
                .run();
            assert!(outcome.took < Duration::from_secs(4), "{outcome:?}");
            assert!(!Path::new("/root/made").exists());
            // Nor do the scripts of drbd-utils find anything of his.
            assert_eq!(shell("stat -c '%u %a' /var/lock/drbd"), "0 700\n");
        }
    });
}
