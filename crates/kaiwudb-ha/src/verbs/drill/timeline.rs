//! A drill on the terminal.

use crate::context::Context;
use crate::texts::drill as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Table, Tone};
use anyhow::Result;
use site::drill::{Event, Kind, Record};
use site::language::Language;
use site::time::{moment, seconds};

/// What happened, as a sentence.
pub(super) fn sentence(language: Language, event: &Event) -> String {
    let text = match event.kind {
        Kind::Injected => texts::INJECTED,
        Kind::LastCommit => texts::LAST_COMMIT,
        Kind::FirstCommit => texts::FIRST_COMMIT,
        Kind::Offline => texts::OFFLINE,
        Kind::Online => texts::ONLINE,
        Kind::Unclean => texts::UNCLEAN,
        Kind::Standby => texts::STANDBY,
        Kind::Failed => texts::FAILED,
        Kind::Stopped => texts::STOPPED,
        Kind::Started => texts::STARTED,
        Kind::Promoted => texts::PROMOTED,
        Kind::Undone => texts::UNDONE,
    };
    text.fill(
        language,
        &[
            ("what", &event.what),
            ("fault", &event.what),
            ("node", &event.node),
        ],
    )
}

/// Names and values of the summary.
pub(super) fn summary(language: Language, record: &Record) -> Vec<(String, String, Tone)> {
    let row =
        |text: site::language::Text, value: String, tone: Tone| (text.of(language).to_owned(), value, tone);
    let outage = |text: site::language::Text, outage: Option<u64>, none: site::language::Text| match outage {
        Some(outage) => {
            let outage = i64::try_from(outage).unwrap_or(i64::MAX);
            row(text, format!("{} s", seconds(outage)), Tone::Heading)
        }
        None => row(text, none.of(language).to_owned(), Tone::Bad),
    };
    vec![
        outage(texts::OUTAGE, record.outage_ms, texts::OUTAGE_NONE),
        outage(texts::PATIENT_OUTAGE, record.patient_outage_ms, texts::HUNG),
        row(
            texts::ACKNOWLEDGED,
            record.acknowledged.to_string(),
            Tone::Heading,
        ),
        match record.lost {
            Some(0) => row(texts::LOST, "0".to_owned(), Tone::Good),
            Some(lost) => row(texts::LOST, lost.to_string(), Tone::Bad),
            None => row(
                texts::LOST,
                texts::LOST_UNKNOWN.of(language).to_owned(),
                Tone::Bad,
            ),
        },
        match &record.served_by {
            Some(node) => row(texts::SERVED_BY, node.clone(), Tone::Heading),
            None => row(
                texts::SERVED_BY,
                texts::NO_NODE.of(language).to_owned(),
                Tone::Bad,
            ),
        },
    ]
}

/// The title of a drill.
pub(super) fn title(language: Language, record: &Record) -> String {
    let fault = record.fault.map_or("", site::drill::Fault::word);
    texts::TITLE.fill(language, &[("fault", fault), ("node", &record.node)])
}

/// The whole drill.
pub(super) fn text(context: &Context, record: &Record) -> String {
    let language = context.language;
    let mut text = format!(
        "{}\n",
        context.output.paint(Tone::Heading, &title(language, record))
    );
    let mut table = Table::default();
    for event in &record.events {
        let tone = match event.kind {
            Kind::Injected | Kind::LastCommit | Kind::Unclean | Kind::Offline | Kind::Failed => {
                Some(Tone::Bad)
            }
            Kind::FirstCommit => Some(Tone::Good),
            _ => None,
        };
        table.row([
            (format!("{:>8}", seconds(event.at_ms)), Some(Tone::Quiet)),
            (sentence(language, event), tone),
        ]);
    }
    text += &table.render(context.output, 0);
    text.push('\n');
    let mut table = Table::default();
    for (name, value, tone) in summary(language, record) {
        table.row([(name, None), (value, Some(tone))]);
    }
    text += table.render(context.output, 0).trim_end();
    text
}

/// The drills that were kept.
pub(super) fn list(context: &Context, records: &[Record]) -> Result<Exit> {
    if context.output.is_json() {
        output::value(&records)?;
        return Ok(Exit::Done);
    }
    if records.is_empty() {
        output::line(texts::NONE_YET.of(context.language));
        return Ok(Exit::Done);
    }
    let mut table = Table::default();
    for record in records {
        let mut row = vec![
            (moment(record.began), None),
            (record.fault.map_or("", site::drill::Fault::word).to_owned(), None),
            (record.node.clone(), None),
        ];
        for (name, value, tone) in summary(context.language, record).into_iter().take(4) {
            row.push((format!("{name} {value}"), Some(tone)));
        }
        table.row(row);
    }
    output::line(table.render(context.output, 0).trim_end());
    Ok(Exit::Done)
}
