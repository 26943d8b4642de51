//! Whether a failure that is about to be counted would leave something with no node to run on.
//!
//! `migration-threshold` is meant for a node that is broken: the resource moves to another one. Where the others are banned already, or
//! cannot run it for any other reason, it would only stay stopped until `failure-timeout`, although it could serve meanwhile.

use crate::cib::{self, Cib, INFINITY};
use crate::status::{self, Status};
use crate::xml::Element;
use crate::{Error, simulate};
use host::Deadline;

/// The only node that can still run what this failure would ban from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastPlace {
    /// The threshold that the failure would reach.
    pub threshold: u64,
    /// What the count of the failed operation has to be before the failure is counted, so that it stays one below the threshold.
    /// May be negative: Pacemaker adds up the operations' counts.
    pub before: i64,
}

/// Asks Pacemaker's scheduler what would become of the failure of `operation` (`monitor_10000`): `None` when all that runs now runs
/// somewhere afterwards, and where the cluster does not manage the resource. It takes some 0.1 s, and that only of a failure that would ban.
pub fn find(
    resource: &str,
    node: &str,
    operation: &str,
    deadline: Deadline,
) -> Result<Option<LastPlace>, Error> {
    let mut document = cib::query(deadline)?;
    let cib = cib::of(&document).map_err(|why| Error::Answer("cibadmin", why))?;
    let Some(place) = banned_by(&document, &cib, resource, node, operation) else {
        return Ok(None);
    };
    let now = status::of(&document, deadline)?;
    if !now.manages(resource, node) {
        return Ok(None);
    }
    count(&mut document, resource, node, operation, place.threshold);
    let then = status::of(&simulate::outcome(&document, &[], deadline)?, deadline)?;
    Ok(loses(&now, &then).then_some(place))
}

/// The place that one more failure of the operation would close.
fn banned_by(
    document: &Element,
    cib: &Cib,
    resource: &str,
    node: &str,
    operation: &str,
) -> Option<LastPlace> {
    // A count of INFINITY is that of a start or a stop, which bans wherever it fails.
    let infinity = i64::try_from(INFINITY).ok()?;
    let threshold = cib.migration_threshold(resource);
    let limit = i64::try_from(threshold).ok().filter(|limit| *limit < infinity)?;
    let prefix = format!("fail-count-{resource}#");
    let counts = attributes(document, node).filter_map(|(name, value)| {
        let count = if value.ends_with("INFINITY") {
            infinity
        } else {
            value.parse().unwrap_or(0)
        };
        Some((name.strip_prefix(&prefix)?, count))
    });
    let (own, others): (Vec<_>, Vec<_>) = counts.partition(|(name, _)| *name == operation);
    let sum = |counts: &[(&str, i64)]| counts.iter().map(|(_, count)| count).sum::<i64>();
    let all = sum(&own) + sum(&others);
    (all < infinity && all + 1 >= limit).then(|| LastPlace {
        threshold,
        before: limit - 2 - sum(&others),
    })
}

/// The transient attributes of a node.
fn attributes<'a>(document: &'a Element, node: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let states = document.path(&["status", "node_state"]).into_iter();
    let own = states.filter(move |state| state.get("uname") == Some(node));
    let own: Vec<&Element> = own
        .flat_map(|state| state.path(&["transient_attributes", "instance_attributes", "nvpair"]))
        .collect();
    own.into_iter()
        .filter_map(|pair| Some((pair.get("name")?, pair.get("value")?)))
}

/// Writes the failure into a copy of the state, as the controller would.
fn count(document: &mut Element, resource: &str, node: &str, operation: &str, failures: u64) {
    let Some(state) = document
        .child_or_new("status")
        .children
        .iter_mut()
        .find(|state| state.get("uname") == Some(node))
    else {
        return;
    };
    let attributes = state.child_or_new("transient_attributes");
    if attributes.get("id").is_none() {
        attributes.set("id", "last-place");
    }
    let set = attributes.child_or_new("instance_attributes");
    if set.get("id").is_none() {
        set.set("id", "last-place-attributes");
    }
    let values = [
        ("fail-count", failures.to_string()),
        // One that is older than failure-timeout would not count.
        ("last-failure", host::now_seconds().to_string()),
    ];
    for (what, value) in values {
        let name = format!("{what}-{resource}#{operation}");
        set.children.retain(|pair| pair.get("name") != Some(&name));
        let pair = Element::new("nvpair")
            .with("id", &format!("last-place-{what}"))
            .with("name", &name)
            .with("value", &value);
        set.children.push(pair);
    }
}

