//! The plan: what is wanted, what there is, and the difference.

use super::sources::{Missing, Sources};
use super::wanted::{Wanted, wanted};
use crate::texts::plan as texts;
use anyhow::{Result, bail};
use pacemaker::compare::{Change, Changes, compare};
use pacemaker::live::Live;
use pacemaker::merge;
use pacemaker::xml::Element;
use site::cluster;
use site::context::Context;
use site::node::Node;
use site::roles::{Roles, Site};

/// What has been found out before anything is wanted.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) live: Live,
    pub(crate) nodes: Vec<Node>,
    pub(crate) site: Site,
}

/// What is there, what is wanted, and what has to change for it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) found: Found,
    pub(crate) wanted: Wanted,
    pub(crate) changes: Changes,
}

impl Found {
    /// Asks the cluster and the nodes.
    pub(crate) fn gather(context: &Context) -> Result<Self> {
        let live = Live::get()?;
        let nodes = cluster::nodes_of(context, &live.cib)?;
        let site = cluster::site(context, &nodes);
        let doubts = Roles::of(&live.cib, &site).doubts;
        // Without anybody to ask, all that is missing is listed with the settings' lines for it.
        match doubts.into_iter().find(|doubt| !doubt.choices().is_empty()) {
            Some(doubt) if context.can_ask => Err(cluster::Undecided::new(context, doubt).into()),
            _ => Ok(Self { live, nodes, site }),
        }
    }

    /// As a source of what is wanted.
    pub(crate) fn sources<'a>(&'a self, context: &'a Context) -> Sources<'a> {
        Sources {
            context,
            live: &self.live,
            nodes: &self.nodes,
            site: &self.site,
        }
    }
}

impl Plan {
    /// Makes a plan; or tells what is missing.
    pub(crate) fn make(context: &Context) -> Result<Result<Self, Vec<Missing>>> {
        let found = Found::gather(context)?;
        Ok(wanted(&found.sources(context)).map(|wanted| Self {
            changes: compare(&found.live, &wanted.configuration),
            found,
            wanted,
        }))
    }

    /// The configuration with the changes in it.
    pub(crate) fn merged(&self) -> Element {
        merge::merge(&self.found.live, &self.changes)
    }

    /// Whether the cluster runs this resource of DRBD already.
    pub(crate) fn has_resource(&self, resource: &str) -> bool {
        let mut primitives = self.found.live.cib.primitives();
        primitives.any(|one| one.parameter("drbd_resource") == Some(resource))
    }

    /// A running resource is not given another agent in passing.
    pub(crate) fn refuse_other_agents(&self, context: &Context) -> Result<()> {
        for change in &self.changes.changes {
            if let Change::Agent { resource, old } = change {
                let values = [
                    ("resource", resource.id.as_str()),
                    ("old", old),
                    ("new", &resource.agent),
                ];
                bail!(texts::OTHER_AGENT.fill(context.language, &values));
            }
        }
        Ok(())
    }
}
