use super::*;
use proptest::prelude::*;

const RECORDED: &str = include_str!("../../../../tests/fixtures/pacemaker-2.1.5/cib.xml");

#[test]
fn a_configuration_is_read() {
    let cib = parse(RECORDED).unwrap();
    assert_eq!((cib.admin_epoch, cib.epoch), (0, 12));
    assert_eq!(cib.property("stonith-enabled"), Some("true"));
    assert_eq!(cib.nodes().collect::<Vec<_>>(), ["node1", "node2"]);
    let agents: Vec<String> = cib.primitives().map(Primitive::agent).collect();
    assert_eq!(
        agents,
        [
            "stonith:fence_sbd",
            "ocf:kaiwudb:drbd-promotable",
            "ocf:heartbeat:Filesystem",
            "ocf:kaiwudb:kaiwudb"
        ]
    );
    let clones: Vec<&Clones> = cib.clones().collect();
    assert_eq!(clones[0].meta("promotable"), Some("true"));
    let data = clones[0].primitives()[0];
    assert_eq!(data.parameter("drbd_resource"), Some("kwdb"));
    assert_eq!(data.operations().count(), 2);
    assert!(data.operations().any(Operation::is_for_promoted));
    assert_eq!(cib.meta(data, "clone-max"), Some("2"));
    let group = cib.groups().next().unwrap();
    assert_eq!(group.members().len(), 2);
    assert_eq!(group.members()[1].meta("is-managed"), Some("false"));
    assert_eq!(
        cib.colocations().next().unwrap().with_role.as_deref(),
        Some("Master")
    );
    assert_eq!(
        cib.orders().next().unwrap().first_action.as_deref(),
        Some("promote")
    );
}

#[test]
fn what_is_not_known_is_passed_over() {
    let xml = r#"<cib epoch="1"><configuration><crm_config/><nodes/><resources>
        <template id="t" class="ocf" type="x"/>
        <bundle id="b"><docker image="i"/><primitive id="inside" class="ocf" type="x"/></bundle>
        <primitive id="p" class="lsb" type="y"><utilization id="u"><nvpair id="a" name="cpu" value="1"/></utilization>
          <instance_attributes id="i1"><rule id="r" score="1"><expression id="e" attribute="x" operation="defined"/></rule>
            <nvpair id="n" name="a" value="first"/></instance_attributes>
          <operations/><instance_attributes id="i2"><nvpair id="m" name="a" value="second"/></instance_attributes>
        </primitive></resources>
        <constraints><rsc_ticket id="t" rsc="p" ticket="x"/><rsc_location id="l" rsc="p" node="n" score="-INFINITY"/></constraints>
        <tags><tag id="x"><obj_ref id="p"/></tag></tags><alerts/></configuration><status/></cib>"#;
    let cib = parse(xml).unwrap();
    let primitive = cib.primitives().find(|one| one.id == "p").unwrap();
    assert_eq!(
        (primitive.agent().as_str(), primitive.parameter("a")),
        ("lsb:y", Some("second"))
    );
    assert_eq!(cib.locations().next().unwrap().node.as_deref(), Some("n"));
}

#[test]
fn times_are_read_as_pacemaker_does() {
    for (text, expected) in [
        ("10", Some(10.0)),
        ("10s", Some(10.0)),
        ("500ms", Some(0.5)),
        ("2min", Some(120.0)),
        ("1h", Some(3600.0)),
        ("PT1M30S", Some(90.0)),
        ("P1DT1S", Some(86_401.0)),
        ("soon", None),
        ("", None),
        ("PT", Some(0.0)),
        ("PTx", None),
    ] {
        assert_eq!(seconds(text), expected, "{text}");
    }
}

#[test]
fn what_is_not_a_cib_is_an_error() {
    for text in ["", "<pacemaker-result/>", "<cib", &RECORDED[..RECORDED.len() / 2]] {
        assert!(parse(text).is_err(), "{text:.30}");
    }
}

proptest! {
    #[test]
    fn no_input_panics(xml in ".*", time in ".*") {
        let _ = parse(&xml);
        let _ = seconds(&time);
    }
}
