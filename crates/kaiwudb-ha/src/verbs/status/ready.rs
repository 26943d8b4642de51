//! `status --ready`: would a failover succeed now, and how long would it take?

use crate::context::Context;
use crate::texts::ready as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Table, Tone};
use anyhow::Result;
use host::Deadline;
use pacemaker::{attribute, idle};
use site::cluster::{self, Cluster};
use site::incident::observe::READY as ATTRIBUTE;
use site::kept;
use site::readiness::{self, Readiness};
use site::time::{moment, seconds};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// One question to the cluster.
const QUESTION: Duration = Duration::from_secs(10);

/// Judges, prints, and with `publish` keeps the answer for metrics and writes the attribute.
pub(super) fn run(context: &Context, publish: bool) -> Result<Exit> {
    let (cluster, nodes) = cluster::ask(context)?;
    let found = readiness::judge(context, &cluster, &nodes);
    if publish {
        kept::keep(Path::new(kept::DIRECTORY), found.clone())?;
        tell(&cluster, &found);
    }
    if context.output.is_json() {
        output::value(&found)?;
    } else {
        output::line(text(context, &found).trim_end());
    }
    Ok(exit(&found))
}

fn exit(found: &Readiness) -> Exit {
    if found.ready {
        Exit::Done
    } else if found.is_unknown() {
        Exit::Incomplete
    } else {
        Exit::Found
    }
}

/// A write makes the cluster compute anew, and one in the middle of a transition aborts it: so it is written only where it differs, which
/// is when a reason has come or gone, and only while the controller has nothing on its way. Otherwise the next call writes it.
fn tell(cluster: &Cluster, found: &Readiness) {
    let Ok(status) = &cluster.status else { return };
    let Ok(node) = pacemaker::node::name(&ocf::Env::default(), Deadline::after(QUESTION)) else {
        return;
    };
    let word = found.word();
    let says_it = |member: &pacemaker::status::Node| {
        member.name == node && member.attributes.contains(&(ATTRIBUTE.to_owned(), word.clone()))
    };
    if status.nodes.iter().any(says_it) || !idle::is_now(Deadline::after(QUESTION)).unwrap_or(false) {
        return;
    }
    let written = attribute::explain(&node, ATTRIBUTE, &word, Duration::ZERO, Deadline::after(QUESTION));
    if let Err(error) = written {
        output::note(&format!("{ATTRIBUTE}: {error}"));
    }
}

fn text(context: &Context, found: &Readiness) -> String {
    let (language, output) = (context.language, context.output);
    let target = found.target.as_deref().unwrap_or_default();
    let values = [("node", target)];
    let (heading, tone) = match (&found.target, found.ready, found.is_unknown()) {
        (_, true, _) => (texts::YES.fill(language, &values), Tone::Good),
        (Some(_), _, true) => (texts::UNKNOWN.fill(language, &values), Tone::Doubtful),
        (Some(_), ..) => (texts::NO.fill(language, &values), Tone::Bad),
        (None, ..) => (texts::NO_TARGET.of(language).to_owned(), Tone::Bad),
    };
    let mut text = output.paint(tone, &heading) + "\n";
    for reason in &found.reasons {
        let _ = writeln!(text, "{}", output.paint(Tone::Bad, &format!("! {}", reason.text)));
    }
    text.push('\n');
    if found.measured.is_empty() {
        text += &output.paint(Tone::Quiet, texts::NEVER_MEASURED.of(language));
        text.push('\n');
        return text;
    }
    text += &output.paint(Tone::Heading, texts::MEASURED.of(language));
    text.push('\n');
    let mut table = Table::default();
    for one in &found.measured {
        let outage = seconds(i64::try_from(one.outage_ms).unwrap_or(i64::MAX));
        table.row([
            (one.fault.clone(), None),
            (format!("{outage} s"), None),
            (moment(one.at), Some(Tone::Quiet)),
        ]);
    }
    text + &table.render(output, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use site::readiness::Reason;

    #[test]
    fn what_is_not_known_is_not_wrong() {
        let with = |ids: &[&str]| Readiness {
            ready: ids.is_empty(),
            reasons: ids
                .iter()
                .map(|id| Reason {
                    id: (*id).to_owned(),
                    ..Reason::default()
                })
                .collect(),
            ..Readiness::default()
        };
        for (ids, expected) in [
            (&[][..], Exit::Done),
            (&["node-silent"], Exit::Incomplete),
            (&["node-silent", "offline"], Exit::Found),
            (&["clock"], Exit::Found),
        ] {
            assert_eq!(exit(&with(ids)), expected, "{ids:?}");
        }
    }
}
