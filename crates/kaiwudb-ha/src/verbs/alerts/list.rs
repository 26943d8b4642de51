//! `alerts list`.

use crate::context::Context;
use crate::texts::alerts as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Table, Tone};
use anyhow::Result;
use serde_json::json;
use site::incident::{Incident, Ledger, words};
use site::time::moment;
use std::path::Path;

/// Incidents of this node, the newest last, and what has not been delivered.
pub(super) fn run(context: &Context) -> Result<Exit> {
    let ledger = Ledger::read(Path::new(alerts::DIRECTORY));
    let undelivered = alerts::undelivered();
    let exit = if undelivered.is_empty() && ledger.open.is_empty() {
        Exit::Done
    } else {
        Exit::Found
    };
    if context.output.is_json() {
        output::value(&json!({ "open": ledger.open, "past": ledger.past, "undelivered": undelivered }))?;
        return Ok(exit);
    }
    let mut table = Table::default();
    let mut row = |incident: &Incident, open: bool| {
        let (state, tone) = if open {
            (texts::OPEN, Tone::Bad)
        } else {
            (texts::OVER, Tone::Quiet)
        };
        table.row([
            (moment(incident.began / 1000), None),
            (state.of(context.language).to_owned(), Some(tone)),
            (words::headline(context.language, incident), None),
            (words::cause(context.language, incident), None),
        ]);
    };
    ledger.past.iter().for_each(|incident| row(incident, false));
    ledger.open.iter().for_each(|incident| row(incident, true));
    if ledger.past.is_empty() && ledger.open.is_empty() {
        output::line(texts::NO_INCIDENTS.of(context.language));
    } else {
        output::line(table.render(context.output, 0).trim_end());
    }
    for one in &undelivered {
        output::line(&words::undelivered(context.language, one));
    }
    Ok(exit)
}
