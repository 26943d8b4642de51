//! Where the database has been, and why it moved: counted by looking, so a move there and back between two looks is none.

use crate::kept::Keep;
use pacemaker::status::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// After so many seconds without a look nobody can say why.
const FRESH: i64 = 300;
/// How often the time of the last look is worth a write, in seconds.
const WORTH_A_WRITE: i64 = 60;

/// Why it moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The node was lost.
    NodeLost,
    /// Somebody has put the node into standby.
    Standby,
    /// The database failed there.
    DatabaseFailed,
    /// Another resource failed there.
    ResourceFailed,
    /// None of these: it was moved.
    Moved,
    /// Nobody has looked.
    Unknown,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NodeLost,
        Self::Standby,
        Self::DatabaseFailed,
        Self::ResourceFailed,
        Self::Moved,
        Self::Unknown,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NodeLost => "node_lost",
            Self::Standby => "standby",
            Self::DatabaseFailed => "database_failed",
            Self::ResourceFailed => "resource_failed",
            Self::Moved => "moved",
            Self::Unknown => "unknown",
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// The node that had it last.
    pub node: Option<String>,
    /// When it was seen there last, in seconds since 1970.
    pub seen: i64,
    /// When it was seen on another node than before for the last time.
    pub moved: Option<i64>,
    /// How often, by the word of the cause.
    pub counts: BTreeMap<String, u64>,
}

impl Keep for Placement {
    const FILE: &'static str = "placement.json";
}

impl Placement {
    /// After another look; `None` where nothing is worth writing down. While it runs nowhere nothing has moved yet.
    pub fn after(&self, status: &Status, database: &str, now: i64) -> Option<Self> {
        let mut active = status
            .instances_of(database)
            .filter(|one| one.active && !one.failed);
        let here = active.next()?.node.clone()?;
        let mut next = Self {
            node: Some(here.clone()),
            seen: now,
            ..self.clone()
        };
        match self.node.as_deref() {
            Some(before) if before != here => {
                // A clock that was set back makes it old, not young.
                let is_fresh = (0..FRESH).contains(&(now - self.seen));
                let cause = if is_fresh {
                    cause(status, database, before)
                } else {
                    Cause::Unknown
                };
                *next.counts.entry(cause.word().to_owned()).or_default() += 1;
                next.moved = Some(now);
                Some(next)
            }
            Some(_) if (0..WORTH_A_WRITE).contains(&(now - self.seen)) => None,
            _ => Some(next),
        }
    }
}

fn cause(status: &Status, database: &str, before: &str) -> Cause {
    let Some(node) = status.nodes.iter().find(|node| node.name == before) else {
        return Cause::NodeLost;
    };
    let mut failed = status
        .fail_counts
        .iter()
        .filter(|count| count.node == before)
        .peekable();
    if node.unclean || !node.online {
        Cause::NodeLost
    } else if node.standby {
        Cause::Standby
    } else if failed.peek().is_none() {
        Cause::Moved
    } else if failed.any(|count| count.resource == database) {
        Cause::DatabaseFailed
    } else {
        Cause::ResourceFailed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pacemaker::status::{FailCount, Instance, Node};

    fn on(node: &str) -> Status {
        let member = |name: &str| Node {
            name: name.to_owned(),
            online: true,
            ..Node::default()
        };
        Status {
            nodes: vec![member("a"), member("b")],
            instances: vec![Instance {
                resource: "DB".to_owned(),
                agent: String::new(),
                node: Some(node.to_owned()),
                active: true,
                starting: false,
                role: None,
                managed: true,
                failed: false,
            }],
            ..Status::default()
        }
    }

    fn failed(resource: &str) -> Vec<FailCount> {
        vec![FailCount {
            resource: resource.to_owned(),
            node: "a".to_owned(),
            count: 1,
        }]
    }

    type Plant = fn(&mut Status);

    #[test]
    fn a_move_is_counted_with_its_cause() {
        let first = Placement::default().after(&on("a"), "DB", 1000).unwrap();
        assert_eq!((first.node.as_deref(), first.counts.len()), (Some("a"), 0));
        assert_eq!(first.after(&on("a"), "DB", 1030), None, "not worth a write");
        assert_eq!(first.after(&on("a"), "DB", 1090).unwrap().seen, 1090);
        let causes: [(Plant, i64, Cause); 7] = [
            (|status| status.nodes[0].online = false, 1030, Cause::NodeLost),
            (|status| _ = status.nodes.remove(0), 1030, Cause::NodeLost),
            (|status| status.nodes[0].standby = true, 1030, Cause::Standby),
            (
                |status| status.fail_counts = failed("DB"),
                1030,
                Cause::DatabaseFailed,
            ),
            (
                |status| status.fail_counts = failed("FS"),
                1030,
                Cause::ResourceFailed,
            ),
            (|_| {}, 1030, Cause::Moved),
            (|_| {}, 9000, Cause::Unknown),
        ];
        for (plant, now, cause) in causes {
            let mut status = on("b");
            plant(&mut status);
            let moved = first.after(&status, "DB", now).unwrap();
            assert_eq!(moved.counts, BTreeMap::from([(cause.word().to_owned(), 1)]));
            assert_eq!(moved.moved, Some(now));
        }
    }

    #[test]
    fn while_it_runs_nowhere_nothing_has_moved() {
        let first = Placement::default().after(&on("a"), "DB", 1000).unwrap();
        let mut nowhere = on("b");
        nowhere.instances[0].active = false;
        assert_eq!(first.after(&nowhere, "DB", 1030), None);
    }
}
