use super::*;
use pacemaker::cib;

fn device(id: &str, kind: &str, inside: &str) -> String {
    format!("<primitive id=\"{id}\" class=\"stonith\" type=\"{kind}\">{inside}</primitive>")
}

fn for_nodes(id: &str, nodes: &str) -> String {
    device(
        id,
        "fence_ipmilan",
        &format!(
            "<instance_attributes id=\"{id}-i\"><nvpair id=\"{id}-l\" name=\"pcmk_host_list\" value=\"{nodes}\"/></instance_attributes>"
        ),
    )
}

/// A cluster of two nodes with these options and devices, written by this feature set.
fn cluster(features: &str, options: &[(&str, &str)], devices: &str, more: &str) -> Cib {
    let options = options
        .iter()
        .map(|(name, value)| format!("<nvpair id=\"{name}\" name=\"{name}\" value=\"{value}\"/>"))
        .collect::<Vec<_>>()
        .concat();
    cib::parse(&format!(
        "<cib crm_feature_set=\"{features}\"><configuration><crm_config><cluster_property_set id=\"o\">{options}</cluster_property_set>\
         </crm_config><nodes><node id=\"1\" uname=\"a\"/><node id=\"2\" uname=\"b\"/><node id=\"g\" type=\"remote\" uname=\"guest\"/></nodes>\
         <resources>{devices}</resources><constraints/>{more}</configuration></cib>"
    ))
    .unwrap()
}

fn corosync(two_node: bool, quorum_device: bool) -> Corosync {
    Corosync {
        quorum_device,
        two_node,
        ..Corosync::default()
    }
}

const OLD: &str = "3.16.2";
const NEW: &str = "3.20.5";

#[test]
fn what_fences_is_known_in_every_way_of_fencing() {
    let both = for_nodes("F", "a b");
    let half = for_nodes("F", "a");
    let sbd = device("S", "fence_sbd", "");
    let external = device("S", "external/sbd", "");
    let disabled = |role: &str| {
        let role = format!(
            "<meta_attributes id=\"m\"><nvpair id=\"t\" name=\"target-role\" value=\"{role}\"/></meta_attributes>"
        );
        device("F", "fence_ipmilan", &role)
    };
    let kdump = device("K", "fence_kdump", "");
    let watched = [("stonith-watchdog-timeout", "10s"), ("have-watchdog", "true")];
    let none = vec![Weakness::NoMeans];
    let uncovered = vec![Weakness::Uncovered(vec!["b".to_owned()])];
    for (what, options, devices, means, weaknesses) in [
        ("nothing", &[][..], String::new(), Means::None, none.clone()),
        ("a device for both", &[], both.clone(), Means::Devices, vec![]),
        (
            "a device that is asked",
            &[],
            device("F", "fence_x", ""),
            Means::Devices,
            vec![],
        ),
        (
            "a device for one node",
            &[],
            half.clone(),
            Means::Devices,
            uncovered.clone(),
        ),
        (
            "a device each",
            &[],
            half + &for_nodes("G", "b"),
            Means::Devices,
            vec![],
        ),
        (
            "a disabled device",
            &[],
            disabled("Stopped"),
            Means::None,
            none.clone(),
        ),
        // Pacemaker reads roles in either case.
        (
            "a disabled device, in lower case",
            &[],
            disabled("stopped"),
            Means::None,
            none.clone(),
        ),
        (
            "a device that is to run",
            &[],
            disabled("Started"),
            Means::Devices,
            vec![],
        ),
        ("only a helper", &[], kdump.clone(), Means::None, none.clone()),
        ("SBD with disks", &[], sbd, Means::SbdDisks, vec![]),
        ("SBD with disks, old", &[], external, Means::SbdDisks, vec![]),
        (
            "the watchdog",
            &watched[..],
            String::new(),
            Means::Watchdog,
            vec![],
        ),
        (
            "the watchdog, computed",
            &[("stonith-watchdog-timeout", "-1")],
            String::new(),
            Means::Watchdog,
            vec![],
        ),
        (
            "a watchdog that waits for nothing",
            &[("stonith-watchdog-timeout", "0s")],
            String::new(),
            Means::None,
            none.clone(),
        ),
        (
            "a watchdog that SBD does not serve",
            &[("stonith-watchdog-timeout", "10s"), ("have-watchdog", "false")],
            String::new(),
            Means::None,
            none,
        ),
        (
            "a watchdog on one node",
            &watched[..],
            {
                let list = "<instance_attributes id=\"w\"><nvpair id=\"wl\" name=\"pcmk_host_list\" value=\"a\"/></instance_attributes>";
                device("watchdog", "fence_watchdog", list)
            },
            Means::Watchdog,
            uncovered,
        ),
    ] {
        let cib = cluster(OLD, options, &devices, "");
        let found = of(&cib, [&corosync(false, true), &corosync(false, true)]);
        assert_eq!((found.means, &found.weaknesses), (means, &weaknesses), "{what}");
        assert!(found.enabled, "{what}: the default is on");
    }
}

