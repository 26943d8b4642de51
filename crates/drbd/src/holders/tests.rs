use super::*;
use std::os::unix::fs::symlink;
use std::time::Duration;

/// A /proc and /sys with these processes: pid, name, mount namespace, mount table, links.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("proc")).unwrap();
        fs::create_dir_all(directory.path().join("sys/block")).unwrap();
        Self { directory }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn process(&self, pid: i32, name: &str, namespace: &str, mounts: &str, links: &[(&str, &str)]) {
        self.write(&format!("proc/{pid}/comm"), &format!("{name}\n"));
        self.write(&format!("proc/{pid}/mountinfo"), mounts);
        let of = self.directory.path().join(format!("proc/{pid}"));
        fs::create_dir_all(of.join("ns")).unwrap();
        fs::create_dir_all(of.join("fd")).unwrap();
        symlink(format!("mnt:[{namespace}]"), of.join("ns/mnt")).unwrap();
        for (link, target) in links {
            symlink(target, of.join(link)).unwrap();
        }
    }

    fn holders(&self) -> Vec<String> {
        let tables = Tables {
            proc: self.directory.path().join("proc"),
            sys: self.directory.path().join("sys"),
        };
        let text = "exists resource name:r0 role:Primary\n\
                    exists device name:r0 volume:0 minor:3 disk:UpToDate\nexists -\n";
        tables.holders_of(&Resource::from_events("r0", text).unwrap())
    }
}

const ROOT: &str = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n";

#[test]
fn nobody() {
    let world = World::new();
    world.process(1, "init", "1", ROOT, &[("cwd", "/"), ("fd/3", "/dev/drbd30")]);
    assert_eq!(world.holders(), Vec::<String>::new());
}

#[test]
fn every_kind_is_named() {
    let world = World::new();
    let mounted = format!(
        "{ROOT}30 22 147:3 / /srv rw - xfs /dev/drbd3 rw\n31 30 7:5 / /srv/tsdb rw - squashfs /dev/loop5 ro\n"
    );
    world.process(1, "init", "1", &mounted, &[]);
    world.process(
        40,
        "container",
        "2",
        "9 1 147:3 / /data rw - xfs /dev/drbd3 rw\n",
        &[],
    );
    world.process(50, "dd", "1", &mounted, &[("fd/3", "/dev/drbd3")]);
    world.process(51, "bash", "1", &mounted, &[("cwd", "/srv/log")]);
    world.write(
        "proc/swaps",
        "Filename Type Size Used Priority\n/dev/drbd3 partition 1 0 -2\n",
    );
    world.write("sys/dev/block/147:3/holders/dm-0", "");
    world.write("sys/block/dm-0/dm/name", "mpatha\n");
    world.write("sys/block/dm-0/dm/uuid", "mpath-3600\n");
    world.write("sys/block/loop7/loop/backing_file", "/dev/drbd3\n");
    world.write("sys/block/loop8/loop/backing_file", "/dev/drbd30\n");
    assert_eq!(
        world.holders(),
        [
            "/dev/drbd3 mounted on /srv, /data (in the mount namespace of container (pid 40))",
            "/dev/drbd3 mounts below it: /srv/tsdb",
            "/dev/drbd3 opened by dd (pid 50)",
            "/dev/drbd3 files on it used by bash (pid 51)",
            "/dev/drbd3 swap space (swapoff)",
            "/dev/drbd3 block device multipath mpatha (dm-0)",
            "/dev/drbd3 loop device loop7",
        ]
    );
}

#[test]
fn the_kernels_own_list_is_the_last_resort() {
    let world = World::new();
    world.write(
        "sys/kernel/debug/drbd/resources/r0/volumes/0/openers",
        "+ kworker 77 12003\nblkid 4711 20\n",
    );
    assert_eq!(
        world.holders(),
        ["/dev/drbd3 opener kworker (pid 77), blkid (pid 4711)"]
    );
}

#[test]
fn many_are_counted() {
    let world = World::new();
    for pid in 10..20 {
        world.process(pid, "dd", "1", ROOT, &[("fd/0", "/dev/drbd3")]);
    }
    assert!(world.holders()[0].ends_with("dd (pid 14) and 5 more"));
}

#[test]
fn the_real_tables_can_be_read() {
    let resource = Resource::from_events(
        "r0",
        "exists resource name:r0 role:Primary\nexists device name:r0 volume:0 minor:9999 disk:UpToDate\nexists -\n",
    )
    .unwrap();
    let soon = Deadline::after(Duration::from_secs(20));
    assert_eq!(of(&resource, soon), Some(Vec::new()));
    assert!(sentence(&resource, soon).contains("no holder was found"));
    assert!(sentence(&resource, Deadline::after(Duration::ZERO)).contains("did not end in time"));
}