/// Whether something runs `now`, or is promoted, and `then` nowhere.
fn loses(now: &Status, then: &Status) -> bool {
    let runs = |status: &Status, resource: &str| status.instances_of(resource).any(|one| one.active);
    let is_promoted = |status: &Status, resource: &str| status.promoted_on(resource).next().is_some();
    now.instances.iter().any(|one| {
        let resource = one.resource.as_str();
        (runs(now, resource) && !runs(then, resource))
            || (is_promoted(now, resource) && !is_promoted(then, resource))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Instance;

    fn document(threshold: &str, counts: &[(&str, &str)]) -> Element {
        let pairs: Vec<String> = counts
            .iter()
            .map(|(operation, count)| {
                format!("<nvpair id=\"c-{operation}\" name=\"fail-count-Db#{operation}\" value=\"{count}\"/>")
            })
            .collect();
        let pairs = pairs.concat();
        Element::parse(&format!(
            "<cib><configuration><crm_config/><nodes/><resources><primitive id=\"Db\" class=\"ocf\" provider=\"kaiwudb\" type=\"kaiwudb\">\
             <meta_attributes id=\"m\"><nvpair id=\"t\" name=\"migration-threshold\" value=\"{threshold}\"/></meta_attributes></primitive>\
             </resources><constraints/></configuration><status><node_state uname=\"other\"><transient_attributes><instance_attributes>\
             <nvpair id=\"o\" name=\"fail-count-Db#asyncmon_0\" value=\"7\"/></instance_attributes></transient_attributes></node_state>\
             <node_state uname=\"own\"><transient_attributes id=\"t\"><instance_attributes id=\"i\">{pairs}\
             <nvpair id=\"x\" name=\"fail-count-Db2#asyncmon_0\" value=\"7\"/></instance_attributes></transient_attributes></node_state>\
             </status></cib>"
        ))
        .unwrap()
    }

    fn before(threshold: &str, counts: &[(&str, &str)]) -> Option<i64> {
        let document = document(threshold, counts);
        let cib = cib::of(&document).unwrap();
        banned_by(&document, &cib, "Db", "own", "asyncmon_0").map(|place| place.before)
    }

    #[test]
    fn a_failure_that_bans_is_known() {
        assert_eq!(before("2", &[]), None);
        assert_eq!(before("2", &[("asyncmon_0", "1")]), Some(0));
        assert_eq!(before("2", &[("asyncmon_0", "5")]), Some(0));
        // The operations' counts are added up.
        assert_eq!(before("2", &[("monitor_10000", "1")]), Some(-1));
        assert_eq!(
            before("3", &[("monitor_10000", "1"), ("asyncmon_0", "1")]),
            Some(0)
        );
        assert_eq!(before("1", &[]), Some(-1));
        // Whoever cannot start may not run here, whatever failed now.
        assert_eq!(before("2", &[("start_0", "INFINITY")]), None);
        for never in ["INFINITY", "0", "-1", "many", "1000000"] {
            assert_eq!(before(never, &[("asyncmon_0", "9")]), None, "{never}");
        }
    }

    #[test]
    fn the_failure_is_written_into_the_copy() {
        let mut copy = document("2", &[("asyncmon_0", "1")]);
        count(&mut copy, "Db", "own", "asyncmon_0", 2);
        let found: Vec<_> = attributes(&copy, "own")
            .filter(|(name, _)| name.ends_with("Db#asyncmon_0"))
            .collect();
        assert_eq!(found[0], ("fail-count-Db#asyncmon_0", "2"));
        assert_eq!((found.len(), found[1].0), (2, "last-failure-Db#asyncmon_0"));
        assert!(attributes(&copy, "other").any(|pair| pair == ("fail-count-Db#asyncmon_0", "7")));
    }

    #[test]
    fn what_runs_nowhere_afterwards_is_lost() {
        let instance = |resource: &str, active, role| Instance {
            resource: resource.to_owned(),
            agent: "ocf:kaiwudb:kaiwudb".to_owned(),
            node: Some("own".to_owned()),
            active,
            starting: false,
            role,
            managed: true,
            failed: false,
        };
        let status = |instances: &[Instance]| Status {
            instances: instances.to_vec(),
            ..Status::default()
        };
        let promoted = Some(ocf::Role::Promoted);
        let runs = status(&[instance("Db", true, None), instance("Disk", true, promoted)]);
        assert!(!loses(&runs, &runs));
        assert!(loses(&runs, &status(&[instance("Disk", true, promoted)])));
        assert!(loses(
            &runs,
            &status(&[instance("Db", true, None), instance("Disk", true, None)])
        ));
        let stopped = status(&[instance("Db", false, None)]);
        assert!(!loses(&stopped, &status(&[])), "what does not run cannot be lost");
    }
}
