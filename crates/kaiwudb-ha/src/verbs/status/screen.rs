//! The screen of `status`.

use crate::context::Context;
use crate::texts::status as texts;
use crate::ui::output::{Table, Tone, size};
use drbd::state::Disk;
use site::facts::Verdict;
use site::fencing::Means;
use site::language::Text;
use site::status::{DatabaseView, View};
use site::texts::attention;
use site::time::now_us;
use site::time::{date, moment, seconds};

type Cell = (String, Option<Tone>);

fn plain(text: impl Into<String>) -> Cell {
    (text.into(), None)
}

/// Draws it.
pub(crate) fn render(context: &Context, view: &View) -> String {
    let mut table = Table::default();
    let mut line = |heading: Option<Text>, cells: Vec<Cell>| {
        let heading = heading.map_or("", |text| text.of(context.language));
        table.row(std::iter::once((heading.to_owned(), Some(Tone::Heading))).chain(cells));
    };
    nodes(context, view, &mut line);
    database(context, view.database.as_ref(), &mut line);
    let text = |text: Text| text.of(context.language);
    match &view.address {
        Some(placed) => {
            let address = placed.address.clone().unwrap_or_default();
            line(
                Some(texts::ADDRESS),
                vec![
                    plain(placed.resource.as_str()),
                    place(context, placed.node.as_deref()),
                    plain(address),
                ],
            );
        }
        None => line(
            Some(texts::ADDRESS),
            vec![(text(texts::NOT_CONFIGURED).to_owned(), Some(Tone::Doubtful))],
        ),
    }
    for (index, replica) in view.replication.iter().enumerate() {
        let state = replica.role.as_ref().map_or_else(
            || (text(texts::NOT_RUNNING).to_owned(), Some(Tone::Bad)),
            |role| {
                let good = replica.disks.iter().all(|disk| *disk == Disk::UpToDate);
                let tone = if good { Tone::Good } else { Tone::Doubtful };
                let disks: Vec<String> = replica.disks.iter().map(ToString::to_string).collect();
                (format!("{role}, {}", disks.join(", ")), Some(tone))
            },
        );
        let on = texts::RUNS_ON.fill(context.language, &[("node", &replica.node)]);
        line(
            (index == 0).then_some(texts::REPLICATION),
            vec![plain(replica.resource.as_str()), plain(on), state],
        );
    }
    certificates(context, view, &mut line);
    for (index, placed) in view.fencing.iter().enumerate() {
        let agent = placed.agent.trim_start_matches("stonith:").to_owned();
        line(
            (index == 0).then_some(texts::FENCING),
            vec![
                plain(placed.resource.as_str()),
                place(context, placed.node.as_deref()),
                plain(agent),
            ],
        );
    }
    if view.fenced_by == Some(Means::Watchdog) {
        line(
            view.fencing.is_empty().then_some(texts::FENCING),
            vec![plain(text(texts::BY_WATCHDOG))],
        );
    } else if view.fencing.is_empty() {
        line(
            Some(texts::FENCING),
            vec![(text(texts::NOT_CONFIGURED).to_owned(), Some(Tone::Bad))],
        );
    }
    drill(context, view, &mut line);
    let mut screen = table.render(context.output, 0);
    screen.push('\n');
    screen += &ending(context, view);
    screen
}

fn ending(context: &Context, view: &View) -> String {
    let mut text = String::new();
    for what in &view.unanswered {
        text += &context.output.paint(Tone::Doubtful, &format!("? {what}"));
        text.push('\n');
    }
    if view.attention.is_empty() {
        if view.unanswered.is_empty() {
            text += &context
                .output
                .paint(Tone::Good, texts::ALL_WELL.of(context.language));
            text.push('\n');
        }
        return text;
    }
    text += &context
        .output
        .paint(Tone::Heading, texts::ATTENTION.of(context.language));
    text.push('\n');
    for what in &view.attention {
        text += &context.output.paint(Tone::Bad, &format!("! {what}"));
        text.push('\n');
    }
    text
}

fn place(context: &Context, node: Option<&str>) -> Cell {
    match node {
        Some(node) => plain(texts::RUNS_ON.fill(context.language, &[("node", node)])),
        None => (
            texts::NOT_RUNNING.of(context.language).to_owned(),
            Some(Tone::Bad),
        ),
    }
}

fn nodes(context: &Context, view: &View, line: &mut impl FnMut(Option<Text>, Vec<Cell>)) {
    for (index, node) in view.nodes.iter().enumerate() {
        let (state, tone) = if node.unclean {
            (attention::UNCLEAN, Tone::Bad)
        } else if !node.online {
            (attention::OFFLINE, Tone::Bad)
        } else if node.standby {
            (attention::STANDBY, Tone::Doubtful)
        } else if node.maintenance {
            (attention::MAINTENANCE, Tone::Doubtful)
        } else {
            (texts::ONLINE, Tone::Good)
        };
        line(
            (index == 0).then_some(texts::NODES),
            vec![
                plain(node.name.as_str()),
                (state.of(context.language).to_owned(), Some(tone)),
                plain(node.resources.join(" ")),
            ],
        );
    }
}

