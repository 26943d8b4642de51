//! The changes as text for `crm configure load update FILE`, which commits them in one step.

use super::script::{self, assignments};
use ocf::{NamedRole, Role};
use pacemaker::compare::{Change, Value};
use pacemaker::model::{Constraint, Primitive, Resource, Spelling};
use pacemaker::xml::Element;
use site::shell::quote;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A value that crmsh does not read as it was meant, in any notation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) resource: String,
    pub(crate) name: String,
}

/// The text; `merged` is the configuration with the changes in it.
pub(crate) fn text(changes: &[Change], merged: &Element, spelling: Spelling) -> Result<String, Unreadable> {
    let mut text = String::new();
    // A new object is written in crmsh's words, one that is changed as it will be: crmsh replaces it as a whole.
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    let mut constraints = String::new();
    let mut sets: Vec<(&str, &str, &Value)> = Vec::new();
    for change in changes {
        match change {
            Change::Property(value) => sets.push(("property", "crm_config", value)),
            Change::Default(value) => sets.push(("rsc_defaults", "rsc_defaults", value)),
            Change::Add(resource) => add(&mut text, resource, merged, spelling)?,
            Change::AddMember { group, member, .. } => {
                new(&mut text, member, merged, spelling)?;
                changed.insert(group);
            }
            Change::Parameter { resource, .. }
            | Change::Meta { resource, .. }
            | Change::AddOperation { resource, .. }
            | Change::Operation { resource, .. } => {
                changed.insert(resource);
            }
            // There is no script for that: the caller refuses before.
            Change::Agent { .. } => {}
            Change::Constrain(constraint) => {
                let _ = writeln!(constraints, "{}", self::constraint(constraint, spelling));
            }
            Change::Alert(alert) => {
                let _ = writeln!(constraints, "alert {} {}", alert.id, quote(&alert.path));
            }
        }
    }
    for id in changed {
        if let Some(element) = merged.by_id(id) {
            existing(&mut text, element)?;
        }
    }
    Ok(assign(merged, &sets) + &text + &constraints)
}

/// One line for each set of options: crmsh does not take two.
fn assign(merged: &Element, values: &[(&str, &str, &Value)]) -> String {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for (word, section, value) in values {
        let set = merged.child(section).and_then(|section| {
            section.children.iter().find(|set| {
                set.children
                    .iter()
                    .any(|pair| pair.get("name") == Some(&value.name))
            })
        });
        let id = set.and_then(|set| set.get("id")).unwrap_or_default();
        let line = lines.entry(format!("{word} {id}:")).or_default();
        let _ = write!(line, " {}", quote(&format!("{}={}", value.name, value.new)));
    }
    lines
        .iter()
        .map(|(head, rest)| format!("{head}{rest}\n"))
        .collect::<Vec<_>>()
        .concat()
}

fn add(
    text: &mut String,
    resource: &Resource,
    merged: &Element,
    spelling: Spelling,
) -> Result<(), Unreadable> {
    for one in resource.primitives() {
        new(text, one, merged, spelling)?;
    }
    match resource {
        Resource::Primitive(_) => {}
        Resource::Group { id, members } => {
            let members: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
            let _ = writeln!(text, "group {id} {}", members.join(" "));
        }
        Resource::Promotable {
            id,
            meta,
            primitive: one,
        } => {
            let _ = writeln!(text, "clone {id} {} meta{}", one.id, assignments(meta));
        }
    }
    Ok(())
}

/// In crmsh's words where nothing has to be quoted, otherwise in XML: words it takes apart a second time after a shell's rules, and what is
/// not ASCII becomes the text of a character reference there (4.4).
fn new(text: &mut String, one: &Primitive, merged: &Element, spelling: Spelling) -> Result<(), Unreadable> {
    let mut values = one.parameters.iter().chain(&one.meta).map(|(_, value)| value);
    let is_plain = values.all(|value| quote(value) == *value);
    match merged.by_id(&one.id) {
        Some(element) if !is_plain => existing(text, element),
        _ => {
            primitive(text, one, spelling);
            Ok(())
        }
    }
}

