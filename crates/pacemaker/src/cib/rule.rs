//! Values that hold for some nodes, operations or agents only: attribute sets with rules.

use crate::xml::Element;

/// Only Pacemaker can tell whether a rule holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Undecided;

/// What a value is asked for; what is not known is [`None`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subject<'a> {
    /// Name of the node.
    pub(super) node: Option<&'a str>,
    /// Name of the operation.
    pub(super) operation: Option<&'a str>,
    /// The element that names the agent.
    pub(super) agent: Option<&'a Element>,
}

/// The value that counts for the subject: the one of the set with the highest score whose rule holds.
pub(super) fn value_for<'a>(
    sets: impl IntoIterator<Item = &'a Element>,
    name: &str,
    subject: Subject<'_>,
) -> Result<Option<&'a str>, Undecided> {
    let mut sets: Vec<&Element> = sets.into_iter().collect();
    sets.sort_by_key(|set| -set.get("score").map_or(0, score));
    for set in sets {
        let Some(pair) = set.all("nvpair").find(|pair| pair.get("name") == Some(name)) else {
            continue;
        };
        let is_in_force = set.child("rule").map_or(Some(true), |rule| holds(rule, subject));
        if is_in_force.ok_or(Undecided)? {
            return Ok(pair.get("value"));
        }
    }
    Ok(None)
}

/// A score as a number; what is none counts as 0.
pub(super) fn score(text: &str) -> i64 {
    match text.trim_start_matches('+') {
        "INFINITY" => 1_000_000,
        "-INFINITY" => -1_000_000,
        number => number.parse().unwrap_or(0),
    }
}

/// Whether the rule holds; `None` where it depends on something that is not known here.
fn holds(rule: &Element, subject: Subject<'_>) -> Option<bool> {
    let parts = rule.children.iter().map(|part| match part.name.as_str() {
        "rule" => holds(part, subject),
        "expression" => on_node(part, subject.node?),
        // For one interval only, which may be any.
        "op_expression" if part.get("interval").is_some() => None,
        "op_expression" => Some(part.get("name") == Some(subject.operation?)),
        "rsc_expression" => Some(is_agent(part, subject.agent?)),
        _ => None,
    });
    // One part may decide it whatever the others are.
    let decisive = rule.get("boolean-op") == Some("or");
    let mut are_known = true;
    for part in parts {
        match part {
            Some(part) if part == decisive => return Some(decisive),
            Some(_) => {}
            None => are_known = false,
        }
    }
    are_known.then_some(!decisive)
}

/// Node names are compared without regard to case.
fn on_node(expression: &Element, node: &str) -> Option<bool> {
    let value = expression
        .get("value")
        .filter(|_| expression.get("attribute") == Some("#uname"))?;
    match expression.get("operation")? {
        "eq" => Some(value.eq_ignore_ascii_case(node)),
        "ne" => Some(!value.eq_ignore_ascii_case(node)),
        _ => None,
    }
}

fn is_agent(expression: &Element, agent: &Element) -> bool {
    ["class", "provider", "type"].iter().all(|name| {
        expression
            .get(name)
            .is_none_or(|wanted| agent.get(name) == Some(wanted))
    })
}
