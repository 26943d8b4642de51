use super::*;
use std::fmt::Write;

/// Two nodes; `KaiwuData-clone` with `drbd_resource=kwdb` is promoted on node1.
const CIB: &str = include_str!("../../../../../tests/fixtures/pacemaker-2.1.5/cib.xml");

fn cluster(xml: &str) -> Cluster {
    Cluster::parse(xml, "kwdb").unwrap()
}

fn good(name: &str) -> Vec<(u32, String)> {
    vec![(0, name.to_owned())]
}

/// A cluster whose node2 is in that state and has that history of `KaiwuData`.
fn with_peer(state: &str, actions: &[&str]) -> String {
    let actions = actions.iter().fold(String::new(), |mut all, action| {
        let _ = write!(all, "<lrm_rsc_op {action}/>");
        all
    });
    format!(
        "<cib have-quorum=\"1\"><configuration>\
         <nodes><node id=\"1\" uname=\"node1\"/><node id=\"2\" uname=\"node2\"/>\
         <node id=\"3\" uname=\"far\" type=\"remote\"/></nodes>\
         <resources><clone id=\"other\"><primitive id=\"o\"><instance_attributes id=\"i\">\
         <nvpair id=\"n\" name=\"drbd_resource\" value=\"other\"/></instance_attributes></primitive></clone>\
         <master id=\"ms\"><group id=\"g\"><primitive id=\"KaiwuData\"><instance_attributes id=\"a\">\
         <nvpair id=\"b\" name=\"drbd_resource\" value=\"kwdb\"/></instance_attributes></primitive></group></master></resources>\
         <constraints/></configuration><status><node_state id=\"2\" uname=\"node2\" {state}><lrm id=\"2\"><lrm_resources>\
         <lrm_resource id=\"KaiwuData:1\">{actions}</lrm_resource></lrm_resources></lrm></node_state></status></cib>"
    )
}

const MEMBER: &str = "in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"";
const DOWN: &str = "in_ccm=\"false\" crmd=\"offline\" join=\"down\" expected=\"down\"";

fn last(operation: &str, rc: &str, status: &str) -> String {
    format!("id=\"KaiwuData:1_last_0\" operation=\"{operation}\" rc-code=\"{rc}\" op-status=\"{status}\"")
}

fn peer(state: &str, actions: &[&str]) -> Peer {
    cluster(&with_peer(state, actions)).peer("node2")
}

#[test]
fn the_clone_is_found_by_the_drbd_resource() {
    assert_eq!(
        cluster(CIB).constraint_id(),
        "drbd-fence-by-handler-kwdb-KaiwuData-clone"
    );
    let old_words = cluster(&with_peer(MEMBER, &[]));
    assert_eq!(old_words.constraint_id(), "drbd-fence-by-handler-kwdb-ms");
    assert!(
        Cluster::parse(CIB, "drbd3")
            .unwrap_err()
            .0
            .contains("drbd_resource=drbd3")
    );
}

#[test]
fn without_quorum_and_cut_off_nothing_is_plain() {
    let without = CIB.replace("have-quorum=\"1\"", "have-quorum=\"0\"");
    assert!(Cluster::parse(&without, "kwdb").unwrap_err().0.contains("quorum"));
    for length in [0, 100, CIB.len() / 2, CIB.trim_end().len() - 2] {
        assert!(Cluster::parse(&CIB[..length], "kwdb").is_err(), "{length}");
    }
}

#[test]
fn nodes_by_their_host_names() {
    let cluster = cluster(&with_peer(MEMBER, &[]));
    assert_eq!(cluster.node("NODE1"), Some("node1"));
    assert_eq!(cluster.node("far"), None);
    assert!(matches!(cluster.peer("elsewhere"), Peer::Unclear(_)));
    assert_eq!(
        (cluster.other_than("node1"), cluster.other_than("node2")),
        (Ok("node2"), Ok("node1"))
    );
    assert!(cluster.other_than("left").is_err());
}

