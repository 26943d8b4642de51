use super::*;

fn env(pairs: &[(&str, &str)]) -> Env {
    (pairs.iter())
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

#[test]
fn what_drbd_84_and_9_ask() {
    let request = Request::of(&env(&[("DRBD_RESOURCE", "r0"), ("DRBD_PEER", "b")]), "a").unwrap();
    assert_eq!(
        (request.good, request.old),
        (vec![(0, "a".into())], vec!["b".into()])
    );
    let nine = [
        ("DRBD_RESOURCE", "r0"),
        ("DRBD_PEER", ""),
        ("UP_TO_DATE_NODES", "0x00000005"),
        ("DRBD_NODE_ID_0", "c"),
        ("DRBD_NODE_ID_1", "b"),
        ("DRBD_NODE_ID_2", "a"),
    ];
    let request = Request::of(&env(&nine), "a").unwrap();
    assert_eq!(
        (request.good, request.old),
        (vec![(0, "c".into()), (2, "a".into())], vec!["b".into()])
    );
}

#[test]
fn a_question_that_is_not_plain_is_left_to_the_script() {
    for pairs in [
        &[("DRBD_PEER", "b")][..],
        &[("DRBD_RESOURCE", "r0")],
        &[("DRBD_RESOURCE", "r0/1"), ("DRBD_PEER", "b")],
        &[("DRBD_RESOURCE", "r0"), ("UP_TO_DATE_NODES", "5")],
        // This node is not among those with good data.
        &[
            ("DRBD_RESOURCE", "r0"),
            ("UP_TO_DATE_NODES", "0x1"),
            ("DRBD_NODE_ID_0", "b"),
            ("DRBD_NODE_ID_1", "a"),
        ],
    ] {
        assert!(Request::of(&env(pairs), "a").is_err(), "{pairs:?}");
    }
    let options = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        is_plain(&words)
    };
    for plain in ["", "--timeout 30 --dc-timeout=40", "-t 5 --quiet"] {
        assert!(options(plain), "{plain}");
    }
    for other in ["--id-prefix x", "--timeout 30 -r r1", "--net-hickup=3", "-t"] {
        assert_eq!(options(other), other == "-t", "{other}");
    }
}

#[test]
fn only_good_data_may_be_the_only_ones() {
    let resource = |disk: &str, peer_disk: &str| {
        let text = format!(
            "exists resource name:r0 role:Secondary\n\
             exists connection name:r0 conn-name:b connection:Connecting role:Unknown\n\
             exists device name:r0 volume:0 disk:{disk}\n\
             exists peer-device name:r0 conn-name:b volume:0 peer-disk:{peer_disk}\nexists -\n"
        );
        Resource::from_events("r0", &text).unwrap()
    };
    assert_eq!(may_be_fenced(&resource("UpToDate", "DUnknown")), Ok(()));
    for (disk, peer_disk) in [
        ("UpToDate", "UpToDate"),
        ("Consistent", "DUnknown"),
        ("Outdated", "DUnknown"),
    ] {
        assert!(
            may_be_fenced(&resource(disk, peer_disk)).is_err(),
            "{disk} {peer_disk}"
        );
    }
    assert!(may_be_fenced(&Resource::named("r0")).is_err());
}
