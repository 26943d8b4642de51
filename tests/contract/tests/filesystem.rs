//! `ocf:kaiwudb:filesystem` on a loop device, and next to it `ocf:heartbeat:Filesystem`, whose parameters it shares.

use crate::ocf_tester::has_no_complaint;
use contract::machine::{Machine, eventually, shell};
use contract::programs::Programs;
use contract::{Call, on_a_bare_machine, store};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const POINT: &str = "/var/lib/mounted";
const SHELL_AGENT: &str = "/usr/lib/ocf/resource.d/heartbeat/Filesystem";

/// A block device with an empty ext4 on it. The kernel takes it away with the last who has it open, so it is gone after a
/// test that was killed, too.
pub(crate) struct Device {
    pub(crate) path: String,
    _open: File,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self::on(&store::empty())
    }

    pub(crate) fn on(image: &Path) -> Self {
        let path = shell(&format!("losetup --find --show {}", image.display()));
        let path = path.trim().to_owned();
        let open = File::open(&path).expect("the device has a node");
        shell(&format!("losetup --detach {path}"));
        Self { path, _open: open }
    }

    /// The agent's call for this device.
    pub(crate) fn call(&self, action: &str) -> Call {
        self.call_of(Programs::get().agent("filesystem"), action)
    }

    fn call_of(&self, agent: PathBuf, action: &str) -> Call {
        Call::new(agent, action)
            .env("OCF_RESOURCE_INSTANCE", "KaiwuFS")
            .env("OCF_RESOURCE_TYPE", "filesystem")
            .set("device", &self.path)
            .set("directory", POINT)
            .set("fstype", "ext4")
    }

    pub(crate) fn monitor(&self) -> Call {
        self.call("monitor").every(Duration::from_secs(20))
    }
}

