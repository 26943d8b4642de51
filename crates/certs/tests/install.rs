//! Installations that end at every step, with whatever was not forced to the disk lost.
#![allow(missing_docs, clippy::unwrap_used)]

use certs::{
    CertificateSet, Digest, Disk, Installation, Keep, Method, Operation, Owner, Record, directory, displaced,
    install, recover,
};
use host::{Deadline, bounded};
use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn set(word: &str) -> CertificateSet {
    let mut set = CertificateSet::default();
    for name in ["ca.crt", "node.crt", "client.root.crt"] {
        set.insert(name, 0o644, format!("{word} {name}").repeat(100).into_bytes())
            .unwrap();
    }
    for name in ["node.key", "client.root.key", "sm4.key"] {
        set.insert(name, 0o600, format!("{word} {name}").repeat(100).into_bytes())
            .unwrap();
    }
    set.insert(&format!("client.{word}.crt"), 0o644, word.as_bytes().to_vec())
        .unwrap();
    set
}

fn record(set: &CertificateSet, generation: u64) -> Record {
    Record {
        generation,
        digest: set.digest(),
        publisher: "n1".into(),
    }
}

/// In memory where possible: the order of the changes is looked at, not the disk.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn me(path: &Path) -> Owner {
    let found = fs::metadata(path).unwrap();
    Owner {
        uid: found.uid(),
        gid: found.gid(),
    }
}

/// A directory with the old set, other people's files in it, and the old set's record.
fn prepare(root: &Path) -> PathBuf {
    let path = root.join("certs");
    perform(
        Disk::real(),
        &path,
        &set("old"),
        1,
        Keep::Previous,
        Method::Exchange,
    )
    .unwrap();
    fs::write(path.join("ca.key"), "authority").unwrap();
    fs::write(path.join("README"), "mine").unwrap();
    path
}

fn perform(
    disk: Disk<'_>,
    path: &Path,
    set: &CertificateSet,
    generation: u64,
    keep: Keep,
    method: Method,
) -> io::Result<()> {
    let record = record(set, generation);
    install(
        disk,
        &Installation {
            directory: path,
            set,
            record: &record,
            owner: me(path.parent().unwrap()),
            keep,
            method,
        },
    )
}

fn is_whole(path: &Path, word: &str) -> bool {
    let found = directory::read(path, false).unwrap().unwrap();
    let wanted = set(word);
    found.problems.is_empty()
        && found.set == wanted
        && found.record.map(|record| record.digest) == Some(wanted.digest())
        && fs::read(path.join("ca.key")).unwrap() == b"authority"
        && fs::read(path.join("README")).unwrap() == b"mine"
}

#[test]
fn both_methods_do_the_same() {
    for method in [Method::Exchange, Method::InPlace] {
        let root = tempfile::tempdir().unwrap();
        let path = prepare(root.path());
        let inode = fs::metadata(&path).unwrap().ino();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        perform(Disk::real(), &path, &set("new"), 2, Keep::Previous, method).unwrap();
        assert!(is_whole(&path, "new"), "{method:?}");
        let found = fs::metadata(&path).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o750, "{method:?}");
        assert_eq!(found.ino() == inode, method == Method::InPlace, "{method:?}");
        assert!(
            !path.join("client.old.crt").exists(),
            "{method:?}: a file that the new set does not have"
        );
        let previous = directory::read(&root.path().join(".certs.previous"), false)
            .unwrap()
            .unwrap();
        assert_eq!(previous.set, set("old"), "{method:?}");
        assert_eq!(
            fs::metadata(path.join("node.key")).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let mut names: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, [".certs.previous", "certs"], "{method:?}");

        let digest = set("new").digest();
        perform(
            Disk::real(),
            &path,
            &set("third"),
            3,
            Keep::Displaced(digest),
            method,
        )
        .unwrap();
        let aside = displaced(&path).unwrap();
        assert_eq!(aside.len(), 1);
        assert_eq!(
            directory::read(&aside[0], false).unwrap().unwrap().set,
            set("new"),
            "{method:?}"
        );
    }
}

