//! Whom a stop of `ocf:kaiwudb:filesystem` ends: who uses what it unmounts, seen through that mount, and nobody else.

use crate::filesystem::{Device, POINT, mounts, with_a_device};
use contract::Machine;
use contract::machine::{eventually, shell};
use contract::process;
use std::path::Path;
use std::time::Duration;

/// Somebody on the machine, who lives until the test or a stop ends him.
pub(crate) struct Somebody {
    what: String,
    number: u32,
}

impl Somebody {
    /// Runs `script`, in which `$SLEEP` sleeps for good.
    pub(crate) fn who(machine: &Machine, number: u32, script: &str) -> Self {
        machine.shell(&format!(
            "SLEEP='sleep {number}'; export SLEEP; ({script}) </dev/null >/dev/null 2>&1 &"
        ));
        let somebody = Self {
            what: script.to_owned(),
            number,
        };
        eventually(script, || somebody.lives());
        somebody
    }

    pub(crate) fn lives(&self) -> bool {
        let number = self.number.to_string();
        // Who is still about to run it says more than two words.
        !process::all(|words| words.len() == 2 && words[1] == number).is_empty()
    }
}

/// Stops the resource, which must succeed; the users must be gone, the bystanders not.
#[track_caller]
fn stop_ends(device: &Device, users: &[Somebody], bystanders: &[Somebody]) {
    device
        .call("stop")
        .run()
        .within(Duration::from_secs(15))
        .succeeds();
    assert_eq!(mounts(), 0);
    for user in users {
        assert!(!user.lives(), "used it and lives: {}", user.what);
    }
    for bystander in bystanders {
        assert!(
            bystander.lives(),
            "did not use it and is dead: {}",
            bystander.what
        );
    }
}

#[test]
fn a_directory_of_another_file_system_that_is_bound_below() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        // Each of them is another file system that is also somewhere else: the root's, one in memory, the devices'.
        machine.shell(&format!(
            "mkdir -p {POINT}/root {POINT}/memory {POINT}/dev /var/lib/memory
             mount --bind / {POINT}/root; mount -t tmpfs memory /var/lib/memory
             mount --bind /var/lib/memory {POINT}/memory; mount --rbind /dev {POINT}/dev"
        ));
        let users = [
            Somebody::who(machine, 9001, &format!("cd {POINT}/root/tmp && exec $SLEEP")),
            Somebody::who(machine, 9002, &format!("cd {POINT}/memory && exec $SLEEP")),
            Somebody::who(machine, 9003, &format!("exec $SLEEP 3<{POINT}/dev/null")),
            Somebody::who(machine, 9004, &format!("chroot {POINT}/root $SLEEP")),
        ];
        let bystanders = [
            Somebody::who(machine, 9011, "cd / && exec $SLEEP"),
            Somebody::who(machine, 9012, "cd /tmp && exec $SLEEP"),
            Somebody::who(machine, 9013, "exec $SLEEP 3</etc/passwd"),
            Somebody::who(machine, 9014, "cd /var/lib/memory && exec $SLEEP"),
            Somebody::who(machine, 9015, "exec $SLEEP 3</dev/null"),
            Somebody::who(machine, 9016, "unshare --mount sh -c \"cd /tmp && exec $SLEEP\""),
        ];
        stop_ends(device, &users, &bystanders);
        machine.shell("umount /var/lib/memory || true");
    });
}

/// The device has to be free, so whoever uses it anywhere goes; the rest of what they are near stays.
#[test]
fn whoever_keeps_the_device_busy() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "mkdir -p {POINT}/d {POINT}/gone {POINT}/export /var/lib/export {POINT}/up {POINT}/work /var/lib/merged /run/lower
             mount --bind {POINT}/export /var/lib/export
             mount -t overlay o -o lowerdir=/run/lower,upperdir={POINT}/up,workdir={POINT}/work /var/lib/merged
             cp /bin/sleep {POINT}/sleep; cp \"$(ldd /bin/sleep | grep -o '/[^ ]*libc.so[^ ]*')\" {POINT}/lib.so"
        ));
        let users = [
            Somebody::who(machine, 9101, "cd /var/lib/export && exec $SLEEP"),
            Somebody::who(
                machine,
                9102,
                &format!("cd {POINT}/gone && rmdir {POINT}/gone && exec $SLEEP"),
            ),
            Somebody::who(machine, 9103, "cd /var/lib/merged && exec $SLEEP"),
            Somebody::who(machine, 9104, &format!("exec {POINT}/$SLEEP")),
            Somebody::who(
                machine,
                9105,
                &format!("unshare --mount sh -c 'cd {POINT}/d && exec sleep 9105'"),
            ),
            Somebody::who(
                machine,
                9106,
                &format!(
                    "unshare --user --map-root-user --pid --fork sh -c 'cd {POINT}/d && exec sleep 9106'"
                ),
            ),
            Somebody::who(machine, 9107, &format!("LD_PRELOAD={POINT}/lib.so exec $SLEEP")),
        ];
        let bystanders = [
            Somebody::who(machine, 9111, "cd /etc && exec $SLEEP"),
            Somebody::who(
                machine,
                9112,
                "unshare --mount sh -c 'cd /etc && exec sleep 9112'",
            ),
        ];
        stop_ends(device, &users, &bystanders);
        assert_eq!(shell("grep -c merged /proc/self/mounts || true").trim(), "0");
    });
}

