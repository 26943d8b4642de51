//! The changes as people read them: what is added, what changes from what to what, what stays.

use super::simulation;
use crate::context::Context;
use crate::design::plan::Plan;
use crate::texts::plan as texts;
use crate::ui::output::Tone;
use pacemaker::compare::{Change, Changes, Value};
use pacemaker::model::{Constraint, Operation, Pairs, Primitive, Resource};
use site::settings::is_password;
use std::fmt::Write;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Added,
    Changed,
    Same,
}

/// The changes and what would come of them.
pub(crate) fn with_outcome(context: &Context, plan: &Plan) -> String {
    let mut shown = if plan.changes.changes.is_empty() {
        texts::NOTHING.of(context.language).to_owned()
    } else {
        let changes = text(context, &plan.changes);
        format!("{}\n{}", texts::HEADING.of(context.language), changes.trim_end())
    };
    if let Some(simulated) = simulation::text(context, plan) {
        shown.push('\n');
        shown += &simulated;
    }
    shown
}

/// All of them as text.
fn text(context: &Context, changes: &Changes) -> String {
    let mut text = String::new();
    let mut line = |mark: Mark, what: &str| {
        let (sign, tone) = match mark {
            Mark::Added => ("+", Tone::Good),
            Mark::Changed => ("~", Tone::Doubtful),
            Mark::Same => ("=", Tone::Quiet),
        };
        let _ = writeln!(
            text,
            "  {}",
            context.output.paint(tone, &format!("{sign} {what}"))
        );
    };
    for change in &changes.changes {
        for (mark, what) in lines(context, change) {
            line(mark, &what);
        }
    }
    for id in &changes.same {
        line(Mark::Same, id);
    }
    text
}

/// Each change as one line without colour, for programs and logs.
pub(crate) fn plain(context: &Context, changes: &Changes) -> Vec<String> {
    changes
        .changes
        .iter()
        .flat_map(|change| lines(context, change))
        .map(|(mark, what)| {
            let sign = if mark == Mark::Added { '+' } else { '~' };
            format!("{sign} {}", what.trim())
        })
        .collect()
}

fn lines(context: &Context, change: &Change) -> Vec<(Mark, String)> {
    let of = |text: site::language::Text| text.of(context.language);
    match change {
        Change::Property(value) => vec![changed(of(texts::PROPERTY), value)],
        Change::Default(value) => vec![changed(of(texts::DEFAULT), value)],
        Change::Add(resource) => added(context, resource),
        Change::AddMember { group, after, member } => {
            let place = after.as_ref().map_or_else(
                || texts::IN_GROUP.fill(context.language, &[("group", group)]),
                |after| texts::IN_GROUP_AFTER.fill(context.language, &[("group", group), ("after", after)]),
            );
            let mut lines = primitive(member, "");
            if let Some((_, first)) = lines.first_mut() {
                let _ = write!(first, " ({place})");
            }
            lines
        }
        Change::Agent { resource, old } => vec![(
            Mark::Changed,
            format!("{} {old} -> {}", resource.id, resource.agent),
        )],
        Change::Parameter { resource, value } => vec![changed(resource, value)],
        Change::Meta { resource, value } => vec![changed(&format!("{resource} meta"), value)],
        Change::AddOperation { resource, operation } => {
            vec![(Mark::Added, format!("{resource} {}", operation_text(operation)))]
        }
        Change::Operation {
            resource,
            operation,
            value,
            ..
        } => vec![changed(
            &format!("{resource} {}", operation_name(operation)),
            value,
        )],
        Change::Constrain(constraint) => vec![(Mark::Added, constraint_text(context, constraint))],
        Change::Alert(alert) => {
            let values = [("id", alert.id.as_str()), ("path", &alert.path)];
            vec![(Mark::Added, texts::ALERT.fill(context.language, &values))]
        }
    }
}