#[test]
fn a_subdirectory_keeps_the_directory_in_place() {
    let root = tempfile::tempdir().unwrap();
    let path = prepare(root.path());
    fs::create_dir(path.join("backup")).unwrap();
    fs::write(path.join("backup/node.key"), "kept").unwrap();
    perform(
        Disk::real(),
        &path,
        &set("new"),
        2,
        Keep::Previous,
        Method::Exchange,
    )
    .unwrap();
    assert!(is_whole(&path, "new"));
    assert_eq!(fs::read(path.join("backup/node.key")).unwrap(), b"kept");
}

#[test]
fn a_directory_that_is_not_there_is_made() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("etc/kaiwudb/certs");
    fs::create_dir_all(root.path().join("etc")).unwrap();
    let record = record(&set("new"), 1);
    let request = Installation {
        directory: &path,
        set: &set("new"),
        record: &record,
        owner: me(root.path()),
        keep: Keep::Previous,
        method: Method::InPlace,
    };
    install(Disk::real(), &request).unwrap();
    assert_eq!(directory::read(&path, false).unwrap().unwrap().set, set("new"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

/// What a power cut does to bytes that were not forced to the disk.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Nothing,
    Everything,
    Half,
}

/// Ends the process at the `step`-th change, then loses what was not forced to the disk. True when it came that far.
fn power_cut(path: &Path, log: &Path, step: usize, keep: Keep, method: Method, loss: Loss) -> bool {
    let _ = fs::remove_file(log);
    let ended = bounded::run(Deadline::after(Duration::from_secs(20)), || {
        let left = Cell::new(step);
        let before = |operation: Operation<'_>| {
            if left.get() == 0 {
                std::process::abort();
            }
            left.set(left.get() - 1);
            let mut log = OpenOptions::new().create(true).append(true).open(log)?;
            match operation {
                Operation::Write(path) => writeln!(log, "w {}", path.display()),
                Operation::SyncFile(path) => writeln!(log, "s {}", path.display()),
                Operation::Rename(from, to) => writeln!(log, "r {} {}", from.display(), to.display()),
                _ => Ok(()),
            }
        };
        perform(Disk::watched(&before), path, &set("new"), 2, keep, method).unwrap();
        Vec::new()
    });
    let text = fs::read_to_string(log).unwrap_or_default();
    let mut unsynced: Vec<PathBuf> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "w" => unsynced.push(words[1].into()),
            "s" => unsynced.retain(|path| path != Path::new(words[1])),
            _ => assert!(
                !unsynced.iter().any(|path| path.starts_with(words[1])),
                "{} took a name before it was on the disk",
                words[1]
            ),
        }
    }
    for path in unsynced.iter().filter(|path| path.exists()) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let length = file.metadata().unwrap().len();
        match loss {
            Loss::Nothing => {}
            Loss::Everything => file.set_len(0).unwrap(),
            Loss::Half => file.set_len(length / 2).unwrap(),
        }
    }
    ended.is_err()
}

#[test]
fn a_power_cut_at_any_step_leaves_one_whole_set() {
    let mut cuts = 0;
    for method in [Method::Exchange, Method::InPlace] {
        for keep in [Keep::Previous, Keep::Displaced(Digest::of(b"old"))] {
            for loss in [Loss::Nothing, Loss::Everything, Loss::Half] {
                for step in 0.. {
                    let root = scratch();
                    let log = root.path().join("log");
                    let root = root.path().join("etc");
                    fs::create_dir(&root).unwrap();
                    let path = prepare(&root);
                    if !power_cut(&path, &log, step, keep, method, loss) {
                        assert!(is_whole(&path, "new"));
                        assert!(step > 20, "only {step} steps");
                        break;
                    }
                    cuts += 1;
                    let what = format!("{method:?} {keep:?} {loss:?} step {step}");
                    if method == Method::Exchange {
                        // Nobody needs to repair anything before the server reads.
                        assert!(
                            is_whole(&path, "old") || is_whole(&path, "new"),
                            "{what}: before recovery"
                        );
                    }
                    recover(Disk::real(), &path).unwrap();
                    assert!(is_whole(&path, "old") || is_whole(&path, "new"), "{what}");
                    // The old set is never lost.
                    let kept = |path: &Path| {
                        directory::read(path, false)
                            .unwrap()
                            .is_some_and(|found| found.set == set("old"))
                    };
                    let places: Vec<PathBuf> = fs::read_dir(&root)
                        .unwrap()
                        .map(|entry| entry.unwrap().path())
                        .collect();
                    assert!(
                        places.iter().any(|path| kept(path)),
                        "{what}: the old set is gone"
                    );
                    perform(Disk::real(), &path, &set("new"), 2, keep, method).unwrap();
                    assert!(is_whole(&path, "new"), "{what}: a second try");
                }
            }
        }
    }
    println!("{cuts} power cuts");
    assert!(cuts > 200);
}