/// A container whose root lies on the file system, with mounts of its own.
#[test]
fn a_container_that_lives_there() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "mkdir -p {POINT}/c/proc {POINT}/c/old {POINT}/c/bin {POINT}/c/lib {POINT}/c/lib64 {POINT}/c/usr"
        ));
        // The program pivot_root is in a package that not every release installs.
        let pivot_root = if cfg!(target_arch = "aarch64") { 41 } else { 155 };
        let container = Somebody::who(
            machine,
            9201,
            &format!(
                "exec unshare --mount --pid --fork sh -c 'mount --bind {POINT}/c {POINT}/c; cd {POINT}/c
                 for d in bin lib lib64 usr; do mount --rbind /$d $d; done; mount -t proc proc proc
                 perl -e \"@_ = (q(.), q(old)); syscall({pivot_root}, @_) == 0 or die\" && umount -l old && exec sleep 9201'"
            ),
        );
        let bystander = Somebody::who(machine, 9211, "cd /usr && exec $SLEEP");
        stop_ends(device, &[container], &[bystander]);
    });
}

/// Nothing but a mapping, a bound socket, a thread's own directory.
#[test]
fn users_whom_few_lists_show() {
    let unshare = if cfg!(target_arch = "aarch64") { 97 } else { 272 };
    let users = [
        (
            format!("LD_PRELOAD={POINT}/lib.so exec sleep 600"),
            "grep -q lib.so /proc/$pid/maps".to_owned(),
        ),
        (
            format!(
                "exec perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Local => \"{POINT}/s\", Listen => 1) or die; sleep 600'"
            ),
            format!("grep -q {POINT}/s /proc/net/unix"),
        ),
        (
            format!(
                "exec perl -Mthreads -e 'threads->create(sub {{ syscall({unshare}, 0x200) == 0 or die; chdir \"{POINT}\" or die; sleep 600 }}); sleep 600'"
            ),
            format!("readlink /proc/$pid/task/*/cwd | grep -q {POINT}"),
        ),
    ];
    for (script, uses) in users {
        with_a_device(|machine, device| {
            device.call("start").run().succeeds();
            machine.shell(&format!(
                "cp \"$(ldd /bin/sleep | grep -o '/[^ ]*libc.so[^ ]*')\" {POINT}/lib.so
                 ({script}) </dev/null >/dev/null 2>&1 & echo $! >/run/pid"
            ));
            eventually(&script, || {
                shell(&format!("pid=$(cat /run/pid); {uses} && echo yes || true")) == "yes\n"
            });
            device
                .call("stop")
                .set("force_unmount", "false")
                .run()
                .fails(1, &["used by", "(pid "]);
            device.call("stop").run().succeeds();
            assert_eq!(mounts(), 0, "{script}");
            assert_eq!(
                shell("kill -0 $(cat /run/pid) 2>&1 || echo dead")
                    .trim()
                    .lines()
                    .last(),
                Some("dead")
            );
        });
    }
}

/// Who has called the agent, and the cluster's own programs.
#[test]
fn who_is_never_ended() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell("cp /bin/sleep /usr/sbin/corosync; cp /bin/sleep /usr/local/sbin/sbd");
        let limit = Duration::from_secs(4);
        let corosync = Somebody::who(machine, 9401, &format!("cd {POINT} && exec corosync 9401"));
        let impostor = Somebody::who(
            machine,
            9402,
            &format!("cd {POINT} && exec /usr/local/sbin/sbd 9402"),
        );
        let stop = device.call("stop").timeout(limit).run();
        stop.within(limit)
            .fails(1, &["cannot unmount", POINT, "corosync", "never ends"]);
        assert!(corosync.lives() && !impostor.lives());
        machine.shell("kill $(cat /proc/[0-9]*/stat | grep '(corosync)' | cut -d ' ' -f 1)");
        device.call("stop").run().succeeds();

        device.call("start").run().succeeds();
        let call = device.call("stop").timeout(limit).called_from(POINT);
        call.run()
            .within(limit)
            .fails(1, &["cannot unmount", POINT, "never ends"]);
        device.call("stop").run().succeeds();
    });
}

/// Asked to end, somebody leaves and lives on: he is no user any more.
#[test]
fn who_lets_go_lives() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "sh -c \"trap 'cd /' TERM; cd {POINT}; echo \\$\\$ >/run/pid; while :; do sleep 0.05; done\" </dev/null >/dev/null 2>&1 &"
        ));
        eventually("it stands there", || Path::new("/run/pid").exists());
        device.call("stop").run().succeeds();
        assert_eq!(mounts(), 0);
        machine.shell("kill -0 $(cat /run/pid)");
    });
}
