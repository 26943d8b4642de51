//! What happens, one after the other.

use crate::scheduler::Scheduler;
use crate::world::{DATA, NODES, World};
use pacemaker::xml::Element;
use std::fmt;

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node is gone, and nothing knows what it does.
    NodeFails(&'static str),
    /// A node is shut down.
    NodeStops(&'static str),
    /// A node boots.
    NodeReturns(&'static str),
    /// A monitor fails.
    Fails(String, &'static str, u64),
    /// Standby, or its end.
    Standby(&'static str, bool),
    /// The DRBD agent writes another promotion score; `None` for none.
    Score(&'static str, Option<u64>),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeFails(node) => write!(f, "{node} fails"),
            Self::NodeStops(node) => write!(f, "{node} shuts down"),
            Self::NodeReturns(node) => write!(f, "{node} returns"),
            Self::Fails(resource, node, _) => write!(f, "{resource} fails on {node}"),
            Self::Standby(node, true) => write!(f, "{node} goes into standby"),
            Self::Standby(node, false) => write!(f, "{node} leaves standby"),
            Self::Score(node, Some(score)) => write!(f, "the promotion score of {node} becomes {score}"),
            Self::Score(node, None) => write!(f, "{node} loses its promotion score"),
        }
    }
}

impl Event {
    /// Everything that can happen now.
    pub fn all(world: &World) -> Vec<Self> {
        let mut events = Vec::new();
        for node in NODES {
            if !world.is_online(node) {
                events.push(Self::NodeReturns(node));
                continue;
            }
            events.push(Self::NodeFails(node));
            events.push(Self::NodeStops(node));
            events.push(Self::Standby(node, !world.is_standby(node)));
            for resource in world.resources() {
                for instance in world.instances(&resource).iter().filter(|one| one.node == node) {
                    if let Some(interval) = world.monitor_interval(&resource, instance.promoted) {
                        events.push(Self::Fails(resource.clone(), node, interval));
                    }
                }
            }
            let unpromoted = |one: &crate::world::Instance| one.node == node && !one.promoted;
            if world.instances(DATA).iter().any(unpromoted) {
                events
                    .extend([None, Some(10), Some(1000), Some(10_000)].map(|score| Self::Score(node, score)));
            }
        }
        events
    }

    /// Whether it is no business of what runs on that node.
    pub fn is_elsewhere(&self, node: &str) -> bool {
        let on = match self {
            Self::NodeFails(on)
            | Self::NodeStops(on)
            | Self::NodeReturns(on)
            | Self::Fails(_, on, _)
            | Self::Standby(on, _)
            | Self::Score(on, _) => *on,
        };
        on != node
    }

    /// The world after it, when the cluster has done what it then does.
    pub fn happen(&self, world: &World, scheduler: &Scheduler) -> Result<World, String> {
        let mut world = world.clone();
        let mut options = Vec::new();
        match self {
            Self::NodeFails(node) => options.push(format!("--node-fail={node}")),
            Self::NodeStops(node) => {
                // It leaves its resources first.
                standby(&mut world, node, true);
                world = settle(&world, scheduler, Vec::new())?;
                standby(&mut world, node, false);
                forget(&mut world, node);
                options.push(format!("--node-down={node}"));
            }
            Self::NodeReturns(node) => {
                forget(&mut world, node);
                options.push(format!("--node-up={node}"));
            }
            Self::Fails(resource, node, interval) => {
                options.push(format!("--op-inject={resource}_monitor_{interval}@{node}=1"));
            }
            Self::Standby(node, on) => standby(&mut world, node, *on),
            Self::Score(node, score) => {
                let score = score.map(|score| score.to_string());
                world.set_attribute(node, &format!("master-{DATA}"), score.as_deref());
                return scheduler.outcome(&world.cib, &[]).map(|cib| World { cib });
            }
        }
        settle(&world, scheduler, options)
    }
}

/// Until nothing moves: the agent writes scores after what the scheduler has done.
pub fn settle(world: &World, scheduler: &Scheduler, mut options: Vec<String>) -> Result<World, String> {
    let mut world = world.clone();
    for _ in 0..4 {
        world.cib = scheduler.outcome(&world.cib, &options)?;
        options.clear();
        if !world.write_scores() {
            break;
        }
    }
    Ok(world)
}

fn standby(world: &mut World, node: &str, on: bool) {
    let Some(nodes) = world
        .cib
        .child_or_new("configuration")
        .children
        .iter_mut()
        .find(|one| one.name == "nodes")
    else {
        return;
    };
    if let Some(own) = nodes
        .children
        .iter_mut()
        .find(|one| one.get("uname") == Some(node))
    {
        own.children.clear();
        if on {
            let pair = Element::new("nvpair")
                .with("id", &format!("standby-{node}"))
                .with("name", "standby")
                .with("value", "on");
            let mut set = Element::new("instance_attributes").with("id", &format!("nodes-{node}"));
            set.children.push(pair);
            own.children.push(set);
        }
    }
}

/// A node that begins anew has no history and no attributes.
fn forget(world: &mut World, node: &str) {
    if let Some(state) = world.state_mut(node) {
        state.children.clear();
    }
}
