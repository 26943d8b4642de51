//! A stop of `ocf:kaiwudb:filesystem` that succeeds leaves the device free; one that cannot says who has it.

use crate::filesystem::{Device, POINT, mounts, with_a_device};
use crate::filesystem_users::Somebody;
use contract::machine::shell;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::path::Path;
use std::time::Duration;

const ELSEWHERE: &str = "/var/lib/elsewhere";
const LIMIT: Duration = Duration::from_secs(4);

/// Whether nobody has the device, as the kernel sees it.
fn is_free(device: &Device) -> bool {
    let flags = OFlag::O_RDONLY | OFlag::O_EXCL;
    open(Path::new(&device.path), flags, Mode::empty()).map(drop) != Err(Errno::EBUSY)
}

#[track_caller]
fn stop_frees(device: &Device) {
    device
        .call("stop")
        .run()
        .within(Duration::from_secs(8))
        .succeeds();
    assert_eq!(mounts(), 0);
    assert!(is_free(device), "success, and somebody has the device");
}

#[test]
fn a_device_that_is_mounted_elsewhere_too() {
    with_a_device(|machine, device| {
        for elsewhere in [
            format!("mount --bind {POINT}/d {ELSEWHERE}"),
            format!("mount {} {ELSEWHERE}", device.path),
            format!("mount --bind {POINT} {ELSEWHERE}; umount {POINT}"),
            format!(
                "truncate -s 8M {POINT}/image; mkfs.ext4 -q {POINT}/image; mount -o loop {POINT}/image {ELSEWHERE}"
            ),
        ] {
            device.call("start").run().succeeds();
            machine.shell(&format!("mkdir -p {POINT}/d {ELSEWHERE}; {elsewhere}"));
            stop_frees(device);
            assert_eq!(
                shell(&format!("grep -c {ELSEWHERE} /proc/self/mounts || true")).trim(),
                "0",
                "{elsewhere}"
            );
        }
    });
}

/// Namespaces with a copy that follows nothing of what we do: containers that see the whole machine.
#[test]
fn other_mount_namespaces() {
    for propagation in ["private", "slave", "shared"] {
        with_a_device(|machine, device| {
            machine.shell("mount --make-rshared /");
            device.call("start").run().succeeds();
            let unshare = format!("unshare --mount --propagation {propagation}");
            let bystanders = [
                Somebody::who(machine, 9601, &format!("exec {unshare} $SLEEP")),
                Somebody::who(machine, 9602, &format!("exec {unshare} chroot / $SLEEP")),
                Somebody::who(
                    machine,
                    9603,
                    &format!(
                        "exec {unshare} sh -c 'mkdir -p /run/root; mount --rbind / /run/root; exec chroot /run/root sleep 9603'"
                    ),
                ),
            ];
            stop_frees(device);
            assert!(bystanders.iter().all(Somebody::lives), "they only saw it");
        });
    }
}

#[test]
fn the_link_to_the_device_has_vanished() {
    with_a_device(|machine, device| {
        machine.shell(&format!("ln -s {} /dev/store", device.path));
        let call = |action: &str| device.call(action).set("device", "/dev/store");
        call("start").run().succeeds();
        machine.shell("rm /dev/store");
        call("monitor")
            .every(Duration::from_secs(20))
            .run()
            .fails(1, &["/dev/store", "gone", POINT]);
        call("stop").run().succeeds();
        assert!(mounts() == 0 && is_free(device));
    });
}

/// What the tables do not show.
#[test]
fn a_mount_that_was_unmounted_lazily() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        let user = Somebody::who(machine, 9701, &format!("exec $SLEEP >{POINT}/file"));
        machine.shell(&format!("umount --lazy {POINT}"));
        let polite = device
            .call("stop")
            .set("force_unmount", "false")
            .timeout(LIMIT)
            .run();
        polite
            .within(LIMIT)
            .fails(1, &[&device.path, "not free", "(pid "]);
        assert!(user.lives());
        stop_frees(device);
        assert!(!user.lives());
    });
}

