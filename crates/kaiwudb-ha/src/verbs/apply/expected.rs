//! What has to run after the change. What somebody has stopped stays stopped, and with it what cannot run without it: that is no failure.

use ocf::{NamedRole, Role};
use pacemaker::live::Live;
use pacemaker::model::{Configuration, Constraint, Resource};
use std::collections::BTreeSet;

/// Ids of primitives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// What must run, and whether it must be promoted somewhere.
    pub(super) runs: Vec<(String, bool)>,
    /// What somebody keeps from running or from being promoted by the meta attribute `target-role`.
    pub(super) asked: Vec<String>,
    /// What does not run for that reason: some of those, and what depends on them.
    pub(super) stopped: BTreeSet<String>,
}

/// What the configuration and the `target-role`s of the live cluster ask for together.
pub(super) fn expected(wanted: &Configuration, live: &Live) -> Expected {
    let asked: Vec<(String, NamedRole)> = live
        .cib
        .primitives()
        .filter_map(|one| {
            Some((
                one.id.clone(),
                NamedRole::parse(live.cib.meta(one, "target-role")?)?,
            ))
        })
        .filter(|(_, role)| !matches!(role, NamedRole::Started | NamedRole::As(Role::Promoted)))
        .collect();
    let role_of = |id: &str| asked.iter().find(|(one, _)| one == id).map(|(_, role)| *role);
    let mut stopped = BTreeSet::new();
    loop {
        let before = stopped.len();
        for resource in &wanted.resources {
            let mut down = is_held_back(wanted, live, resource, &stopped, &role_of);
            for one in resource.primitives() {
                down |= role_of(&one.id) == Some(NamedRole::Stopped);
                if down {
                    stopped.insert(one.id.clone());
                }
            }
        }
        if stopped.len() == before {
            break;
        }
    }
    let mut runs = Vec::new();
    let mut held = Vec::new();
    for resource in &wanted.resources {
        let promotable = matches!(resource, Resource::Promotable { .. });
        for one in resource.primitives() {
            let role = role_of(&one.id).filter(|role| promotable || *role == NamedRole::Stopped);
            held.extend(role.map(|_| one.id.clone()));
            if !stopped.contains(&one.id) {
                runs.push((one.id.clone(), promotable && role.is_none()));
            }
        }
    }
    Expected {
        runs,
        asked: held,
        stopped,
    }
}

/// Whether something that must have been started or promoted before this resource is not.
fn is_held_back(
    wanted: &Configuration,
    live: &Live,
    resource: &Resource,
    stopped: &BTreeSet<String>,
    role_of: &impl Fn(&str) -> Option<NamedRole>,
) -> bool {
    let cib = &live.cib;
    // A constraint may mean it by the name of what it stands in.
    let is_in = |name: &str, resource: &Resource| {
        let primitives = resource.primitives().iter();
        let mut live = primitives.filter_map(|one| cib.primitives().find(|live| live.id == one.id));
        resource.id() == name || live.any(|one| cib.names(one).contains(&name))
    };
    wanted.constraints.iter().any(|constraint| match constraint {
        Constraint::Order {
            first, promote, then, ..
        } if is_in(then, resource) => wanted
            .resources
            .iter()
            .filter(|one| is_in(first, one))
            .flat_map(Resource::primitives)
            .any(|one| stopped.contains(&one.id) || *promote && role_of(&one.id).is_some()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::resources::{self, named};
    use pacemaker::xml::Element;

    fn wanted() -> Configuration {
        let order = |first: &str, promote: bool, then: &str| Constraint::Order {
            first: first.to_owned(),
            promote,
            then: then.to_owned(),
            symmetrical: promote,
        };
        Configuration {
            resources: vec![
                Resource::Primitive(resources::address("ClusterIP", named(&[("ip", "192.0.2.1")]))),
                Resource::Promotable {
                    id: "KaiwuData-clone".to_owned(),
                    meta: resources::drbd_clone(),
                    primitive: resources::drbd("KaiwuData", "kwdb"),
                },
                Resource::Group {
                    id: "KaiwuDBGrp".to_owned(),
                    members: vec![
                        resources::file_system("KaiwuFS", Vec::new()),
                        resources::database("KaiwuDB", &[]),
                    ],
                },
            ],
            constraints: vec![
                order("KaiwuData-clone", true, "KaiwuDBGrp"),
                order("KaiwuDBGrp", false, "ClusterIP"),
            ],
            ..Configuration::default()
        }
    }

    /// What runs when this resource of the live cluster has that `target-role`.
    fn runs_with(role: &str, on: &str) -> Vec<(String, bool)> {
        let meta = |id: &str| {
            if id == on {
                format!(
                    "<meta_attributes id=\"{id}-m\"><nvpair id=\"{id}-t\" name=\"target-role\" value=\"{role}\"/></meta_attributes>"
                )
            } else {
                String::new()
            }
        };
        let primitive = |id: &str| {
            format!(
                "<primitive id=\"{id}\" class=\"ocf\" provider=\"x\" type=\"y\">{}</primitive>",
                meta(id)
            )
        };
        let text = format!(
            "<cib validate-with=\"pacemaker-3.9\" epoch=\"1\" num_updates=\"0\" admin_epoch=\"0\"><configuration><crm_config/><nodes/>\
             <resources>{}<clone id=\"KaiwuData-clone\">{}{}</clone><group id=\"KaiwuDBGrp\">{}{}{}</group></resources><constraints/>\
             </configuration><status/></cib>",
            primitive("ClusterIP"),
            primitive("KaiwuData"),
            meta("KaiwuData-clone"),
            primitive("KaiwuFS"),
            primitive("KaiwuDB"),
            meta("KaiwuDBGrp"),
        );
        expected(
            &wanted(),
            &Live::of(Element::parse(&text).unwrap(), true).unwrap(),
        )
        .runs
    }

    fn list(ids: &[(&str, bool)]) -> Vec<(String, bool)> {
        ids.iter()
            .map(|(id, promoted)| ((*id).to_owned(), *promoted))
            .collect()
    }

    #[test]
    fn what_somebody_has_stopped_and_what_needs_it_is_not_expected() {
        let all = [
            ("ClusterIP", false),
            ("KaiwuData", true),
            ("KaiwuFS", false),
            ("KaiwuDB", false),
        ];
        assert_eq!(runs_with("Started", "KaiwuDB"), list(&all));
        assert_eq!(runs_with("Master", "KaiwuData-clone"), list(&all));
        assert_eq!(runs_with("Stopped", "ClusterIP"), list(&all[1..]));
        assert_eq!(runs_with("Stopped", "KaiwuDB"), list(&all[1..3]));
        assert_eq!(runs_with("Stopped", "KaiwuDBGrp"), list(&all[1..2]));
        assert_eq!(runs_with("Stopped", "KaiwuFS"), list(&all[1..2]));
        assert_eq!(runs_with("Stopped", "KaiwuData-clone"), []);
        assert_eq!(runs_with("Slave", "KaiwuData"), list(&[("KaiwuData", false)]));
    }
}
