//! What `apply` decides: whether it begins, whether all is well, and how it ends where it is not.

use super::expected::expected;
use super::*;
use crate::design::fixture::{self, SETTINGS};
use crate::ui::output::Output;
use pacemaker::status::{FailedAction, Instance, Node, Status};
use site::facts::{Configured, Facts};

const FENCE: &str = "<primitive id=\"F\" class=\"stonith\" type=\"fence_x\"/>";

fn context() -> Context {
    Context {
        site: fixture::context(SETTINGS),
        output: Output::new(false, false),
    }
}

fn configuration(options: &[(&str, &str)], resources: &str) -> String {
    let pairs = options
        .iter()
        .map(|(name, value)| format!("<nvpair id=\"{name}\" name=\"{name}\" value=\"{value}\"/>"))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<crm_config><cluster_property_set id=\"o\">{pairs}</cluster_property_set></crm_config><nodes/>\
         <resources>{resources}</resources><constraints/>"
    )
}

fn arguments(without_fencing: bool) -> Arguments {
    Arguments {
        yes: true,
        without_fencing,
        new_disks: false,
        timeout: 60,
    }
}

/// The first words of the refusal; `None` where it begins.
fn refused(plan: &Plan, without_fencing: bool) -> Option<String> {
    let refused = refuse(&context(), &arguments(without_fencing), plan).err()?;
    Some(refused.to_string().lines().next().unwrap_or_default().to_owned())
}

#[test]
fn it_begins_only_where_it_can_end() {
    let off = [("stonith-enabled", "false")];
    let maintenance = [("stonith-enabled", "false"), ("maintenance-mode", "true")];
    let unfenced = "refused: there is no fencing device";
    for (options, devices, without_fencing, expected) in [
        (&[][..], FENCE, false, None),
        (&[], "", false, Some(unfenced)),
        (&off, "", false, Some(unfenced)),
        (&off, "", true, None),
        // What is on stays on: Pacemaker would start nothing.
        (
            &[],
            "",
            true,
            Some("refused: fencing is enabled but nothing can fence"),
        ),
        (
            &maintenance,
            "",
            true,
            Some("refused: the cluster is in maintenance mode"),
        ),
    ] {
        let plan = fixture::plan(&context(), &configuration(options, devices));
        let found = refused(&plan, without_fencing);
        assert_eq!(
            found.is_some(),
            expected.is_some(),
            "{options:?} {devices}: {found:?}"
        );
        assert!(
            found.is_none_or(|found| expected.is_some_and(|words| found.starts_with(words))),
            "{options:?} {devices}"
        );
    }
}

#[test]
fn no_cluster_and_another_agent_are_refused_first() {
    let mut plan = fixture::plan(&context(), &configuration(&[], ""));
    plan.found.live.running = false;
    let no_cluster = refused(&plan, false).unwrap();
    assert!(no_cluster.contains("a b"), "both nodes are named: {no_cluster}");
    let linbit = "<clone id=\"Data-clone\"><primitive id=\"Data\" class=\"ocf\" provider=\"linbit\" type=\"drbd\">\
        <instance_attributes id=\"i\"><nvpair id=\"n\" name=\"drbd_resource\" value=\"kwdb\"/></instance_attributes></primitive></clone>";
    let plan = fixture::plan(&context(), &configuration(&[], &format!("{FENCE}{linbit}")));
    let other = refused(&plan, false).unwrap();
    assert!(other.contains("ocf:linbit:drbd"), "{other}");
}

fn instance(resource: &str, role: Option<ocf::Role>) -> Instance {
    Instance {
        resource: resource.to_owned(),
        agent: String::new(),
        node: Some("a".to_owned()),
        active: true,
        starting: false,
        role,
        managed: true,
        failed: false,
    }
}

fn failure(exit_code: i32) -> FailedAction {
    FailedAction {
        operation: "KaiwuDB_start_0".to_owned(),
        node: "b".to_owned(),
        exit_code,
        reason: "no room".to_owned(),
    }
}

/// The state in which nothing is wrong.
fn well(plan: &Plan) -> Status {
    let node = |name: &str| Node {
        name: name.to_owned(),
        online: true,
        ..Node::default()
    };
    let runs = expected(&plan.wanted.configuration, &plan.found.live).runs;
    let promoted = |promoted: bool| promoted.then_some(ocf::Role::Promoted);
    Status {
        nodes: vec![node("a"), node("b")],
        instances: runs
            .iter()
            .map(|(id, role)| instance(id, promoted(*role)))
            .collect(),
        ..Status::default()
    }
}