/// Whether crmsh (4.4) leaves the value of an object in XML as it is. It writes objects as words for itself, without regard to a backslash,
/// and reads a character reference that it has made beside one of XML's own characters as the end of the value.
fn is_readable(value: &str) -> bool {
    !value.contains('\\') && (value.is_ascii() || !value.contains(['"', '&', '<', '>', '\'']))
}

fn primitive(text: &mut String, one: &Primitive, spelling: Spelling) {
    let _ = write!(text, "primitive {} {}", one.id, one.agent);
    if !one.parameters.is_empty() {
        let _ = write!(text, " \\\n    params{}", assignments(&one.parameters));
    }
    if !one.meta.is_empty() {
        let _ = write!(text, " \\\n    meta{}", assignments(&one.meta));
    }
    for operation in &one.operations {
        let _ = write!(text, " \\\n    op {}", script::operation(operation, spelling));
    }
    text.push('\n');
}

/// An object as it will be.
fn existing(text: &mut String, element: &Element) -> Result<(), Unreadable> {
    let id = element.get("id").unwrap_or_default();
    if element.name == "group" {
        let members: Vec<&str> = element
            .all("primitive")
            .filter_map(|member| member.get("id"))
            .collect();
        let _ = writeln!(text, "group {id} {}", members.join(" "));
        return Ok(());
    }
    let pairs = ["instance_attributes", "meta_attributes"].map(|set| element.path(&[set, "nvpair"]));
    for pair in pairs.iter().flatten() {
        if !pair.get("value").is_none_or(is_readable) {
            return Err(Unreadable {
                resource: id.to_owned(),
                name: pair.get("name").unwrap_or_default().to_owned(),
            });
        }
    }
    let line: String = element.text().lines().map(str::trim).collect();
    // Of several spaces crmsh keeps one.
    let _ = writeln!(text, "xml {}", line.replace("  ", "&#32;&#32;"));
    Ok(())
}

fn constraint(constraint: &Constraint, spelling: Spelling) -> String {
    let id = constraint.id();
    match constraint {
        Constraint::Colocation {
            resource,
            with,
            promoted,
        } => {
            let role = if *promoted {
                format!(":{}", spelling.of(NamedRole::As(Role::Promoted)))
            } else {
                String::new()
            };
            format!("colocation {id} inf: {resource} {with}{role}")
        }
        Constraint::Order {
            first,
            promote,
            then,
            symmetrical,
        } => {
            let action = if *promote { "promote" } else { "start" };
            let reverse = if *symmetrical { "" } else { " symmetrical=false" };
            format!("order {id} Mandatory: {first}:{action} {then}:start{reverse}")
        }
        Constraint::Avoids { resource, node } => format!("location {id} {resource} -inf: {node}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::resources;

    const WIZARD: &str = include_str!("../../../../packaging/crmsh/kaiwudb/main.yml");

    /// The wizard is text of its own: what it says about our resources must be what we say.
    #[test]
    fn the_wizard_says_the_same() {
        let names = |one: Primitive| {
            let mut text = String::new();
            primitive(&mut text, &one, Spelling::Promoted);
            text.replace("=Promoted", "={{promoted}}")
                .replace("=Unpromoted", "={{unpromoted}}")
        };
        for text in [
            names(resources::database("KaiwuDB", &[])),
            names(resources::certificates("KaiwuCerts", &[])),
            names(resources::drbd("KaiwuData", "{{drbd_resource}}")),
            names(resources::file_system("KaiwuFS", Vec::new())),
            names(resources::address("ClusterIP", Vec::new())),
        ] {
            let (head, operations) = text.split_once(" \\\n").unwrap();
            let section = WIZARD.split_once(head).unwrap_or_else(|| panic!("no '{head}'")).1;
            let section = section.split("primitive ").next().unwrap();
            for line in operations.lines().map(|line| line.trim().trim_end_matches(" \\")) {
                let known = line.starts_with("params") || section.lines().any(|one| one.trim() == line);
                assert!(known, "{head}: the wizard lacks '{line}'");
            }
            let count = |text: &str| text.lines().filter(|line| line.trim().starts_with("op ")).count();
            assert_eq!(count(section), count(operations), "{head}");
        }
        let meta = assignments(&resources::drbd_clone());
        assert!(WIZARD.contains(&format!("meta{meta}\n")), "{meta}");
    }
}
