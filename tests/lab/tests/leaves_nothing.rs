//! Whatever happens to a lab, nothing of it stays: needs root.
#![allow(clippy::unwrap_used)] // a test, its helpers included

use host::{Command, Deadline};
use std::fs;
use std::path::Path;
use std::time::Duration;

const LAB: &str = env!("CARGO_BIN_EXE_lab");

/// The name of a lab that another run of these tests does not have.
fn own(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// As somebody who keeps new files to himself; the nodes work all the same.
fn lab(name: &str, arguments: &[&str]) -> String {
    let command = Command::new("sh").args(["-c", r#"umask 077; exec "$0" "$@""#, LAB, "--lab", name]);
    command
        .args(arguments)
        .run_ok(Deadline::after(Duration::from_secs(600)))
        .unwrap()
        .text()
}

/// Everything of the lab `name` that this machine still has.
fn leftovers(name: &str, loop_device: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().parse::<u32>().is_err() {
            continue;
        }
        let groups = fs::read_to_string(path.join("cgroup")).unwrap_or_default();
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let ours =
            line.contains(&format!("/kaiwudb-ha-lab/{name}")) || line.contains(&format!("--lab {name} up"));
        if groups.contains(&format!("/kaiwudb-ha-lab/{name}/")) || ours {
            found.push(format!("process {}: {line}", path.display()));
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    found.extend(
        mounts
            .lines()
            .filter(|line| line.contains(&format!("/{name}")))
            .map(|line| format!("mount: {line}")),
    );
    if Path::new("/sys/block")
        .join(loop_device)
        .join("loop/backing_file")
        .exists()
    {
        found.push(format!("loop device {loop_device}"));
    }
    found
}

fn files_and_groups(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["/run/kaiwudb-ha-lab", "/sys/fs/cgroup/kaiwudb-ha-lab"] {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        found.extend(
            entries
                .map(|entry| entry.path().display().to_string())
                .filter(|path| path.contains(name)),
        );
    }
    for hierarchy in ["systemd", "unified"] {
        let group = Path::new("/sys/fs/cgroup")
            .join(hierarchy)
            .join("kaiwudb-ha-lab")
            .join(name);
        if group.exists() {
            found.push(group.display().to_string());
        }
    }
    found
}

/// The lab's owner and its loop device, from the record that it keeps.
fn record(name: &str) -> (i32, String) {
    let text = fs::read_to_string(format!("/run/kaiwudb-ha-lab/{name}.json")).unwrap();
    let field = |key: &str| {
        let value = text.split(&format!("\"{key}\":")).nth(1).unwrap();
        value
            .split([',', '}'])
            .next()
            .unwrap()
            .trim_matches('"')
            .to_owned()
    };
    (
        field("owner").parse().unwrap(),
        field("disk").trim_start_matches("/dev/").to_owned(),
    )
}

#[test]
fn a_killed_lab_leaves_nothing() {
    let name = &own("killed");
    lab(name, &["up", "--empty"]);
    let (owner, loop_device) = record(name);
    assert!(
        !leftovers(name, &loop_device).is_empty(),
        "the test looks in the wrong places"
    );
    assert!(
        !files_and_groups(name).is_empty(),
        "the test looks in the wrong places"
    );

    let owner = nix::unistd::Pid::from_raw(owner);
    nix::sys::signal::kill(owner, nix::sys::signal::Signal::SIGKILL).unwrap();
    let deadline = Deadline::after(Duration::from_secs(60));
    while !leftovers(name, &loop_device).is_empty() {
        assert!(
            deadline.pause(Duration::from_millis(50)),
            "{:#?}",
            leftovers(name, &loop_device)
        );
    }
    // Control groups and files have no owner that dies with it; the next lab, or this, removes them.
    lab(name, &["clean"]);
    assert_eq!(files_and_groups(name), Vec::<String>::new());
}

#[test]
fn a_lab_that_is_ended_leaves_nothing() {
    let name = &own("ended");
    lab(name, &["up", "--empty"]);
    let (_, loop_device) = record(name);
    let taken = Command::new(LAB)
        .args(["--lab", name, "up"])
        .run(Deadline::after(Duration::from_secs(60)))
        .unwrap();
    assert!(
        taken
            .last_words()
            .contains(&format!("a lab named '{name}' is up already")),
        "{}",
        taken.last_words()
    );
    assert!(lab(name, &["exec", "node2", "--", "hostname"]).starts_with("node2"));
    lab(name, &["down"]);
    assert_eq!(leftovers(name, &loop_device), Vec::<String>::new());
    assert_eq!(files_and_groups(name), Vec::<String>::new());
    let error = Command::new(LAB)
        .args(["--lab", name, "status"])
        .run(Deadline::after(Duration::from_secs(60)))
        .unwrap();
    assert_eq!(
        error.last_words(),
        format!("lab: no lab named '{name}' is up: 'lab up' starts one")
    );
}