fn changed(what: &str, value: &Value) -> (Mark, String) {
    match &value.old {
        Some(old) => (
            Mark::Changed,
            format!(
                "{what} {}: {} -> {}",
                value.name,
                hidden(&value.name, old),
                hidden(&value.name, &value.new)
            ),
        ),
        None => (
            Mark::Added,
            format!("{what} {}={}", value.name, hidden(&value.name, &value.new)),
        ),
    }
}

fn added(context: &Context, resource: &Resource) -> Vec<(Mark, String)> {
    match resource {
        Resource::Primitive(one) => primitive(one, ""),
        Resource::Group { id, members } => {
            let head = texts::GROUP.fill(context.language, &[("id", id)]);
            std::iter::once((Mark::Added, head))
                .chain(members.iter().flat_map(|member| primitive(member, "  ")))
                .collect()
        }
        Resource::Promotable {
            id,
            meta,
            primitive: one,
        } => {
            let head = texts::CLONE.fill(context.language, &[("id", id), ("meta", &values(meta))]);
            std::iter::once((Mark::Added, head))
                .chain(primitive(one, "  "))
                .collect()
        }
    }
}

fn primitive(one: &Primitive, indent: &str) -> Vec<(Mark, String)> {
    let mut head = format!("{indent}{} {}", one.id, one.agent);
    if !one.parameters.is_empty() {
        let _ = write!(head, " {}", values(&one.parameters));
    }
    let mut lines = vec![(Mark::Added, head)];
    if !one.meta.is_empty() {
        lines.push((Mark::Added, format!("{indent}    meta {}", values(&one.meta))));
    }
    lines.extend(
        one.operations
            .iter()
            .map(|operation| (Mark::Added, format!("{indent}    {}", operation_text(operation)))),
    );
    lines
}

fn values(pairs: &Pairs) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", hidden(name, value)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Passwords of fencing devices are not for screens.
fn hidden<'a>(name: &str, value: &'a str) -> &'a str {
    if is_password(name) { "******" } else { value }
}

fn operation_name(operation: &Operation) -> String {
    let mut text = operation.name.clone();
    if let Some(role) = operation.role {
        let _ = write!(text, " role={}", pacemaker::model::Spelling::Promoted.of(role));
    }
    if operation.depth > 0 {
        let _ = write!(text, " OCF_CHECK_LEVEL={}", operation.depth);
    }
    text
}

fn operation_text(operation: &Operation) -> String {
    let interval = if operation.recurs() {
        format!(" interval={}", operation.interval)
    } else {
        String::new()
    };
    format!(
        "{}{interval} timeout={}",
        operation_name(operation),
        operation.timeout
    )
}

fn constraint_text(context: &Context, constraint: &Constraint) -> String {
    let language = context.language;
    match constraint {
        Constraint::Colocation {
            resource,
            with,
            promoted,
        } => {
            let text = if *promoted {
                texts::WITH_PROMOTED
            } else {
                texts::WITH
            };
            text.fill(language, &[("resource", resource), ("with", with)])
        }
        Constraint::Order {
            first, promote, then, ..
        } => {
            let text = if *promote {
                texts::AFTER_PROMOTION
            } else {
                texts::AFTER
            };
            text.fill(language, &[("first", first), ("then", then)])
        }
        Constraint::Avoids { resource, node } => {
            texts::AVOIDS.fill(language, &[("resource", resource), ("node", node)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_neither_the_old_one() {
        let value = |old: Option<&str>| Value {
            name: "password".to_owned(),
            old: old.map(str::to_owned),
            new: "new".to_owned(),
        };
        assert_eq!(
            changed("Fence", &value(Some("old"))).1,
            "Fence password: ****** -> ******"
        );
        assert_eq!(changed("Fence", &value(None)).1, "Fence password=******");
        let script = Value {
            name: "password_script".to_owned(),
            ..value(None)
        };
        assert_eq!(changed("Fence", &script).1, "Fence password_script=new");
    }
}