fn database(
    context: &Context,
    database: Option<&DatabaseView>,
    line: &mut impl FnMut(Option<Text>, Vec<Cell>),
) {
    let language = context.language;
    let Some(found) = database else {
        let cell = (texts::NOT_CONFIGURED.of(language).to_owned(), Some(Tone::Bad));
        return line(Some(texts::DATABASE), vec![cell]);
    };
    let health = match &found.health {
        Some(Verdict::Ready) => (texts::READY.of(language).to_owned(), Some(Tone::Good)),
        Some(Verdict::NotReady(why)) => (why.clone(), Some(Tone::Bad)),
        None => plain(""),
    };
    line(
        Some(texts::DATABASE),
        vec![
            plain(found.resource.as_str()),
            place(context, found.node.as_deref()),
            health,
        ],
    );
    let mut running: Vec<String> = vec![found.agent.clone()];
    running.extend(found.pid.map(|pid| format!("pid {pid}")));
    running.extend(
        found
            .sentinel
            .map(|pid| texts::SENTINEL.fill(language, &[("pid", &pid.to_string())])),
    );
    line(None, vec![plain(""), plain(""), plain(running.join(", "))]);
    if let Some(version) = &found.version {
        line(None, vec![plain(""), plain(""), plain(version.as_str())]);
    }
    if let (Some(source), Some(kind), Some(free), Some(total)) = (
        &found.mount_source,
        &found.mount_kind,
        found.free_bytes,
        found.total_bytes,
    ) {
        let values = [
            ("root", found.data_root.as_str()),
            ("source", source),
            ("kind", kind),
            ("free", &size(free)),
            ("total", &size(total)),
        ];
        let store = texts::STORE_LINE.fill(language, &values);
        line(
            None,
            vec![plain(texts::STORE.of(language)), plain(""), plain(store)],
        );
    }
    if let Some(id) = &found.cluster_id {
        let values = [("found", id.as_str())];
        let (text, tone) = match found.serves_pinned_store() {
            Some(true) => (texts::IDENTITY_PINNED.fill(language, &values), None),
            Some(false) => (id.clone(), Some(Tone::Bad)),
            None => (texts::IDENTITY_UNPINNED.fill(language, &values), None),
        };
        line(
            None,
            vec![plain(texts::IDENTITY.of(language)), plain(""), (text, tone)],
        );
    }
}

fn drill(context: &Context, view: &View, line: &mut impl FnMut(Option<Text>, Vec<Cell>)) {
    let language = context.language;
    let Some(drill) = &view.last_drill else {
        return line(Some(texts::DRILL), vec![plain(texts::DRILL_NEVER.of(language))]);
    };
    let (text, tone) = match (drill.outage_ms, drill.lost) {
        (Some(outage), Some(lost)) => {
            let outage = seconds(i64::try_from(outage).unwrap_or(i64::MAX));
            let text = texts::DRILL_LINE.fill(language, &[("outage", &outage), ("lost", &lost.to_string())]);
            (text, if lost == 0 { Tone::Good } else { Tone::Bad })
        }
        _ => (texts::DRILL_FAILED.of(language).to_owned(), Tone::Bad),
    };
    let on = texts::RUNS_ON.fill(language, &[("node", &drill.node)]);
    let what = format!("{}, {}", moment(drill.began), text);
    line(
        Some(texts::DRILL),
        vec![plain(drill.fault.as_str()), plain(on), (what, Some(tone))],
    );
}

fn certificates(context: &Context, view: &View, line: &mut impl FnMut(Option<Text>, Vec<Cell>)) {
    let language = context.language;
    let sets = view.certificate_sets();
    if sets.is_empty() {
        return line(
            Some(texts::CERTIFICATES),
            vec![plain(texts::NO_CERTIFICATES.of(language))],
        );
    }
    let mut heading = Some(texts::CERTIFICATES);
    for node in &view.nodes {
        let Some((name, until)) = &node.first_to_expire else {
            continue;
        };
        let days = (until - now_us() / 1_000_000) / 86_400;
        let tone = match days {
            ..0 => Tone::Bad,
            0..30 => Tone::Doubtful,
            _ => Tone::Good,
        };
        let values = [("date", date(*until)), ("days", days.to_string())];
        let text = texts::VALID_UNTIL.fill(
            language,
            &values.each_ref().map(|(name, value)| (*name, value.as_str())),
        );
        line(
            heading.take(),
            vec![
                plain(node.name.as_str()),
                plain(name.as_str()),
                (text, Some(tone)),
            ],
        );
    }
    let mut digests: Vec<&str> = sets.values().copied().collect();
    digests.dedup();
    if digests.len() == 1 && sets.len() > 1 {
        line(None, vec![plain(texts::SAME_SET.of(language))]);
    }
}