#[test]
fn everything_that_does_not_run_is_named() {
    let plan = fixture::plan(&context(), &configuration(&[], FENCE));
    let expected = expected(&plan.wanted.configuration, &plan.found.live);
    let trouble = |change: &dyn Fn(&mut Status), before: &[FailedAction]| {
        let mut status = well(&plan);
        change(&mut status);
        verify::of_status(&context(), &plan, &expected, &status, before)
    };
    assert_eq!(trouble(&|_| {}, &[]), [""; 0]);
    assert_eq!(
        trouble(&|status| status.nodes[1].online = false, &[]),
        ["b is not online"]
    );
    assert_eq!(
        trouble(
            &|status| status.instances.retain(|one| one.resource != "KaiwuDB"),
            &[]
        ),
        ["KaiwuDB does not run"]
    );
    let data = |status: &mut Status, change: &dyn Fn(&mut Instance)| {
        let data = status.instances.iter_mut().find(|one| one.role.is_some());
        change(data.expect("DRBD is planned"));
    };
    let unpromoted = |one: &mut Instance| one.role = Some(ocf::Role::Unpromoted);
    assert_eq!(
        trouble(&|status| data(status, &unpromoted), &[]),
        ["KaiwuData is not promoted on any node"]
    );
    assert_eq!(
        trouble(&|status| data(status, &|one| one.failed = true), &[]),
        ["KaiwuData is not promoted on any node"]
    );
    // Known failures and degraded results are none of this change.
    let failed = |code: i32| move |status: &mut Status| status.failures = vec![failure(code)];
    assert_eq!(trouble(&failed(1), &[]), ["KaiwuDB_start_0 failed on b: no room"]);
    assert_eq!(trouble(&failed(1), &[failure(1)]), [""; 0]);
    assert_eq!(trouble(&failed(190), &[]), [""; 0]);
}

#[test]
fn a_node_lacks_the_server_or_drbds_resource() {
    let plan = fixture::plan(&context(), &configuration(&[], FENCE));
    let lacks = |installed: bool, drbd: bool, is_made: bool| {
        let mut facts = Facts::default();
        facts.database.installed = installed;
        if drbd {
            let configured = Configured::default();
            facts.drbd.resources.insert("kwdb".to_owned(), configured);
        }
        ready::lacks(&context(), &plan, "b", &facts, is_made).len()
    };
    assert_eq!(lacks(true, true, false), 0);
    assert_eq!(lacks(false, true, false), 1);
    assert_eq!(lacks(true, false, false), 1);
    assert_eq!(lacks(false, false, false), 2);
    assert_eq!(lacks(true, false, true), 0, "it is about to be made");
}

fn element(inside: &str) -> Element {
    Element::parse(&format!("<configuration>{inside}</configuration>")).unwrap()
}

/// A configuration in which the agents have pinned this store, and the cluster has noted a refresh.
fn noted(store: &str, refresh: &str, more: &str) -> Element {
    element(&format!(
        "<crm_config><cluster_property_set id=\"o\"><nvpair id=\"r\" name=\"last-lrm-refresh\" value=\"{refresh}\"/></cluster_property_set>\
         <cluster_property_set id=\"kaiwudb-ha\"><nvpair id=\"k\" name=\"kaiwudb-store-DB\" value=\"{store}\"/></cluster_property_set>\
         </crm_config>{more}"
    ))
}

#[test]
fn what_agents_and_cluster_note_is_no_change_of_somebody_else() {
    let ours = without_own(&noted("one", "1", ""));
    assert_eq!(without_own(&noted("two", "2", "")), ours);
    assert_ne!(without_own(&noted("one", "1", "<resources/>")), ours);
}

#[test]
fn the_pinned_store_survives_an_undoing() {
    let old = element("<crm_config><cluster_property_set id=\"p\"/></crm_config><resources/>");
    let restored = |old: &Element, current: &Element| restored(old.clone(), current);
    let back = restored(&old, &noted("one", "1", "<new/>"));
    let pinned = back.by_id("k").and_then(|pair| pair.get("value"));
    assert_eq!(pinned, Some("one"));
    assert!(back.child("new").is_none() && back.by_id("p").is_some());
    // An older one is replaced, and what is gone stays away.
    let replaced = restored(&noted("old", "1", ""), &noted("one", "1", ""));
    assert_eq!(
        replaced.by_id("k").and_then(|pair| pair.get("value")),
        Some("one")
    );
    assert_eq!(restored(&noted("old", "1", ""), &old).by_id("k"), None);
}

#[test]
fn the_end_says_whether_it_was_undone_and_how_to_do_that_by_hand() {
    let file = Path::new("/var/lib/kaiwudb-ha/cib/1.xml");
    for language in [Language::English, Language::Chinese] {
        let ended = |undone| {
            ended(
                language,
                "X does not run",
                undone,
                file,
                &["KaiwuDB", "ClusterIP"],
            )
        };
        let undone = ended(Ok(()));
        assert!(
            undone.contains("X does not run") && !undone.contains("cibadmin"),
            "{undone}"
        );
        let changed = ended(Err(NotUndone::ChangedSince));
        let overtaken = ended(Err(NotUndone::Refused(Refused::Changed)));
        assert!(changed.contains(texts::CHANGED_SINCE.of(language)), "{changed}");
        assert!(overtaken.contains(texts::OVERTAKEN.of(language)), "{overtaken}");
        for text in [changed, overtaken] {
            let command = "cibadmin --replace --scope=configuration --xml-file /var/lib/kaiwudb-ha/cib/1.xml; \
                crm_resource --wait --timeout=60s; crm_resource --refresh --resource KaiwuDB; crm_resource --refresh --resource ClusterIP";
            assert!(
                text.contains("X does not run") && text.contains(command),
                "{text}"
            );
        }
    }
}
