//! An incident on the terminal.

use crate::context::Context;
use crate::texts::why as texts;
use crate::ui::output::{self, Table, Tone};
use anyhow::Result;
use serde_json::json;
use site::history::event::What;
use site::history::words::{self, Answer, exactly};
use site::history::{Incident, Past, Timeline};
use site::language::Text;

/// The whole answer.
pub(super) fn incident(context: &Context, incident: &Incident, answer: &Answer) -> String {
    let of = |text: Text| text.of(context.language);
    let heading = |text: Text| context.output.paint(Tone::Heading, of(text));
    let title = texts::TITLE.fill(
        context.language,
        &[("incident", &incident.id), ("time", &exactly(incident.began))],
    );
    let mut lines = vec![context.output.paint(Tone::Heading, &title), String::new()];
    lines.push(format!("{} {}", heading(texts::FIRST), answer.first));
    lines.extend(
        answer
            .evidence
            .iter()
            .map(|line| context.output.paint(Tone::Quiet, &format!("    {line}"))),
    );
    lines.push(heading(texts::DID));
    lines.extend(answer.did.iter().map(|line| format!("    {line}")));
    lines.push(format!("{} {}", heading(texts::COST), answer.cost));
    if !answer.unknown.is_empty() {
        lines.push(heading(texts::UNKNOWN));
        lines.extend(answer.unknown.iter().map(|line| format!("    {line}")));
    }
    lines.push(format!("{} {}", heading(texts::NEXT), answer.next));
    lines.push(String::new());
    lines.push(heading(texts::TIMELINE));
    let mut table = Table::default();
    for row in rows(incident) {
        let [time, node, what, record] = row;
        table.row([
            (time, Some(Tone::Quiet)),
            (node, None),
            (what, None),
            (record, Some(Tone::Quiet)),
        ]);
    }
    lines.push(table.render(context.output, 2));
    lines.join("\n")
}

/// The timeline: time, node, what, the record that says so.
pub(super) fn rows(incident: &Incident) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    let shown = incident.events.iter().filter(|event| event.what != What::Idle);
    for event in shown {
        let what = serde_json::to_value(event.what).ok();
        let what = what
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let subject = if event.subject == event.node {
            ""
        } else {
            &event.subject
        };
        let operation = match event.what {
            What::Begun | What::Done => event.detail.as_str(),
            _ => "",
        };
        let words = [what, operation, subject].into_iter();
        let words = words.filter(|word| !word.is_empty());
        let record = event.evidence.first().map(|evidence| {
            let record = &evidence.record;
            format!("{}: {}", record.who, record.text)
        });
        rows.push([
            exactly(event.at).split_off(11),
            event.node.clone(),
            words.collect::<Vec<_>>().join(" "),
            record.unwrap_or_default(),
        ]);
    }
    rows
}

/// That there is nothing to explain, and how far that is known.
pub(super) fn nothing(context: &Context, timeline: &Timeline) -> String {
    let mut lines = vec![texts::NOTHING.of(context.language).to_owned()];
    for witness in &timeline.witnesses {
        if let Some(why) = &witness.silent {
            lines.push(texts::NOT_ASKED.fill(context.language, &[("node", &witness.node), ("why", why)]));
        }
    }
    lines.join("\n")
}

/// Every incident that is known.
pub(super) fn list(context: &Context, past: &Past, timeline: &Timeline) -> Result<()> {
    if context.output.is_json() {
        return output::value(&json!({ "incidents": past.incidents, "witnesses": timeline.witnesses }));
    }
    if past.incidents.is_empty() {
        output::line(&nothing(context, timeline));
        return Ok(());
    }
    let mut table = Table::default();
    for incident in &past.incidents {
        let outage = incident
            .cost
            .length()
            .map(|length| format!("{} s", site::time::seconds(length / 1000)));
        let open = incident
            .cost
            .interrupted
            .then(|| texts::OPEN.of(context.language).to_owned());
        table.row([
            (incident.id.clone(), Some(Tone::Heading)),
            (outage.or(open).unwrap_or_else(|| "-".to_owned()), None),
            (words::first(context.language, &incident.cause), None),
        ]);
    }
    output::line(table.render(context.output, 0).trim_end());
    Ok(())
}