/// A file system that answers nobody who writes. It must not stay so, whatever becomes of the test: nothing could end it then.
struct Frozen(&'static str);

impl Frozen {
    fn at(point: &'static str) -> Self {
        shell(&format!("fsfreeze --freeze {point}"));
        Self(point)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        shell(&format!("fsfreeze --unfreeze {}", self.0));
    }
}

pub(crate) fn with_a_device(test: impl FnOnce(&Machine, &Device) + Send) {
    on_a_bare_machine(|machine| test(machine, &Device::new()));
}

/// How often something is mounted on the directory or below it.
pub(crate) fn mounts() -> usize {
    let points = shell("cut -d ' ' -f 2 /proc/self/mounts");
    points
        .lines()
        .filter(|point| Path::new(point).starts_with(POINT))
        .count()
}

#[test]
fn both_agents_live_the_same_life() {
    with_a_device(|_, device| {
        fs::create_dir(POINT).expect("/var/lib is private");
        for agent in [SHELL_AGENT.into(), Programs::get().agent("filesystem")] {
            let run = |action: &str| device.call_of(agent.clone(), action).run().code();
            let monitor = || {
                let call = device.call_of(agent.clone(), "monitor");
                call.every(Duration::from_secs(20)).run().code()
            };
            let mut codes = vec![run("monitor"), run("stop"), run("validate-all"), run("start")];
            codes.extend([run("start"), run("monitor"), monitor(), run("stop"), run("stop")]);
            codes.extend([run("monitor"), monitor()]);
            assert_eq!(codes, [7, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7], "{}", agent.display());
            assert_eq!(mounts(), 0, "{}", agent.display());
        }
    });
}

/// A resource can go from one agent to the other with the file system mounted.
#[test]
fn each_takes_over_what_the_other_has_mounted() {
    with_a_device(|_, device| {
        fs::create_dir(POINT).expect("/var/lib is private");
        let ours = Programs::get().agent("filesystem");
        for (first, then) in [(SHELL_AGENT.into(), ours.clone()), (ours, SHELL_AGENT.into())] {
            assert_eq!(device.call_of(first, "start").run().code(), 0);
            let then = |action: &str| device.call_of(PathBuf::clone(&then), action).run().code();
            assert_eq!([then("monitor"), then("start")], [0, 0]);
            assert_eq!(mounts(), 1);
            assert_eq!(then("stop"), 0);
            assert_eq!(mounts(), 0);
        }
    });
}

#[test]
fn the_real_ocf_tester_has_no_complaint() {
    with_a_device(|machine, device| {
        let said = machine.shell(&format!(
            "cp '{}' /run/filesystem; ocf-tester -n KaiwuFS -o device={} -o directory={POINT} -o fstype=ext4 /run/filesystem 2>&1",
            Programs::get().agent("filesystem").display(),
            device.path
        ));
        has_no_complaint(&said, "filesystem");
    });
}

#[test]
fn a_mount_point_that_is_missing_is_made_and_links_are_followed() {
    with_a_device(|machine, device| {
        machine.shell(&format!(
            "ln -s {} /dev/store; ln -s {POINT} /var/lib/link",
            device.path
        ));
        let linked = |action: &str| {
            let call = device.call(action);
            call.set("device", "/dev/store")
                .set("directory", "/var/lib/link/")
                .run()
        };
        linked("start").fails(2, &["/var/lib/link", "not a directory"]);
        device.call("start").run().succeeds();
        linked("monitor").succeeds();
        linked("start").succeeds();
        assert_eq!(mounts(), 1);
        linked("stop").succeeds();
        assert_eq!(mounts(), 0);
    });
}

/// As `/var/run/x`: what exists of the path leads elsewhere, and the last of it does not exist yet.
#[test]
fn a_mount_point_that_does_not_exist_yet_is_reached_through_a_link() {
    with_a_device(|machine, device| {
        machine.shell("mkdir /var/lib/real; ln -s real /var/lib/link");
        for directory in ["/var/lib/link/x", "/var/lib/link/./not//yet/"] {
            for action in ["start", "start", "monitor", "stop", "stop", "start", "stop"] {
                device.call(action).set("directory", directory).run().succeeds();
            }
            let mounted = shell("grep -c /var/lib/real /proc/self/mounts || true");
            assert_eq!(mounted.trim(), "0", "{directory}");
        }
    });
}

#[test]
fn what_cannot_be_mounted_is_named() {
    with_a_device(|machine, device| {
        let start = || device.call("start");
        start()
            .set("device", "/dev/none")
            .timeout(Duration::from_secs(2))
            .run()
            .fails(5, &["/dev/none"]);
        start()
            .set("device", "/etc/passwd")
            .run()
            .fails(2, &["/etc/passwd", "block device"]);
        start()
            .set("directory", "/etc/passwd")
            .run()
            .fails(2, &["/etc/passwd", "not a directory"]);
        start()
            .set("directory", "/")
            .run()
            .fails(6, &["directory", "allowed"]);
        start().set("fstype", "nfs4").run().fails(6, &["fstype", "nfs4"]);
        start()
            .set("options", "bind")
            .run()
            .fails(6, &["options", "bind"]);
        start()
            .set("options", "no-such-option")
            .run()
            .fails(1, &["cannot mount", &device.path]);
        machine.shell(&format!("mkdir -p {POINT}; mount -t tmpfs foreign {POINT}"));
        start().run().fails(1, &["foreign", POINT, "already"]);
        device.call("monitor").run().is_silent(7);
        device.call("stop").run().succeeds();
        assert_eq!(mounts(), 1, "what is not ours stays");
    });
}

#[test]
fn two_starts_at_once() {
    with_a_device(|_, device| {
        let calls: Vec<_> = (0..4).map(|_| device.call("start").spawn()).collect();
        for call in calls {
            call.outcome().succeeds();
        }
        assert_eq!(mounts(), 1);
    });
}

/// What a monitor has to notice.
#[test]
fn what_happens_behind_the_clusters_back() {
    with_a_device(|machine, device| {
        let start = || device.call("start").run().succeeds();
        start();
        device.monitor().run().is_silent(0);

        machine.shell(&format!("umount {POINT}"));
        device.monitor().run().fails(7, &[POINT, "unmounted"]);
        start();

        machine.shell(&format!("mount -t tmpfs foreign {POINT}"));
        device.monitor().run().fails(7, &["foreign", POINT, "instead"]);
        device.call("stop").run().succeeds();
        assert_eq!(mounts(), 0, "what lies on top of the device has to go with it");
        start();

        machine.shell(&format!("mount -o remount,ro {POINT}"));
        device.monitor().run().fails(1, &[POINT, "read-only"]);
        device.monitor().set("options", "noatime,ro").run().is_silent(0);
        device.call("stop").run().succeeds();
        device.call("start").set("options", "ro,noatime").run().succeeds();
        device.call("stop").run().succeeds();
    });
}

#[test]
fn who_uses_it_is_named_and_ended() {
    with_a_device(|machine, device| {
        // What a shell and a careless program do with SIGTERM.
        let users = [
            format!("cd {POINT} && exec sleep 600"),
            format!("exec sleep 600 >{POINT}/file"),
            format!("trap '' TERM; cd {POINT}; while :; do sleep 1; done"),
        ];
        for user in &users {
            device.call("start").run().succeeds();
            machine.shell(&format!("({user}) </dev/null >/dev/null 2>&1 &"));
            eventually("somebody uses it", || {
                !shell(&format!(
                    "umount {POINT} 2>&1 || true; mountpoint -q {POINT} && echo busy || mount {} {POINT}",
                    device.path
                ))
                .is_empty()
            });
            let polite = device.call("stop").set("force_unmount", "false").run();
            polite.fails(1, &["cannot unmount", POINT]);
            assert!(polite.reason().contains("(pid "), "{user}: {polite:?}");
            device.monitor().run().is_silent(0);
            machine.log();
            device
                .call("stop")
                .run()
                .within(Duration::from_secs(15))
                .succeeds();
            let log = machine.log().join("\n");
            assert!(
                log.contains("(pid ") && log.contains("processes that still use"),
                "{user}: {log}"
            );
            assert_eq!(mounts(), 0);
        }
    });
}

/// The first has mounts of its own as systemd's `PrivateTmp=` makes them, the other a directory of the same name.
#[test]
fn a_user_in_another_mount_namespace_is_found_and_a_stranger_is_spared() {
    with_a_device(|machine, device| {
        machine.shell("mount --make-rshared /");
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "unshare -m --propagation slave sh -c 'cd {POINT}; exec sleep 600' </dev/null >/dev/null 2>&1 &
             unshare -m sh -c 'umount {POINT}; mkdir -p {POINT}/x; cd {POINT}/x; exec sleep 601' </dev/null >/dev/null 2>&1 &"
        ));
        let runs = |word: &str| !shell(&format!("pgrep -f '^sleep {word}' || true")).is_empty();
        eventually("both sleep", || runs("600") && runs("601"));
        device.call("stop").run().succeeds();
        assert!(!runs("600"), "it kept the file system busy");
        assert!(runs("601"), "it has the directory, but not the file system");
    });
}