#[test]
fn a_topology_decides_where_there_is_one_for_the_node() {
    let devices = for_nodes("A", "a") + &for_nodes("B", "b") + &device("K", "fence_kdump", "");
    let level = |target: &str, devices: &str| {
        format!(
            "<fencing-level id=\"l{target}{devices}\" target=\"{target}\" index=\"1\" devices=\"{devices}\"/>"
        )
    };
    for (levels, missing) in [
        (String::new(), None),
        (level("a", "A"), None),
        (level("a", "K,A"), None),
        (level("a", "A,gone"), Some("a")),
        (level("a", "gone") + &level("a", "A"), None),
        (level("b", "gone"), Some("b")),
    ] {
        let cib = cluster(
            OLD,
            &[],
            &devices,
            &format!("<fencing-topology>{levels}</fencing-topology>"),
        );
        let expected: Vec<Weakness> = missing
            .map(|node| Weakness::Uncovered(vec![node.to_owned()]))
            .into_iter()
            .collect();
        assert_eq!(of(&cib, []).weaknesses, expected, "{levels}");
    }
}

#[test]
fn a_watchdog_needs_a_third_vote_where_both_halves_keep_quorum() {
    let watched = cluster(OLD, &[("stonith-watchdog-timeout", "10s")], "", "");
    let no_third = vec![Weakness::NoThirdVote];
    for (two_node, device, expected) in [
        (true, false, no_third),
        (false, true, vec![]),
        // One half of the two wins.
        (false, false, vec![]),
    ] {
        let corosync = corosync(two_node, device);
        let found = of(&watched, [&corosync, &corosync]);
        assert_eq!(found.weaknesses, expected, "two_node {two_node}, device {device}");
        assert!(found.works());
    }
    // A device that switches the other node off does without.
    let fenced = cluster(
        OLD,
        &[("stonith-watchdog-timeout", "10s")],
        &for_nodes("F", "a b"),
        "",
    );
    assert_eq!(of(&fenced, [&corosync(true, false)]).weaknesses, []);
}

#[test]
fn the_new_name_counts_where_pacemaker_knows_it() {
    let (new, old) = ("fencing-enabled", "stonith-enabled");
    for (features, options, enabled, switches) in [
        (OLD, &[][..], true, &[][..]),
        (OLD, &[(old, "false")], false, &[old]),
        (OLD, &[(old, "OFF")], false, &[old]),
        (OLD, &[(old, "nonsense")], true, &[]),
        (OLD, &[(new, "true"), (old, "false")], false, &[new, old]),
        (NEW, &[(new, "false")], false, &[new]),
        (NEW, &[(old, "false")], false, &[old]),
        (NEW, &[(new, "true"), (old, "false")], true, &[]),
        (NEW, &[(new, "false"), (old, "true")], false, &[new, old]),
        // A release that is not known is taken for a new one.
        ("", &[(new, "false")], false, &[new]),
    ] {
        let cib = cluster(features, options, "", "");
        let found = of(&cib, []);
        assert_eq!(found.enabled, enabled, "{features} {options:?}");
        assert_eq!(found.switch_on(&cib), switches, "{features} {options:?}");
    }
    for (features, name, means) in [
        (NEW, "fencing-watchdog-timeout", Means::Watchdog),
        (NEW, "stonith-watchdog-timeout", Means::Watchdog),
        (OLD, "fencing-watchdog-timeout", Means::None),
    ] {
        let cib = cluster(features, &[(name, "10s")], "", "");
        assert_eq!(of(&cib, []).means, means, "{features} {name}");
    }
}

/// Files that people read or that are run for them: everything but tests, and what tells of the past.
fn printed(directory: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["tests", "target", ".git"].contains(&name.as_str()) {
                printed(&path, found);
            }
        } else if !name.starts_with("CHANGELOG") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// Whether the text sets one of the options to no, in the words of any tool.
fn switches_off(text: &str) -> bool {
    ENABLED.iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let rest = text[at + name.len()..].trim_start_matches(['=', ':', ' ', '"', '\'']);
            let rest = rest
                .trim_start_matches("value=")
                .trim_start_matches("--update ")
                .trim_start_matches('"');
            let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            parse_boolean(&word) == Some(false)
        })
    })
}

#[test]
fn nothing_that_is_printed_switches_fencing_off() {
    for (text, expected) in [
        ("pcs property set stonith-enabled=false", true),
        ("crm_attribute --name fencing-enabled --update off", true),
        ("property stonith-enabled: \"no\"", true),
        ("<nvpair name=\"stonith-enabled\" value=\"0\"/>", true),
        ("pcs property set stonith-enabled=true", false),
    ] {
        assert_eq!(switches_off(text), expected, "{text}");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for directory in ["docs", "packaging", "crates", "agents"] {
        printed(&root.join(directory), &mut files);
    }
    files.extend(["README.md", "README.zh-CN.md"].map(|name| root.join(name)));
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let text = std::fs::read(&file).unwrap();
        assert!(
            !switches_off(&String::from_utf8_lossy(&text)),
            "{}",
            file.display()
        );
    }
}
