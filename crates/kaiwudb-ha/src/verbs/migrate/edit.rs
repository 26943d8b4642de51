//! The changes of the configuration, as pure functions over the CIB.

use super::journal::{Exchange, Side};
use pacemaker::cib::agent_of;
use pacemaker::model::pair;
use pacemaker::xml::Element;
use site::leftover::MIGRATION;
use std::collections::BTreeSet;

/// What stands in the resources section and may hold others.
const RESOURCES: [&str; 4] = ["primitive", "group", "clone", "master"];

fn resources(cib: &Element) -> &[Element] {
    cib.child("configuration")
        .and_then(|configuration| configuration.child("resources"))
        .map_or(&[], |resources| &resources.children)
}

fn is_resource(element: &Element) -> bool {
    RESOURCES.contains(&element.name.as_str())
}

/// The primitive of that id.
pub(super) fn primitive<'a>(cib: &'a Element, id: &str) -> Option<&'a Element> {
    resources(cib)
        .iter()
        .flat_map(Element::descendants)
        .find(|element| element.name == "primitive" && element.id() == id)
}

/// The resources at the top of the section that belong together with these primitives: those that hold them, and those that a
/// constraint connects with one that belongs to them. While the cluster does not know whether a resource runs, it would stop what
/// depends on it.
pub(super) fn belonging(cib: &Element, primitives: &[&str]) -> Vec<String> {
    let tops = resources(cib);
    let top_of = |id: &str| {
        tops.iter()
            .find(|top| {
                top.descendants()
                    .iter()
                    .any(|element| is_resource(element) && element.id() == id)
            })
            .map(|top| top.id().to_owned())
    };
    let constraints = cib
        .child("configuration")
        .and_then(|configuration| configuration.child("constraints"));
    let connections: Vec<BTreeSet<String>> = constraints
        .into_iter()
        .flat_map(|constraints| &constraints.children)
        .filter(|constraint| constraint.name != "rsc_location")
        .map(|constraint| {
            constraint
                .descendants()
                .into_iter()
                .flat_map(|element| {
                    let set = (element.name == "resource_ref").then(|| element.id());
                    ["rsc", "with-rsc", "first", "then"]
                        .iter()
                        .filter_map(|name| element.get(name))
                        .chain(set)
                        .collect::<Vec<_>>()
                })
                .filter_map(top_of)
                .collect()
        })
        .collect();
    let mut found: BTreeSet<String> = primitives.iter().filter_map(|id| top_of(id)).collect();
    loop {
        let more: BTreeSet<String> = connections
            .iter()
            .filter(|connected| !connected.is_disjoint(&found))
            .flatten()
            .filter(|id| !found.contains(*id))
            .cloned()
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    // As the section has them.
    tops.iter()
        .map(|top| top.id().to_owned())
        .filter(|id| found.contains(id))
        .collect()
}

/// The primitives in these resources.
pub(super) fn members(cib: &Element, tops: &[String]) -> Vec<String> {
    resources(cib)
        .iter()
        .filter(|top| tops.iter().any(|id| top.id() == id))
        .flat_map(Element::descendants)
        .filter(|element| element.name == "primitive")
        .map(|element| element.id().to_owned())
        .collect()
}

/// The id of the set by which a resource is held.
fn held_by(resource: &str) -> String {
    format!("{resource}-{MIGRATION}")
}

/// Puts resources in maintenance: their monitors end and nothing is done to them. `node` is where the journal is.
pub(super) fn hold(cib: &mut Element, tops: &[String], node: &str) {
    let Some(section) = section(cib) else { return };
    for top in section
        .children
        .iter_mut()
        .filter(|top| tops.iter().any(|id| top.id() == id))
    {
        let id = held_by(top.id());
        if top.children.iter().any(|child| child.id() == id) {
            continue;
        }
        let mut set = Element::new("meta_attributes").with("id", &id);
        set.children.push(pair(&id, "maintenance", "true"));
        set.children.push(pair(&id, MIGRATION, node));
        // The first set that has a name counts.
        top.children.insert(0, set);
    }
}

/// Takes every resource that [`hold`] has put there out of maintenance.
pub(super) fn release(cib: &mut Element) {
    let Some(section) = section(cib) else { return };
    for top in &mut section.children {
        let id = held_by(top.id());
        top.children.retain(|child| child.id() != id);
    }
}

/// The node that has the journal of a migration that is not over, if there is one.
pub(super) fn holder(cib: &Element) -> Option<&str> {
    resources(cib)
        .iter()
        .flat_map(|top| &top.children)
        .filter(|set| set.name == "meta_attributes")
        .flat_map(|set| &set.children)
        .find(|pair| pair.get("name") == Some(MIGRATION))
        .and_then(|pair| pair.get("value"))
}

/// Puts the one primitive in the place of the other. False when somebody has changed one of them: then none is replaced. On the way
/// back what we have not put there is left alone, and what somebody changed about ours is given up with it.
pub(super) fn exchange(cib: &mut Element, exchanges: &[Exchange], to: Side) -> bool {
    for exchange in exchanges {
        let Some(current) = primitive(cib, &exchange.id) else {
            return to == Side::Guide;
        };
        let is_ours = agent_of(current) == agent_of(&exchange.element(Side::Ours));
        // One that is in no group is held itself.
        let mut unheld = current.clone();
        unheld
            .children
            .retain(|child| child.id() != held_by(&exchange.id));
        if to == Side::Ours && !is_ours && unheld != exchange.element(Side::Guide) {
            return false;
        }
    }
    let Some(section) = section(cib) else {
        return false;
    };
    for exchange in exchanges {
        let ours = agent_of(&exchange.element(Side::Ours));
        let wanted = exchange.element(to);
        let is_it = |element: &Element| element.name == "primitive" && element.id() == exchange.id;
        for top in &mut section.children {
            if let Some(current) = find(top, &is_it)
                && (agent_of(current) == ours) == (to == Side::Guide)
            {
                let held = current
                    .children
                    .iter()
                    .find(|child| child.id() == held_by(&exchange.id));
                let held = held.cloned();
                *current = wanted.clone();
                current.children.splice(0..0, held);
            }
        }
    }
    true
}

/// What the CIB would be when all is done: the agents exchanged, and their history with them, everything where it was. For a rehearsal.
/// The history has digests of the parameters of before, and the scheduler would restart what has others: so the parameters stay. The new
/// agents' history will have been made with theirs.
pub(super) fn rehearsed(cib: &Element, exchanges: &[Exchange], to: Side) -> Element {
    let mut copy = cib.clone();
    exchange(&mut copy, exchanges, to);
    for exchange in exchanges {
        let is_it = |element: &Element| element.name == "primitive" && element.id() == exchange.id;
        let is_set = |element: &Element| element.name == "instance_attributes";
        if let Some(new) = section(&mut copy).and_then(|section| find(section, &is_it)) {
            new.children.retain(|child| !is_set(child));
            let before = exchange.element(to.other()).children;
            new.children.splice(0..0, before.into_iter().filter(is_set));
        }
    }
    let Some(status) = copy.children.iter_mut().find(|child| child.name == "status") else {
        return copy;
    };
    for state in &mut status.children {
        for exchange in exchanges {
            let wanted = exchange.element(to);
            let is_it = |element: &Element| is_history(element, &exchange.id);
            let Some(history) = find(state, &is_it) else {
                continue;
            };
            for name in ["class", "provider", "type"] {
                match wanted.get(name) {
                    Some(value) => history.set(name, value),
                    None => history.unset(name),
                }
            }
        }
    }
    copy
}

/// An instance of a clone may carry its number.
fn is_history(element: &Element, id: &str) -> bool {
    element.name == "lrm_resource" && ocf::primitive_of(element.id()) == id
}

/// What a probe has found: the exit status and the agent's sentence.
pub(super) type Probe = (i32, String);

/// What the probe of a resource with its present agent has found on a node; `None`: it was not probed yet.
pub(super) fn probe(cib: &Element, id: &str, node: &str) -> Option<Probe> {
    let agent_now = agent_of(primitive(cib, id)?);
    let state = cib
        .child("status")?
        .all("node_state")
        .find(|state| state.get("uname") == Some(node))?;
    let history = state
        .descendants()
        .into_iter()
        .find(|element| is_history(element, id) && agent_of(element) == agent_now)?;
    let operation = history
        .children
        .iter()
        .filter(|operation| operation.get("operation") == Some("monitor"))
        // One that has been sent out and not come back yet is there, too.
        .find(|operation| {
            operation.get("interval") == Some("0") && operation.get("op-status") != Some("-1")
        })?;
    let result = operation.get("rc-code")?.parse().ok()?;
    Some((
        result,
        operation.get("exit-reason").unwrap_or_default().to_owned(),
    ))
}

fn section(cib: &mut Element) -> Option<&mut Element> {
    cib.children
        .iter_mut()
        .find(|child| child.name == "configuration")?
        .children
        .iter_mut()
        .find(|child| child.name == "resources")
}

fn find<'a>(element: &'a mut Element, wanted: &impl Fn(&Element) -> bool) -> Option<&'a mut Element> {
    if wanted(element) {
        return Some(element);
    }
    element.children.iter_mut().find_map(|child| find(child, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guide's configuration, as its commands for pcs make it, shortened.
    const GUIDE: &str = r#"<cib epoch="9" num_updates="3" admin_epoch="0"><configuration><crm_config/><resources>
        <primitive id="ClusterIP" class="ocf" provider="heartbeat" type="IPaddr2"/>
        <clone id="KaiwuData-clone"><primitive id="KaiwuData" class="ocf" provider="linbit" type="drbd">
          <instance_attributes id="KaiwuData-params"><nvpair id="x" name="drbd_resource" value="drbd3"/></instance_attributes>
          </primitive><meta_attributes id="KaiwuData-clone-meta"><nvpair id="y" name="notify" value="true"/></meta_attributes></clone>
        <group id="KaiwuDBGrp"><primitive id="KaiwuFS" class="ocf" provider="heartbeat" type="Filesystem"/>
          <primitive id="KaiwuDB" class="systemd" type="kaiwudb.service"/></group>
        <primitive id="Other" class="ocf" provider="heartbeat" type="Dummy"/>
        <primitive id="Friend" class="ocf" provider="heartbeat" type="Dummy"/>
        </resources><constraints>
        <rsc_colocation id="c1" rsc="KaiwuFS" with-rsc="KaiwuData-clone" with-rsc-role="Master"/>
        <rsc_order id="o1" first="KaiwuData-clone" first-action="promote" then="KaiwuFS"/>
        <rsc_colocation id="c2" rsc="ClusterIP" with-rsc="KaiwuDB"/>
        <rsc_location id="l1" rsc="Other" node="node1" score="50"/>
        <rsc_colocation id="c3"><resource_set id="s"><resource_ref id="Friend"/><resource_ref id="ClusterIP"/></resource_set></rsc_colocation>
        </constraints></configuration><status><node_state uname="node1"><lrm id="1"><lrm_resources>
        <lrm_resource id="KaiwuDB" class="systemd" type="kaiwudb.service"><lrm_rsc_op id="KaiwuDB_last_0" operation="start" interval="0" rc-code="0"/></lrm_resource>
        <lrm_resource id="KaiwuData:0" class="ocf" provider="linbit" type="drbd"/>
        </lrm_resources></lrm></node_state></status></cib>"#;

    fn cib() -> Element {
        Element::parse(GUIDE).unwrap()
    }

    fn exchanges(cib: &Element) -> Vec<Exchange> {
        [("KaiwuDB", "kaiwudb"), ("KaiwuData", "drbd-promotable")]
            .map(|(id, kind)| {
                let guide = primitive(cib, id).unwrap();
                let mut ours = guide.clone();
                ours.set("class", "ocf");
                ours.set("provider", "kaiwudb");
                ours.set("type", kind);
                Exchange {
                    id: id.to_owned(),
                    guide: guide.text(),
                    ours: ours.text(),
                }
            })
            .to_vec()
    }

    fn agents(cib: &Element) -> [String; 2] {
        ["KaiwuDB", "KaiwuData"].map(|id| agent_of(primitive(cib, id).unwrap()))
    }

    #[test]
    fn what_belongs_together_is_found_through_groups_clones_and_constraints() {
        let all = ["ClusterIP", "KaiwuData-clone", "KaiwuDBGrp", "Friend"];
        assert_eq!(belonging(&cib(), &["KaiwuDB"]), all);
        assert_eq!(belonging(&cib(), &["KaiwuData"]), all);
        assert_eq!(belonging(&cib(), &["Other"]), ["Other"]);
        let held = [all[1].to_owned(), all[2].to_owned()];
        assert_eq!(members(&cib(), &held), ["KaiwuData", "KaiwuFS", "KaiwuDB"]);
    }

    #[test]
    fn what_is_held_is_released_and_nothing_is_left() {
        let before = cib();
        let mut changed = cib();
        let tops = belonging(&before, &["KaiwuDB"]);
        assert_eq!(holder(&changed), None);
        hold(&mut changed, &tops, "node2");
        hold(&mut changed, &tops, "node1");
        assert_eq!(holder(&changed), Some("node2"));
        assert_eq!(changed.text().matches("name=\"maintenance\"").count(), 4);
        release(&mut changed);
        assert_eq!(changed, before);
    }

    #[test]
    fn both_are_exchanged_or_none_and_back_again() {
        let before = cib();
        let exchanges = exchanges(&before);
        let mut changed = cib();
        assert!(exchange(&mut changed, &exchanges, Side::Ours));
        assert_eq!(
            agents(&changed),
            ["ocf:kaiwudb:kaiwudb", "ocf:kaiwudb:drbd-promotable"]
        );
        // Once more is no error.
        assert!(exchange(&mut changed, &exchanges, Side::Ours));
        // What somebody has changed about ours goes with it.
        changed
            .by_id_mut("KaiwuDB")
            .unwrap()
            .set("description", "changed since");
        assert!(exchange(&mut changed, &exchanges, Side::Guide));
        assert_eq!(changed, before);
    }

    /// A resource that is in no group is held by a set of its own, which stays while its agent is exchanged.
    #[test]
    fn one_that_stands_alone_stays_held() {
        let guide = primitive(&cib(), "ClusterIP").unwrap().clone();
        let mut ours = guide.clone();
        ours.set("provider", "kaiwudb");
        ours.set("type", "virtual-ip");
        let exchanges = [Exchange {
            id: "ClusterIP".to_owned(),
            guide: guide.text(),
            ours: ours.text(),
        }];
        let mut changed = cib();
        hold(&mut changed, &["ClusterIP".to_owned()], "node1");
        for (to, wanted) in [(Side::Ours, &ours), (Side::Guide, &guide)] {
            assert!(exchange(&mut changed, &exchanges, to), "{to:?}");
            assert_eq!(holder(&changed), Some("node1"));
            let mut released = changed.clone();
            release(&mut released);
            assert_eq!(primitive(&released, "ClusterIP"), Some(wanted));
        }
    }

    #[test]
    fn what_somebody_else_has_changed_is_not_overwritten() {
        let exchanges = exchanges(&cib());
        let mut changed = cib();
        changed
            .by_id_mut("KaiwuData")
            .unwrap()
            .set("description", "changed meanwhile");
        let before = changed.clone();
        assert!(!exchange(&mut changed, &exchanges, Side::Ours));
        assert_eq!(changed, before);
        assert!(exchange(&mut changed, &exchanges, Side::Guide));
        assert_eq!(changed, before);
    }

    #[test]
    fn the_rehearsal_takes_the_history_along() {
        let rehearsed = rehearsed(&cib(), &exchanges(&cib()), Side::Ours);
        let history = |id: &str| agent_of(rehearsed.by_id(id).unwrap());
        let status = rehearsed.child("status").unwrap();
        assert_eq!(agent_of(status.by_id("KaiwuDB").unwrap()), "ocf:kaiwudb:kaiwudb");
        assert_eq!(history("KaiwuData:0"), "ocf:kaiwudb:drbd-promotable");
    }

    /// The history's digests are those of the parameters of before.
    #[test]
    fn the_rehearsal_keeps_the_parameters() {
        let mut exchanges = exchanges(&cib());
        exchanges[1].ours = exchanges[1].ours.replace("value=\"drbd3\"", "value=\"other\"");
        let rehearsed = rehearsed(&cib(), &exchanges, Side::Ours);
        let data = primitive(&rehearsed, "KaiwuData").unwrap();
        assert_eq!(agent_of(data), "ocf:kaiwudb:drbd-promotable");
        assert!(data.text().contains("value=\"drbd3\"") && !data.text().contains("value=\"other\""));
    }

    #[test]
    fn a_probe_counts_when_it_is_the_present_agents_and_has_come_back() {
        let mut changed = cib();
        assert_eq!(probe(&changed, "KaiwuDB", "node1"), None);
        exchange(&mut changed, &exchanges(&cib()), Side::Ours);
        let history = find(&mut changed, &|element| element.name == "lrm_resources").unwrap();
        history.children = vec![
            Element::parse(
                r#"<lrm_resource id="KaiwuDB" class="ocf" provider="kaiwudb" type="kaiwudb">
                <lrm_rsc_op id="a" operation="monitor" interval="10000" rc-code="1" op-status="0"/>
                <lrm_rsc_op id="b" operation="monitor" interval="0" rc-code="193" op-status="-1"/></lrm_resource>"#,
            )
            .unwrap(),
        ];
        assert_eq!(probe(&changed, "KaiwuDB", "node1"), None);
        let operation = changed.by_id_mut("b").unwrap();
        operation.set("op-status", "0");
        operation.set("rc-code", "7");
        operation.set("exit-reason", "because");
        assert_eq!(
            probe(&changed, "KaiwuDB", "node1"),
            Some((7, "because".to_owned()))
        );
        assert_eq!(probe(&changed, "KaiwuDB", "node2"), None);
    }
}