#[test]
fn what_is_mounted_below_goes_too() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "mkdir -p {POINT}/a/b; mount -t tmpfs x {POINT}/a; mkdir {POINT}/a/b; mount -t tmpfs y {POINT}/a/b"
        ));
        // From here on the two cannot be reached by their paths.
        machine.shell(&format!("mount -t tmpfs z {POINT}"));
        assert_eq!(mounts(), 4);
        device.call("stop").run().succeeds();
        assert_eq!(mounts(), 0);
    });
}

#[test]
fn level_20_writes_and_leaves_nothing() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        let deep = || device.monitor().level(20).timeout(Duration::from_secs(4));
        deep().run().is_silent(0);
        let left = machine.shell(&format!("ls -A {POINT}"));
        assert_eq!(left.trim(), "lost+found");

        // A full disk is full on the other node, too.
        machine.shell(&format!(
            "for size in 256M 64M 16M 4M 1M 256K 64K 16K 4K 1K; do
                 while fallocate -l $size {POINT}/fill.$size.$((n = ${{n:-0}} + 1)) 2>/dev/null; do :; done
             done"
        ));
        deep().run().fails(190, &[POINT, "full"]);
        machine.shell(&format!("rm {POINT}/fill.*"));
        deep().run().is_silent(0);

        let frozen = Frozen::at(POINT);
        let hung = deep().run();
        hung.within(Duration::from_secs(4))
            .fails(1, &[POINT, "does not answer"]);
        drop(frozen);
        deep().run().is_silent(0);
        device.call("stop").run().succeeds();
    });
}

/// Stop gives up before Pacemaker ends it, and says what holds.
#[test]
fn what_no_process_holds() {
    with_a_device(|machine, device| {
        device.call("start").run().succeeds();
        machine.shell(&format!(
            "truncate -s 1M {POINT}/inner; losetup --find --show {POINT}/inner >/run/inner"
        ));
        let limit = Duration::from_secs(4);
        let stop = device.call("stop").timeout(limit).run();
        machine.shell("losetup --detach $(cat /run/inner)");
        stop.within(limit)
            .fails(1, &["cannot unmount", POINT, "loop device", "losetup --detach"]);
        device.call("stop").run().succeeds();
    });
}

/// A mount that hangs may still succeed when the disk answers again: until then no stop may say that nothing is mounted.
#[test]
fn a_mount_that_hangs_is_no_success_of_the_next_stop() {
    with_a_device(|machine, outer| {
        const OUTER: &str = "/var/lib/outer";
        machine.shell(&format!(
            "mkdir {OUTER}; mount {} {OUTER}; truncate -s 64M {OUTER}/inner; mkfs.ext4 -q {OUTER}/inner; sync",
            outer.path
        ));
        let inner = Device::on(Path::new(&format!("{OUTER}/inner")));
        let limit = Duration::from_secs(3);
        let frozen = Frozen::at(OUTER);
        let start = inner.call("start").timeout(limit).run();
        start.within(limit).fails(1, &["cannot mount", "did not answer"]);
        let stop = inner.call("stop").timeout(limit).run();
        stop.within(limit).fails(1, &["hangs", "must be fenced"]);
        drop(frozen);
        inner.call("stop").run().succeeds();
        assert_eq!(mounts(), 0);
    });
}
