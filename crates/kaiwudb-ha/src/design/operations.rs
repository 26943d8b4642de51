//! What our agents' own tables say: the operations that they advise, with their times.

use ocf::{Action, CheckLevel, NamedRole};
use pacemaker::model::Operation;
use site::tables::table;
use std::time::Duration;

/// What Pacemaker runs of its own accord; the rest (`validate-all`, `reload`, …) keeps the default timeout.
const RUN: [Action; 5] = [
    Action::Start,
    Action::Stop,
    Action::Promote,
    Action::Demote,
    Action::Monitor,
];

/// The operations that one of our agents advises.
pub(crate) fn operations(agent: &str) -> Vec<Operation> {
    let specs = table(agent).map_or(&[][..], |table| table.actions);
    specs
        .iter()
        .filter(|spec| RUN.contains(&spec.action))
        .map(|spec| Operation {
            name: spec.action.name().to_owned(),
            interval: seconds(spec.interval.unwrap_or_default()),
            timeout: seconds(spec.timeout),
            role: spec.role.map(NamedRole::As),
            depth: spec.depth.map_or(0, CheckLevel::number),
        })
        .collect()
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocf::Role;
    use site::roles;

    fn of(agent: &str, name: &str) -> Vec<Operation> {
        operations(agent)
            .into_iter()
            .filter(|operation| operation.name == name)
            .collect()
    }

    #[test]
    fn every_agent_advises_its_operations() {
        for agent in [
            roles::DATABASE,
            roles::CERTIFICATES,
            roles::DRBD,
            roles::FILE_SYSTEM,
            roles::ADDRESS,
        ] {
            for name in ["start", "stop", "monitor"] {
                let found = of(agent, name);
                assert!(
                    !found.is_empty() && found.iter().all(|operation| operation.timeout != "0s"),
                    "{agent} {name}: {found:?}"
                );
            }
        }
        assert_eq!(of(roles::DATABASE, "start")[0].timeout, "600s");
        let monitors = of(roles::DATABASE, "monitor");
        assert_eq!((monitors[0].depth, monitors[1].depth), (0, 10));
        let roles: Vec<Option<NamedRole>> = of(roles::DRBD, "monitor")
            .iter()
            .map(|operation| operation.role)
            .collect();
        assert_eq!(
            roles,
            [
                Some(NamedRole::As(Role::Unpromoted)),
                Some(NamedRole::As(Role::Promoted))
            ]
        );
        assert!(of(roles::DATABASE, "reload").is_empty());
        assert!(operations("ocf:heartbeat:IPaddr2").is_empty());
    }
}