#[test]
fn who_has_the_device_is_named() {
    with_a_device(|machine, device| {
        // A check of the file system that somebody has begun, a namespace that only a file keeps. A namespace is bound only in one
        // whose number is lower (`mnt_ns_loop`), and Linux 6.18 counts them for each processor (`gen_cookie_next`): one of them fits.
        for (keeps, ends, words) in [
            (
                format!("umount {POINT}; perl -MFcntl -e 'sysopen(F, \"{}\", O_RDONLY | O_EXCL) or die; sleep 600' & echo $! >/run/pid; sleep 1", device.path),
                "kill $(cat /run/pid)",
                "perl (pid ",
            ),
            (
                format!("mkdir -p /run/ns; mount -t tmpfs ns /run/ns; mount --make-private /run/ns; touch /run/ns/mnt
                         for cpu in $(seq 0 $(($(getconf _NPROCESSORS_CONF) - 1))); do
                             ! taskset -c $cpu unshare --mount=/run/ns/mnt true || break
                         done
                         umount {POINT}"),
                "umount /run/ns/mnt",
                "nsfs",
            ),
        ] {
            device.call("start").run().succeeds();
            machine.shell(&format!("{{ {keeps}; }} >/dev/null 2>&1"));
            assert!(!is_free(device));
            let stop = device.call("stop").timeout(LIMIT).run();
            stop.within(LIMIT).fails(1, &[&device.path, "not free"]);
            assert!(stop.reason().contains(words), "{stop:?}");
            machine.shell(ends);
            device.call("stop").run().succeeds();
        }
    });
}

/// What was mounted before the resource is somebody else's: asked to go, but nobody there is ended.
#[test]
fn a_mount_that_is_older_than_the_resource() {
    with_a_device(|machine, device| {
        let mount = format!("mkdir -p {ELSEWHERE}; mount {} {ELSEWHERE}", device.path);
        machine.shell(&mount);
        device.call("start").run().succeeds();
        let user = Somebody::who(machine, 9801, &format!("cd {ELSEWHERE} && exec $SLEEP"));
        let stop = device.call("stop").timeout(LIMIT).run();
        stop.within(LIMIT)
            .fails(1, &["cannot unmount", ELSEWHERE, "(pid "]);
        assert!(user.lives() && mounts() == 0);
        machine.shell("kill $(pgrep -f '^sleep 9801')");
        stop_frees(device);

        // Never started here: nobody is ended either.
        machine.shell(&mount);
        let user = Somebody::who(machine, 9802, &format!("cd {ELSEWHERE} && exec $SLEEP"));
        device.call("stop").timeout(LIMIT).run().fails(1, &[ELSEWHERE]);
        assert!(user.lives());
    });
}

/// The kernel gives the number of a mount that is gone to the next one.
#[test]
fn a_later_mount_with_the_number_of_an_older_one() {
    with_a_device(|machine, device| {
        machine.shell(&format!(
            "mkdir -p {ELSEWHERE} /var/lib/later; mount {} {ELSEWHERE}",
            device.path
        ));
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "umount {ELSEWHERE}; mount --bind {POINT} /var/lib/later"
        ));
        let user = Somebody::who(machine, 9803, "cd /var/lib/later && exec $SLEEP");
        stop_frees(device);
        assert!(!user.lives());
    });
}

/// Names are bytes: here 测试 in GBK.
#[test]
fn a_mount_below_whose_name_is_not_utf8() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "name=$(printf '{POINT}/\\262\\342\\312\\324'); mkdir \"$name\"; mount -t tmpfs below \"$name\""
        ));
        stop_frees(device);
    });
}

/// A mount that was unmounted lazily, on a machine whose /dev has lost the node.
#[test]
fn the_node_of_the_device_has_vanished() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        let user = Somebody::who(machine, 9804, &format!("exec $SLEEP >{POINT}/file"));
        machine.shell(&format!("umount --lazy {POINT}; mv {0} {0}.away", device.path));
        device.call("stop").run().succeeds();
        machine.shell(&format!("mv {0}.away {0}", device.path));
        assert!(is_free(device) && !user.lives());
        assert_eq!(machine.shell("ls -A /dev | grep kaiwudb || true"), "");
    });
}

/// The kernel locks the mounts that a user namespace was given: nobody can unmount one there.
#[test]
fn a_user_namespace_with_mounts_of_its_own() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        let bystander = Somebody::who(
            machine,
            9805,
            "exec unshare --user --map-root-user --mount --propagation private $SLEEP",
        );
        let stop = device.call("stop").timeout(LIMIT).run();
        stop.within(LIMIT)
            .fails(1, &["cannot unmount", "(pid ", "end that process"]);
        assert!(bystander.lives(), "he only saw it");
        machine.shell("kill $(pgrep -f '^sleep 9805')");
        stop_frees(device);
    });
}

/// Without the table nobody can say that nothing is mounted.
#[test]
fn an_unreadable_table() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell("mkdir /run/empty; mount --bind /run/empty /proc");
        for action in ["stop", "start"] {
            device
                .call(action)
                .run()
                .fails(1, &["cannot tell what is mounted"]);
        }
        machine.shell("umount /proc");
        stop_frees(device);
    });
}
