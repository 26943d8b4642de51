use super::*;
use proptest::prelude::*;

const RECORDED: &str = include_str!("../../../../tests/fixtures/pacemaker-2.1.5/cib.xml");

#[test]
fn a_configuration_is_read() {
    let cib = parse(RECORDED).unwrap();
    assert_eq!(cib.feature_set, "3.4.1");
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

/// As every boolean of Pacemaker.
#[test]
fn maintenance_is_on_in_whatever_words() {
    for (value, expected) in [
        ("true", true),
        ("Yes", true),
        ("1", true),
        ("false", false),
        ("off", false),
        ("perhaps", false),
    ] {
        let xml = format!(
            "<cib><configuration><crm_config><cluster_property_set id=\"p\">\
             <nvpair id=\"m\" name=\"maintenance-mode\" value=\"{value}\"/></cluster_property_set></crm_config></configuration></cib>"
        );
        assert_eq!(parse(&xml).unwrap().is_in_maintenance(), expected, "{value}");
    }
}

#[test]
fn what_is_not_a_cib_is_an_error() {
    for text in ["", "<pacemaker-result/>", "<cib", &RECORDED[..RECORDED.len() / 2]] {
        assert!(parse(text).is_err(), "{text:.30}");
    }
}

/// A CIB with five plain resources.
fn five(more_resources: &str, constraints: &str) -> Cib {
    let primitives = ["A", "B", "C", "D", "E"]
        .map(|id| format!("<primitive id=\"{id}\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"/>"));
    parse(&format!(
        "<cib><configuration><crm_config/><nodes/><resources>{}{more_resources}</resources><constraints>{constraints}</constraints>\
         </configuration></cib>",
        primitives.concat()
    ))
    .unwrap()
}

/// Pairs of the five of which this is true, `AB` for A and B.
fn pairs(cib: &Cib, test: impl Fn(&Primitive, &Primitive) -> bool) -> Vec<String> {
    let all: Vec<&Primitive> = cib.primitives().collect();
    let mut found = Vec::new();
    for one in &all {
        for other in all.iter().filter(|other| other.id != one.id) {
            if test(one, other) {
                found.push(format!("{}{}", one.id, other.id));
            }
        }
    }
    found
}

/// Directions as `crm_simulate` of 3.0.3 shows them.
#[test]
fn resource_sets_say_what_their_pairs_would_say() {
    let set = |id: &str, options: &str, members: &str| {
        let references: Vec<String> = members
            .chars()
            .map(|member| format!("<resource_ref id=\"{member}\"/>"))
            .collect();
        format!(
            "<resource_set id=\"{id}\" {options}>{}</resource_set>",
            references.concat()
        )
    };
    let colocation =
        |sets: &str| format!("<rsc_colocation id=\"x\" score=\"INFINITY\">{sets}</rsc_colocation>");
    let order = |sets: &str| format!("<rsc_order id=\"x\">{sets}</rsc_order>");
    let together = |sets: &str| {
        let cib = five("", &colocation(sets));
        pairs(&cib, |one, other| cib.is_together(one, other))
    };
    let ordered = |sets: &str| {
        let cib = five("", &order(sets));
        pairs(&cib, |one, other| cib.is_ordered(one, other, false))
    };
    let apart = "sequential=\"false\"";
    assert_eq!(together(&set("1", "", "ABC")), ["BA", "CA", "CB"]);
    assert_eq!(together(&set("1", apart, "ABC")), Vec::<String>::new());
    assert_eq!(
        together(&(set("1", apart, "AB") + &set("2", "", "C"))),
        ["AC", "BC"]
    );
    assert_eq!(ordered(&set("1", "", "ABC")), ["AB", "AC", "BC"]);
    assert_eq!(
        ordered(&(set("1", apart, "AB") + &set("2", apart, "CD"))),
        ["AC", "AD", "BC", "BD"]
    );
    // Any one of the first is enough.
    let any = "sequential=\"false\" require-all=\"false\"";
    assert_eq!(
        ordered(&(set("1", any, "AB") + &set("2", "", "C"))),
        Vec::<String>::new()
    );
    let promoted = order(&(set("1", "action=\"promote\"", "A") + &set("2", "action=\"start\"", "B")));
    let cib = five("", &promoted);
    assert_eq!(pairs(&cib, |one, other| cib.is_ordered(one, other, true)), ["AB"]);
    assert!(cib.orders().all(|order| order.from_set));
}

#[test]
fn chains_lead_on_and_only_where_each_step_is_a_must() {
    let with = |what: &str, with: &str, score: &str| {
        format!("<rsc_colocation id=\"{what}{with}\" rsc=\"{what}\" with-rsc=\"{with}\" score=\"{score}\"/>")
    };
    let chain = with("A", "B", "INFINITY") + &with("B", "C", "INFINITY") + &with("C", "D", "10");
    let cib = five("", &chain);
    assert_eq!(
        pairs(&cib, |one, other| cib.is_together(one, other)),
        ["AB", "AC", "BC"]
    );
    assert_eq!(
        pairs(&cib, |one, other| cib.are_colocated(one, other)),
        ["AB", "BA", "BC", "CB", "CD", "DC"]
    );
    let apart = five("", &with("A", "B", "-INFINITY"));
    assert_eq!(
        pairs(&apart, |one, other| apart.are_colocated(one, other)),
        Vec::<String>::new()
    );
    // In circles, too.
    let circle = five("", &(with("A", "B", "INFINITY") + &with("B", "A", "INFINITY")));
    assert_eq!(
        pairs(&circle, |one, other| circle.is_together(one, other)),
        ["AB", "BA"]
    );
}

#[test]
fn what_is_only_referred_to_is_put_in_its_place() {
    let xml = r#"<cib><configuration><crm_config>
        <cluster_property_set id="own"><nvpair id="o" name="stonith-enabled" value="true"/></cluster_property_set>
        <cluster_property_set id="cib-bootstrap-options"><nvpair id="b" name="stonith-enabled" value="false"/></cluster_property_set>
        </crm_config><nodes><node id="1" uname="a"/><node id="2" uname="g" type="remote"/><node id="3" uname="b" type="member"/></nodes>
        <resources><template id="T" class="ocf" provider="kaiwudb" type="kaiwudb">
          <instance_attributes id="ti"><nvpair id="t1" name="a" value="template"/><nvpair id="t2" name="b" value="template"/></instance_attributes>
          <operations><op id="ts" name="start" interval="0s" timeout="10s"/><op id="tm" name="monitor" interval="10s"/></operations></template>
        <primitive id="P" template="T"><instance_attributes id="pi"><nvpair id="p1" name="a" value="own"/></instance_attributes>
          <meta_attributes id-ref="shared"/><operations><op id="ps" name="start" interval="0s" timeout="99s"/></operations></primitive>
        <primitive id="Q" class="ocf" type="x"><meta_attributes id="shared"><nvpair id="s" name="priority" value="7"/></meta_attributes></primitive>
        <bundle id="B"><docker image="i"/><primitive id="I" class="ocf" type="y"/></bundle></resources>
        <constraints><rsc_colocation id="c" rsc="T" with-rsc="X" score="INFINITY"/></constraints>
        <tags><tag id="X"><obj_ref id="B"/></tag></tags></configuration></cib>"#;
    let cib = parse(xml).unwrap();
    let of = |id: &str| cib.primitives().find(|one| one.id == id).unwrap();
    let primitive = of("P");
    assert_eq!(primitive.agent(), "ocf:kaiwudb:kaiwudb");
    assert_eq!(
        (primitive.parameter("a"), primitive.parameter("b")),
        (Some("own"), Some("template"))
    );
    assert_eq!(primitive.meta("priority"), Some("7"));
    let times: Vec<_> = primitive
        .operations()
        .map(|one| (one.name.as_str(), one.timeout.as_deref()))
        .collect();
    assert_eq!(times, [("start", Some("99s")), ("monitor", None)]);
    assert_eq!(cib.names(of("I")), ["I", "B", "X"]);
    assert!(cib.is_together(primitive, of("I")) && !cib.is_together(of("Q"), of("I")));
    // That set comes first, wherever it stands; and a remote node is no member.
    assert_eq!(cib.property("stonith-enabled"), Some("false"));
    assert_eq!(cib.nodes().collect::<Vec<_>>(), ["a", "b"]);
}

/// As in reports: a time-out for monitors only, and a stickiness for one type of resource only.
#[test]
fn defaults_with_rules() {
    let set = |id: &str, score: u32, rule: &str, name: &str, value: &str| {
        format!(
            "<meta_attributes id=\"{id}\" score=\"{score}\">{rule}<nvpair id=\"{id}v\" name=\"{name}\" value=\"{value}\"/></meta_attributes>"
        )
    };
    let rule = |part: &str| format!("<rule id=\"r\" score=\"0\"><{part}/></rule>");
    let of = |operations: &str, resources: &str| {
        let cib = parse(&format!(
            "<cib><configuration><resources><primitive id=\"A\" class=\"ocf\" provider=\"kaiwudb\" type=\"kaiwudb\"/></resources>\
             <op_defaults>{operations}</op_defaults><rsc_defaults>{resources}</rsc_defaults></configuration></cib>"
        ))
        .unwrap();
        let primitive = cib.primitives().next().unwrap();
        let timeout = |operation| {
            cib.operation_default(primitive, operation, "timeout")
                .map(str::to_owned)
        };
        let stickiness = cib.meta(primitive, "resource-stickiness").map(str::to_owned);
        [timeout("monitor"), timeout("stop"), stickiness].map(Option::unwrap_or_default)
    };
    let usual = set("u", 0, "", "timeout", "600s");
    let special = |part: &str| set("s", 1, &rule(part), "timeout", "15s");
    for (part, monitor, stop) in [
        ("op_expression id=\"e\" name=\"monitor\"", "15s", "600s"),
        ("op_expression id=\"e\" name=\"stop\"", "600s", "15s"),
        (
            "op_expression id=\"e\" name=\"monitor\" interval=\"10s\"",
            "600s",
            "600s",
        ),
        (
            "rsc_expression id=\"e\" class=\"ocf\" provider=\"heartbeat\"",
            "600s",
            "600s",
        ),
        (
            "rsc_expression id=\"e\" class=\"ocf\" type=\"kaiwudb\"",
            "15s",
            "15s",
        ),
        (
            "date_expression id=\"e\" operation=\"gt\" start=\"2020\"",
            "600s",
            "600s",
        ),
    ] {
        assert_eq!(of(&(special(part) + &usual), "")[..2], [monitor, stop], "{part}");
    }
    let for_addresses = rule("rsc_expression id=\"e\" type=\"IPaddr2\"");
    assert_eq!(
        of("", &set("s", 1, &for_addresses, "resource-stickiness", "500"))[2],
        ""
    );
    let for_databases = rule("rsc_expression id=\"e\" type=\"kaiwudb\"");
    assert_eq!(
        of("", &set("s", 1, &for_databases, "resource-stickiness", "500"))[2],
        "500"
    );
}

#[test]
fn a_value_that_depends_on_the_node() {
    let of = |rule: &str, node: &str| {
        let set = format!(
            "<instance_attributes id=\"s\" score=\"2\">{rule}<nvpair id=\"v\" name=\"p\" value=\"special\"/></instance_attributes>"
        );
        let cib = parse(&format!(
            "<cib><configuration><resources><primitive id=\"A\" class=\"ocf\" type=\"x\"><instance_attributes id=\"i\">\
             <nvpair id=\"w\" name=\"p\" value=\"usual\"/></instance_attributes>{set}</primitive></resources></configuration></cib>"
        ))
        .unwrap();
        let primitive = cib.primitives().next().unwrap();
        primitive.parameter_on("p", node).map(str::to_owned)
    };
    let is = |operation: &str, value: &str| {
        format!(
            "<expression id=\"{operation}{value}\" attribute=\"#uname\" operation=\"{operation}\" value=\"{value}\"/>"
        )
    };
    let other = "<expression id=\"o\" attribute=\"rack\" operation=\"eq\" value=\"7\"/>";
    let rule = |op: &str, parts: &str| format!("<rule id=\"r\" score=\"0\" {op}>{parts}</rule>");
    let (and, or) = ("", "boolean-op=\"or\"");
    for (rule, node, expected) in [
        (String::new(), "a", Some("special")),
        (rule(and, &is("eq", "a")), "a", Some("special")),
        (rule(and, &is("eq", "DB-A")), "db-a", Some("special")),
        (rule(and, &is("eq", "a")), "b", Some("usual")),
        (rule(and, &is("ne", "a")), "b", Some("special")),
        (rule(or, &(is("eq", "a") + &is("eq", "b"))), "b", Some("special")),
        (rule(or, &(is("eq", "a") + &is("eq", "b"))), "c", Some("usual")),
        (rule(and, &(is("eq", "a") + &is("eq", "b"))), "a", Some("usual")),
        (rule(and, &rule(or, &is("eq", "a"))), "a", Some("special")),
        (rule(and, other), "a", None),
        (
            rule(and, &(other.to_owned() + &is("eq", "b"))),
            "a",
            Some("usual"),
        ),
        (
            rule(or, &(other.to_owned() + &is("eq", "a"))),
            "a",
            Some("special"),
        ),
        (rule(or, &(other.to_owned() + &is("eq", "b"))), "a", None),
        (
            rule(and, "<date_expression id=\"d\" operation=\"gt\" start=\"2030\"/>"),
            "a",
            None,
        ),
        (rule(and, &is("defined", "")), "a", None),
    ] {
        assert_eq!(of(&rule, node).as_deref(), expected, "{node}: {rule}");
    }
}

proptest! {
    #[test]
    fn no_input_panics(xml in ".*") {
        let _ = parse(&xml);
    }
}
