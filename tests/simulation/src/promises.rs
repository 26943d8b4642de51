//! What must hold after every event.

use crate::events::Event;
use crate::world::{DATA, DATABASE, NODES, World};

/// What is wrong with what became of an event.
pub fn broken(before: &World, event: &Event, after: &World) -> Option<String> {
    let promoted: Vec<String> = (after.instances(DATA).into_iter())
        .filter(|one| one.promoted)
        .map(|one| one.node)
        .collect();
    if promoted.len() > 1 {
        return Some("two instances are promoted".to_owned());
    }
    let database = after.instances(DATABASE);
    if database.len() > 1 {
        return Some("two databases run".to_owned());
    }
    for resource in after.resources().iter().filter(|resource| *resource != DATA) {
        for instance in after.instances(resource) {
            if after.has_data() && promoted.first() != Some(&instance.node) {
                return Some(format!("{resource} is on {}, away from its disk", instance.node));
            }
        }
    }
    if let Some(server) = database.first() {
        for resource in after.resources().iter().filter(|resource| *resource != DATA) {
            if !after
                .instances(resource)
                .iter()
                .any(|one| one.node == server.node)
            {
                return Some(format!("{DATABASE} runs on {} without {resource}", server.node));
            }
        }
    }
    for resource in before.resources().iter().filter(|resource| *resource != DATA) {
        for instance in before.instances(resource) {
            if event.is_elsewhere(&instance.node) && !after.instances(resource).contains(&instance) {
                return Some(format!(
                    "{resource} is stopped or restarted on {}, with which it has nothing to do",
                    instance.node
                ));
            }
        }
    }
    let could = NODES.iter().find(|node| could_serve(after, node));
    let nothing_is_unclean = !NODES.iter().any(|node| after.is_unclean(node));
    match could {
        Some(node) if database.is_empty() && nothing_is_unclean => {
            Some(format!("the database is nowhere, although {node} could run it"))
        }
        _ => None,
    }
}

/// Whether nothing speaks against a node.
fn could_serve(world: &World, node: &str) -> bool {
    let attributes = world.attributes(node);
    let score = attributes.get(&format!("master-{DATA}"));
    world.is_online(node)
        && !world.is_standby(node)
        && (!world.has_data() || score.is_some())
        && !attributes.keys().any(|name| name.starts_with("fail-count-"))
}