#[test]
fn a_peer_that_was_stopped_by_the_cluster() {
    let stopped = last("stop", "0", "0");
    assert_eq!(peer(MEMBER, &[&stopped]), Peer::Stopped);
    let since_2_1_7 = "in_ccm=\"1795079000\" crmd=\"1795079002\" join=\"member\" expected=\"member\"";
    assert_eq!(peer(since_2_1_7, &[&stopped]), Peer::Stopped);
    // A failure that was before does not matter, nor what is left of a recurring monitor.
    let failure = "id=\"KaiwuData:1_last_failure_0\" operation=\"promote\" rc-code=\"1\" op-status=\"4\"";
    let monitor = "id=\"KaiwuData:1_monitor_10000\" operation=\"monitor\" rc-code=\"8\" op-status=\"0\"";
    assert_eq!(peer(MEMBER, &[failure, &stopped, monitor]), Peer::Stopped);
    assert_eq!(peer(MEMBER, &[&last("monitor", "7", "0")]), Peer::Stopped);
    assert_eq!(peer(MEMBER, &[&last("monitor", "0", "0")]), Peer::Running);
    assert_eq!(peer(MEMBER, &[&last("start", "0", "0")]), Peer::Running);
    assert_eq!(peer(MEMBER, &[&last("demote", "0", "0")]), Peer::Running);
}

#[test]
fn whoever_may_be_promoted_or_may_be_about_to_change_is_not_plain() {
    for action in [
        last("promote", "0", "0"),
        last("promote", "193", "-1"),
        last("start", "193", "-1"),
        last("stop", "193", "-1"),
        last("stop", "1", "4"),
        last("demote", "1", "4"),
        last("monitor", "8", "0"),
        "id=\"KaiwuData:1_monitor_10000\" operation=\"monitor\" rc-code=\"0\" op-status=\"0\"".to_owned(),
    ] {
        assert!(matches!(peer(MEMBER, &[&action]), Peer::Unclear(_)), "{action}");
    }
}

#[test]
fn a_node_is_down_only_when_the_cluster_expects_it_to_be() {
    let stopped = last("stop", "0", "0");
    assert_eq!(peer(DOWN, &[&stopped]), Peer::Down);
    assert_eq!(
        peer(&DOWN.replace("false", "0").replace("offline", "0"), &[]),
        Peer::Down
    );
    for state in [
        DOWN.replace("expected=\"down\"", "expected=\"member\""),
        DOWN.replace("false", "true"),
        MEMBER.replace("online", "offline"),
        MEMBER.replace("join=\"member\"", "join=\"banned\""),
        String::new(),
    ] {
        assert!(matches!(peer(&state, &[&stopped]), Peer::Unclear(_)), "{state}");
    }
    let gone = with_peer(MEMBER, &[]).replace("node_state", "other_state");
    assert!(matches!(cluster(&gone).peer("node2"), Peer::Unclear(_)));
}

/// As `crm-fence-peer.9.sh` of drbd-utils 9.22 makes it.
#[test]
fn the_constraint_is_the_scripts() {
    let by_script = "<rsc_location rsc=\"ms\" id=\"drbd-fence-by-handler-kwdb-ms\">\n \
         <rule role=\"Master\" score=\"-INFINITY\" id=\"drbd-fence-by-handler-kwdb-rule-ms\">\n  \
         <expression attribute=\"#uname\" operation=\"ne\" value=\"node1\" id=\"drbd-fence-by-handler-kwdb-expr-0-ms\"/>\n \
         </rule>\n</rsc_location>\n";
    let before = with_peer(MEMBER, &[]);
    assert!(!cluster(&before).has_constraint());
    let after = before.replace(
        "<constraints/>",
        &format!("<constraints>{by_script}</constraints>"),
    );
    let after = cluster(&after);
    assert!(after.has_constraint() && after.has_constraint_for(&good("node1")));
    assert!(!after.has_constraint_for(&good("node2")));
    let ours = after.constraint(&good("node1"));
    assert!(ours.says_the_same(&Element::parse(by_script).unwrap()));
}
