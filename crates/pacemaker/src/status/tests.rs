//! Recorded output of four Pacemaker releases; see the PROVENANCE file beside each.

use super::*;
use proptest::prelude::*;

const RECORDED: [(&str, &str); 4] = [
    (
        "2.0.5 --as-xml",
        include_str!("../../../../tests/fixtures/pacemaker-2.0.5/crm_mon-as-xml.xml"),
    ),
    (
        "2.0.5",
        include_str!("../../../../tests/fixtures/pacemaker-2.0.5/crm_mon.xml"),
    ),
    (
        "2.1.5",
        include_str!("../../../../tests/fixtures/pacemaker-2.1.5/crm_mon.xml"),
    ),
    (
        "3.0.0",
        include_str!("../../../../tests/fixtures/pacemaker-3.0.0/crm_mon.xml"),
    ),
];

#[test]
fn every_release_says_the_same() {
    for (release, xml) in RECORDED {
        let status = parse(xml).unwrap_or_else(|why| panic!("{release}: {why}"));
        let names: Vec<&str> = status.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["node1", "node2"], "{release}");
        assert!(
            status.nodes.iter().all(|node| node.online && !node.unclean),
            "{release}"
        );
        assert!(status.quorum && !status.maintenance, "{release}");
        assert!(
            names.contains(&status.controller.as_deref().unwrap()),
            "{release}"
        );
        assert_eq!(
            status.promoted_on("KaiwuData").collect::<Vec<_>>(),
            ["node1"],
            "{release}"
        );
        let roles: Vec<_> = status
            .instances_of("KaiwuData")
            .map(|instance| (instance.node.as_deref().unwrap(), instance.role))
            .collect();
        assert_eq!(
            roles,
            [("node1", Some(Role::Promoted)), ("node2", Some(Role::Unpromoted))],
            "{release}"
        );
        assert!(
            status
                .instances_of("KaiwuData")
                .all(|instance| instance.agent == "ocf:kaiwudb:drbd-promotable"),
            "{release}"
        );
        assert!(!status.manages("KaiwuDB", "node1"), "{release}");
        assert!(status.manages("KaiwuData", "node1"), "{release}");
        assert_eq!(
            status.fail_counts,
            [FailCount {
                resource: "KaiwuDB".into(),
                node: "node2".into(),
                count: 1_000_000
            }],
            "{release}"
        );
        let failures: Vec<_> = status
            .failures
            .iter()
            .map(|failure| (failure.operation.as_str(), failure.exit_code))
            .collect();
        assert_eq!(
            failures,
            [("KaiwuData_monitor_20000", 190), ("KaiwuDB_start_0", 1)],
            "{release}"
        );
        assert_eq!(
            status.failures[1].reason, "the store in /var/lib/kaiwudb belongs to another cluster",
            "{release}"
        );
        assert_eq!(
            status.nodes[1].attributes,
            [("master-KaiwuData".to_owned(), "1000".to_owned())],
            "{release}"
        );
    }
}

#[test]
fn maintenance_is_seen_at_every_level() {
    let xml = RECORDED[2].1;
    let cluster = parse(&xml.replace(r#"maintenance-mode="false""#, r#"maintenance-mode="true""#)).unwrap();
    assert!(!cluster.manages("KaiwuData", "node1"));
    let node = parse(&xml.replacen(r#"maintenance="false""#, r#"maintenance="true""#, 1)).unwrap();
    assert!(!node.manages("KaiwuData", "node1") && node.manages("KaiwuData", "node2"));
}

/// Pacemaker escapes the reason once for itself and once as XML; what is escaped once only stays as it is.
/// Pacemaker was stopped there, Corosync was not.
#[test]
fn a_pending_node_is_no_member() {
    let status = parse(
        "<pacemaker-result><nodes><node name=\"one\" id=\"1\" online=\"true\" standby=\"true\" standby_onfail=\"false\" maintenance=\"false\" \
         pending=\"true\" unclean=\"false\" shutdown=\"false\" expected_up=\"false\" is_dc=\"false\" resources_running=\"0\" \
         type=\"member\"/></nodes></pacemaker-result>",
    )
    .unwrap();
    let node = &status.nodes[0];
    assert!(!node.online && !node.standby && !node.unclean, "{node:?}");
}

#[test]
fn a_resource_that_is_being_started_is_said_to_be_active() {
    let status = parse(
        "<pacemaker-result><resources><resource id=\"Db\" resource_agent=\"ocf:kaiwudb:kaiwudb\" role=\"Starting\" active=\"true\" \
         managed=\"true\" failed=\"false\" nodes_running_on=\"1\"><node name=\"one\" id=\"1\"/></resource></resources></pacemaker-result>",
    )
    .unwrap();
    let instance = &status.instances[0];
    assert!(instance.active && instance.starting, "{instance:?}");
}

#[test]
fn an_agents_sentences_are_its_attributes() {
    let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let status = Status {
        nodes: vec![Node {
            name: "one".to_owned(),
            attributes: vec![
                attribute("Db-concern", "the disk is full"),
                attribute("Certs-concern", "none"),
                attribute("Old-concern", ""),
                attribute("failure-reason-Db", "it hangs"),
                attribute("failure-reason-Fs", "cleaned up"),
            ],
            ..Node::default()
        }],
        fail_counts: vec![FailCount {
            resource: "Db".to_owned(),
            node: "one".to_owned(),
            count: 1,
        }],
        ..Status::default()
    };
    assert!(status.concerns().eq([("Db", "one", "the disk is full")]));
    assert!(status.reported_failures().eq([("Db", "one", "it hangs")]));
}

#[test]
fn a_reason_is_read_as_the_agent_wrote_it() {
    let reason = |written: &str| {
        let xml = format!(
            "<pacemaker-result><failures><failure op_key=\"KaiwuDB_start_0\" node=\"node1\" exitcode=\"1\" \
             exitreason=\"{written}\"/></failures></pacemaker-result>"
        );
        parse(&xml).unwrap().failures.remove(0).reason
    };
    let agents = "can't read 'a & b' <c>";
    assert_eq!(
        reason("can&amp;apos;t read &amp;apos;a &amp;amp; b&amp;apos; &amp;lt;c&amp;gt;"),
        agents
    );
    assert_eq!(reason("can&apos;t read &apos;a &amp; b&apos; &lt;c&gt;"), agents);
    assert_eq!(reason("100 % &amp; more"), "100 % & more");
}

#[test]
fn what_is_not_an_answer_is_an_error() {
    let xml = RECORDED[2].1;
    for broken in [
        "",
        "<html></html>",
        "Connection to cluster failed",
        &xml[..xml.len() / 2],
    ] {
        assert!(parse(broken).is_err(), "{broken:.40}");
    }
    let refused = r#"<pacemaker-result><status code="102" message="Not connected"/></pacemaker-result>"#;
    assert_eq!(refusal(refused).as_deref(), Some("Not connected"));
}

proptest! {
    #[test]
    fn no_input_panics(xml in ".*") {
        let _ = parse(&xml);
        let _ = refusal(&xml);
    }

    #[test]
    fn no_cut_of_a_real_answer_panics(release in 0usize..4, at in 0usize..9000) {
        let xml = RECORDED[release].1;
        let end = (0..=at.min(xml.len())).rev().find(|index| xml.is_char_boundary(*index)).unwrap_or(0);
        let _ = parse(&xml[..end]);
    }
}
