use super::*;
use std::time::Duration;

fn words(of: &[&str]) -> Vec<String> {
    of.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_kind_is_named() {
    let me = Process::current().unwrap();
    let found = Found {
        device: "/dev/drbd3".into(),
        mounts: words(&["/srv", "/data (in the mount namespace of container (pid 40))"]),
        below: ["/srv/tsdb".to_owned()].into(),
        openers: vec![me],
        users: vec![me],
        is_swap: true,
        layers: words(&["multipath mpatha (dm-0)"]),
        loops: words(&["loop7"]),
        listed: words(&["never (pid 1)"]),
    };
    let me = describe(&[me]);
    assert_eq!(
        found.clauses(),
        [
            "/dev/drbd3 mounted on /srv, /data (in the mount namespace of container (pid 40))".to_owned(),
            "/dev/drbd3 mounts below it: /srv/tsdb".to_owned(),
            format!("/dev/drbd3 opened by {me}"),
            format!("/dev/drbd3 files on it used by {me}"),
            "/dev/drbd3 swap space (swapoff)".to_owned(),
            "/dev/drbd3 block device multipath mpatha (dm-0)".to_owned(),
            "/dev/drbd3 loop device loop7".to_owned(),
        ]
    );
    assert_eq!(Found::default().clauses(), Vec::<String>::new());
}

#[test]
fn the_kernels_own_list_is_the_last_resort() {
    let found = Found {
        device: "/dev/drbd3".into(),
        listed: openers("+ kworker 77 12003\nblkid 4711 20\n"),
        ..Found::default()
    };
    assert_eq!(
        found.clauses(),
        ["/dev/drbd3 opener kworker (pid 77), blkid (pid 4711)"]
    );
}

#[test]
fn many_are_counted() {
    let found = Found {
        mounts: (1..=10).map(|number| format!("/{number}")).collect(),
        ..Found::default()
    };
    assert!(found.clauses()[0].ends_with("/5 and 5 more"));
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