#[test]
fn an_error_at_any_step_leaves_one_whole_set() {
    for method in [Method::Exchange, Method::InPlace] {
        for step in 0.. {
            let root = scratch();
            let path = prepare(root.path());
            let left = Cell::new(step);
            let before = |_: Operation<'_>| {
                left.set(left.get() - 1);
                if left.get() == -1 {
                    Err(io::ErrorKind::StorageFull.into())
                } else {
                    Ok(())
                }
            };
            let result = perform(
                Disk::watched(&before),
                &path,
                &set("new"),
                2,
                Keep::Previous,
                method,
            );
            recover(Disk::real(), &path).unwrap();
            assert!(
                is_whole(&path, "old") || is_whole(&path, "new"),
                "{method:?} step {step}"
            );
            if result.is_ok() {
                assert!(is_whole(&path, "new") && step > 15, "{method:?} step {step}");
                break;
            }
            assert!(
                !root.path().join(".certs.new").exists(),
                "{method:?} step {step}: the disk stays full"
            );
        }
    }
}

/// A reader that opens files by name, as the server does, while sets are swapped under it all the time.
#[test]
fn a_reader_never_finds_a_missing_or_a_torn_file() {
    let root = tempfile::tempdir().unwrap();
    let path = prepare(root.path());
    let (sets, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let number = sets.fetch_add(1, Ordering::Relaxed);
                let word = if number % 2 == 0 { "new" } else { "old" };
                perform(
                    Disk::real(),
                    &path,
                    &set(word),
                    number,
                    Keep::Previous,
                    Method::Exchange,
                )
                .unwrap();
            }
        });
        let _done = Done(&done);
        // As often as it takes: one processor may do nothing but write for a while.
        let mut reads = 0;
        while !writer.is_finished() && (reads < 1000 || sets.load(Ordering::Relaxed) < 100) {
            let text = fs::read_to_string(path.join("node.key")).unwrap();
            assert!(text == "old node.key".repeat(100) || text == "new node.key".repeat(100));
            reads += 1;
        }
        assert!(!writer.is_finished(), "the writer has failed");
    });
}

/// Ends the writer however the reader ends.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn an_installation_costs_little() {
    for (where_, root) in [
        ("in memory", scratch()),
        ("on the disk", tempfile::tempdir().unwrap()),
    ] {
        let path = prepare(root.path());
        let mut number = 1;
        // As many things are forced to the disk as by an installation.
        let by_hand = || {
            for number in 0..10 {
                let mut file = fs::File::create(root.path().join(format!("probe{number}"))).unwrap();
                file.write_all(b"x").unwrap();
                file.sync_all().unwrap();
            }
        };
        let install = || {
            number += 1;
            let word = if number % 2 == 0 { "new" } else { "old" };
            perform(
                Disk::real(),
                &path,
                &set(word),
                number,
                Keep::Previous,
                Method::Exchange,
            )
            .unwrap();
        };
        let [install, floor] = medians(install, by_hand);
        println!(
            "an installation of 7 files {where_}: median {:.1} ms; ten files forced to the disk: {:.1} ms",
            ms(install),
            ms(floor)
        );
        // The rest must not cost anything to speak of, whatever else the disk does.
        assert!(
            install < floor * 4 + Duration::from_millis(50),
            "{install:?} {floor:?}"
        );
    }
}

/// Of 21 times each, taken in turns: what else the machine does meets both.
fn medians(mut first: impl FnMut(), mut second: impl FnMut()) -> [Duration; 2] {
    let time = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    let (mut firsts, mut seconds): (Vec<_>, Vec<_>) =
        (0..21).map(|_| (time(&mut first), time(&mut second))).unzip();
    firsts.sort();
    seconds.sort();
    [firsts[10], seconds[10]]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
