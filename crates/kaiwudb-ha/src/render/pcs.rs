//! The changes as a script for `pcs` 0.10 to 0.12. It works on a copy and loads that in one step, so that nothing starts half configured.

use super::script::{self, assignments};
use ocf::{NamedRole, Role};
use pacemaker::compare::{Change, Value};
use pacemaker::model::{Constraint, Pairs, Primitive, Resource, Spelling};
use site::shell::quote;
use site::stack;
use std::fmt::Write;

/// How this release of `pcs` wants to be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    spelling: Spelling,
    /// `pcs resource defaults update`, since 0.10.7.
    update: bool,
}

impl Dialect {
    /// Of the installed one; of 0.11 where none is installed.
    pub(crate) fn installed() -> Self {
        Self::of(&stack::pcs().unwrap_or_default())
    }

    /// Of this version.
    fn of(version: &str) -> Self {
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
        let mut next = || numbers.next().flatten();
        let (Some(major), Some(minor)) = (next(), next()) else {
            return Self {
                spelling: Spelling::Promoted,
                update: true,
            };
        };
        let old = (major, minor) < (0, 11);
        Self {
            spelling: if old { Spelling::Master } else { Spelling::Promoted },
            update: !old || next().is_none_or(|patch| patch >= 7),
        }
    }
}

/// The script.
pub(crate) fn script(changes: &[Change], dialect: Dialect) -> String {
    let mut text = String::from(
        "#!/bin/sh\nset -eu\numask 077\nold=$(mktemp)\nnew=$(mktemp)\ntrap 'rm -f \"$old\" \"$new\"' EXIT\n\
         pcs cluster cib \"$old\"\ncp \"$old\" \"$new\"\n",
    );
    for change in changes {
        for command in commands(change, dialect) {
            let _ = writeln!(text, "pcs -f \"$new\" {command}");
        }
    }
    text.push_str("pcs cluster cib-push \"$new\" diff-against=\"$old\"\n");
    text
}

/// What follows `pcs -f FILE`, one string for each command.
fn commands(change: &Change, dialect: Dialect) -> Vec<String> {
    match change {
        Change::Property(value) => vec![format!("property set {}", assignment(value))],
        Change::Default(value) => {
            let update = if dialect.update { "update " } else { "" };
            vec![format!("resource defaults {update}{}", assignment(value))]
        }
        Change::Add(resource) => create(resource, dialect),
        Change::AddMember { group, after, member } => {
            let place = after
                .as_ref()
                .map(|after| format!(" --after {}", quote(after)))
                .unwrap_or_default();
            vec![format!(
                "resource create {} --no-default-ops --group {}{place}",
                primitive(member, dialect),
                quote(group)
            )]
        }
        // There is no script for that: the caller refuses before.
        Change::Agent { .. } => Vec::new(),
        Change::Parameter { resource, value } => {
            vec![format!(
                "resource update {} {}",
                quote(resource),
                assignment(value)
            )]
        }
        Change::Meta { resource, value } => {
            vec![format!("resource meta {} {}", quote(resource), assignment(value))]
        }
        Change::AddOperation { resource, operation } => {
            vec![format!(
                "resource op add {} {}",
                quote(resource),
                script::operation(operation, dialect.spelling)
            )]
        }
        Change::Operation {
            resource, operation, ..
        } => vec![format!(
            "resource update {} op {}",
            quote(resource),
            script::operation(operation, dialect.spelling)
        )],
        Change::Constrain(constraint) => vec![self::constraint(constraint, dialect)],
        Change::Alert(alert) => {
            let path = quote(&format!("path={}", alert.path));
            vec![format!("alert create {path} id={}", quote(&alert.id))]
        }
    }
}

fn create(resource: &Resource, dialect: Dialect) -> Vec<String> {
    match resource {
        Resource::Primitive(one) if one.is_fencing() => {
            vec![format!("stonith create {}", primitive(one, dialect))]
        }
        Resource::Primitive(one) => {
            vec![format!(
                "resource create {} --no-default-ops",
                primitive(one, dialect)
            )]
        }
        Resource::Group { id, members } => members
            .iter()
            .map(|member| {
                format!(
                    "resource create {} --no-default-ops --group {}",
                    primitive(member, dialect),
                    quote(id)
                )
            })
            .collect(),
        Resource::Promotable {
            id,
            meta,
            primitive: one,
        } => {
            let meta: Pairs = meta
                .iter()
                .filter(|(name, _)| name != "promotable")
                .cloned()
                .collect();
            vec![format!(
                "resource create {} promotable {}{} --no-default-ops",
                primitive(one, dialect),
                quote(id),
                assignments(&meta)
            )]
        }
    }
}

fn primitive(one: &Primitive, dialect: Dialect) -> String {
    let agent = one.agent.strip_prefix("stonith:").unwrap_or(&one.agent);
    let mut text = format!(
        "{} {}{}",
        quote(&one.id),
        quote(agent),
        assignments(&one.parameters)
    );
    for operation in &one.operations {
        let _ = write!(text, " op {}", script::operation(operation, dialect.spelling));
    }
    if !one.meta.is_empty() {
        let _ = write!(text, " meta{}", assignments(&one.meta));
    }
    text
}

fn constraint(constraint: &Constraint, dialect: Dialect) -> String {
    let id = quote(&constraint.id());
    match constraint {
        Constraint::Colocation {
            resource,
            with,
            promoted,
        } => {
            let role = if *promoted {
                format!("{} ", dialect.spelling.of(NamedRole::As(Role::Promoted)))
            } else {
                String::new()
            };
            format!(
                "constraint colocation add {} with {role}{} id={id}",
                quote(resource),
                quote(with)
            )
        }
        Constraint::Order {
            first,
            promote,
            then,
            symmetrical,
        } => {
            let action = if *promote { "promote" } else { "start" };
            let reverse = if *symmetrical { "" } else { "symmetrical=false " };
            format!(
                "constraint order {action} {} then start {} {reverse}id={id}",
                quote(first),
                quote(then)
            )
        }
        Constraint::Avoids { resource, node } => format!(
            "constraint location add {id} {} {} -- -INFINITY",
            quote(resource),
            quote(node)
        ),
    }
}

fn assignment(value: &Value) -> String {
    quote(&format!("{}={}", value.name, value.new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_differ_in_words() {
        for (version, spelling, update) in [
            ("0.10.4", Spelling::Master, false),
            ("0.10.8", Spelling::Master, true),
            ("0.11.5", Spelling::Promoted, true),
            ("0.12.0.2", Spelling::Promoted, true),
            ("", Spelling::Promoted, true),
        ] {
            assert_eq!(Dialect::of(version), Dialect { spelling, update }, "{version}");
        }
    }
}
