//! Disks that are full or went read-only: a real file system in a file. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Setup, directory, eventually};

/// A mounted ext4 file system that goes with its owner.
struct Disk {
    mount: PathBuf,
    _directory: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let directory = directory();
        let (image, mount) = (directory.path().join("image"), directory.path().join("mount"));
        fs::create_dir(&mount).unwrap();
        fs::File::create(&image).unwrap().set_len(160 << 20).unwrap();
        run(
            "mkfs.ext4",
            &[
                "-q",
                "-m",
                "0",
                "-E",
                "nodiscard,lazy_itable_init=1,root_owner=65534:65534",
            ],
            &image,
        );
        let command = ["-o", "loop"];
        let status = Command::new("mount")
            .args(command)
            .arg(&image)
            .arg(&mount)
            .status()
            .unwrap();
        assert!(status.success(), "this test must run as root, with loop devices");
        Self {
            mount,
            _directory: directory,
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What was killed a moment ago may still hold it.
        eventually("umount", || {
            Command::new("umount")
                .arg(&self.mount)
                .status()
                .unwrap()
                .success()
                .then_some(())
        });
    }
}

fn run(program: &str, args: &[&str], path: &Path) {
    assert!(
        Command::new(program)
            .args(args)
            .arg(path)
            .status()
            .unwrap()
            .success(),
        "{program}"
    );
}

#[test]
fn a_full_disk_refuses_the_start_until_there_is_space() {
    let disk = Disk::new();
    let setup = Setup::empty().store_at(&disk.mount.join("store"));
    let mut server = setup.serve();
    setup.value("CREATE TABLE t (i INT); INSERT INTO t VALUES (1); SELECT 1");
    assert_eq!(server.stop().code(), Some(0));
    let filler = disk.mount.join("filler");
    let fill = format!("cat /dev/zero > '{}' 2>/dev/null", filler.display());
    assert!(!Command::new("sh").args(["-c", &fill]).status().unwrap().success());
    let (code, errors) = setup.fails();
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.to_lowercase().contains("no space left on device"),
        "{errors}"
    );
    fs::remove_file(&filler).unwrap();
    let _server = setup.serve();
    assert_eq!(setup.value("SELECT i FROM t"), "1");
}

#[test]
fn a_disk_that_goes_read_only_is_fatal() {
    let disk = Disk::new();
    let setup = Setup::empty().store_at(&disk.mount.join("store"));
    let mut server = setup.serve();
    run("mount", &["-o", "remount,abort"], &disk.mount);
    // Why, it can tell nobody: its standard error is in the log.
    assert_eq!(server.wait().code(), Some(255));
    let (code, errors) = setup.fails();
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.contains("log: exiting because of error: cannot create log"),
        "{errors}"
    );
}
