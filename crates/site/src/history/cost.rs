//! What an incident has cost clients: from when to when the database, or its address, did not serve. Only what records say.

use super::event::{Event, What};
use super::record::Resources;
use serde::{Deserialize, Serialize};

/// What is known of the outage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Whether the database stopped to serve at all, as far as is known.
    pub interrupted: bool,
    /// Since when it did not serve, microseconds since 1970.
    pub from: Option<i64>,
    /// Whether it stopped to serve earlier than `from`, which is only when that was noticed.
    pub earlier: bool,
    /// Until when.
    pub to: Option<i64>,
    /// Where it served before.
    pub before: Option<String>,
    /// Where it serves afterwards.
    pub after: Option<String>,
}

impl Cost {
    /// How long, in microseconds.
    pub fn length(&self) -> Option<i64> {
        Some(self.to? - self.from?)
    }
}

/// The cost of the incident with these `own` events, which began at `began`; `all` events tell where the database was before.
pub(super) fn of(own: &[Event], all: &[Event], began: i64, resources: &Resources) -> Cost {
    let is_up = |event: &&Event| {
        event.subject == resources.database && event.what == What::Done && event.detail == "start"
    };
    let is_address = |event: &Event| resources.addresses.contains(&event.subject);
    let mut cost = Cost {
        before: all
            .iter()
            .filter(|event| event.at < began)
            .rfind(is_up)
            .map(|event| event.node.clone()),
        ..Cost::default()
    };
    if cost.before.is_none() {
        // What is stopped there has run there.
        let stopped = own.iter().find(|event| {
            event.subject == resources.database && event.what == What::Begun && event.detail == "stop"
        });
        // What is started elsewhere after a node was lost has run on that node.
        let lost = own.iter().find(|lost| {
            let elsewhere = |event: &Event| is_up(&event) && event.node != lost.node && event.at > lost.at;
            lost.what == What::NodeLost && own.iter().any(elsewhere)
        });
        cost.before = stopped.or(lost).map(|event| event.node.clone());
    }
    let is_fenced = |node: &str| {
        let mut all = own.iter();
        all.any(|event| event.what == What::Fenced && event.node == node)
    };
    // The node that the other one has lost may be the one that fences, and serves on.
    let serves_on = own
        .iter()
        .any(|event| event.what == What::Fenced && cost.before.as_ref() != Some(&event.node))
        && cost.before.as_ref().is_some_and(|before| !is_fenced(before));
    let mut down_address = false;
    let mut down_database = false;
    for event in own {
        let is_database = event.subject == resources.database;
        let (database, address) = match event.what {
            What::Crashed => (true, false),
            What::ServerEnded | What::ServerHung | What::DiskStalled => (is_database, false),
            What::Begun if event.detail == "stop" => (is_database, is_address(event)),
            What::AddressRemoved => (false, true),
            What::NodeLost => {
                let it = cost.before.as_ref() == Some(&event.node) && !serves_on;
                (it, it)
            }
            _ => (false, false),
        };
        if database || address {
            if !down_database && !down_address {
                let silent = silent_for(event);
                cost.from.get_or_insert(event.at - silent);
                cost.earlier |= matches!(
                    event.what,
                    What::NodeLost | What::AddressRemoved | What::DiskStalled
                );
                cost.interrupted = true;
            }
            cost.to = None;
            down_database |= database;
            down_address |= address;
        }
        if event.what == What::Done && event.detail == "start" {
            if is_database {
                down_database = false;
                cost.after = Some(event.node.clone());
            }
            if is_address(event) {
                down_address = false;
            }
            if cost.interrupted && !down_database && !down_address {
                cost.to.get_or_insert(event.at);
            }
        }
    }
    cost
}

/// For how long the server had not served when that was reported: `… has not served for 10 s`.
fn silent_for(event: &Event) -> i64 {
    let seconds = event
        .detail
        .split(" for ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse::<i64>().ok());
    match event.what {
        What::ServerHung | What::DiskStalled => seconds.unwrap_or(0) * 1_000_000,
        _ => 0,
    }
}
