//! The picture of a drill: every commit as a dot, the outage as a red band, what happened as numbered lines.

use site::drill::{Kind, Record};
use site::time::seconds;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 340.0;
/// Room for the axes.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 40.0;
/// How wide a number is.
const NUMBER: f64 = 22.0;
/// How wide the length of the outage is.
const LENGTH: f64 = 90.0;
/// The slowest commit that is drawn, in milliseconds, as a power of ten.
const DECADES: f64 = 4.0;

/// The part of time that is drawn: some seconds around what happened, in milliseconds.
fn span(record: &Record) -> (f64, f64) {
    let times = record
        .commits
        .iter()
        .map(|(at, _)| *at)
        .chain(record.events.iter().map(|event| event.at_ms));
    let (first, last) = times.fold((-1000, 1000), |(first, last), at| (first.min(at), last.max(at)));
    #[allow(clippy::cast_precision_loss)] // milliseconds of an hour at most
    (first as f64, last as f64)
}

/// The chart as SVG. Text in it is numbers only: no language, nothing to escape.
pub(super) fn svg(record: &Record) -> String {
    let (first, last) = span(record);
    let x = |at: f64| LEFT + (at - first) / (last - first) * (WIDTH - LEFT - RIGHT);
    let y = |milliseconds: f64| {
        let share = milliseconds.max(1.0).log10() / DECADES;
        HEIGHT - BOTTOM - share.min(1.0) * (HEIGHT - TOP - BOTTOM)
    };
    let mut svg =
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n");
    let bottom = HEIGHT - BOTTOM;
    if let Some((from, to)) = outage(record) {
        let _ = writeln!(
            svg,
            "<rect class=\"outage\" x=\"{:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            x(from),
            x(to) - x(from),
            bottom - TOP
        );
    }
    for (milliseconds, label) in [
        (1.0, "1 ms"),
        (10.0, "10 ms"),
        (100.0, "100 ms"),
        (1000.0, "1 s"),
        (10_000.0, "10 s"),
    ] {
        let at = y(milliseconds);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
    }
    let step = tick((last - first) / 1000.0);
    // Not "-0".
    let mut at = (first / 1000.0 / step).ceil() * step + 0.0;
    while at * 1000.0 <= last {
        let _ = writeln!(
            svg,
            "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{at:.0} s</text>",
            x(at * 1000.0),
            bottom + 20.0
        );
        at += step;
    }
    for (at, took) in &record.commits {
        #[allow(clippy::cast_precision_loss)]
        let _ = writeln!(
            svg,
            "<circle class=\"commit\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.8\"/>",
            x(*at as f64),
            y(f64::from(*took))
        );
    }
    for event in &record.events {
        #[allow(clippy::cast_precision_loss)]
        let at = x(event.at_ms as f64);
        let class = match event.kind {
            Kind::Injected | Kind::LastCommit => "event bad",
            Kind::FirstCommit => "event good",
            _ => "event",
        };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
            TOP - 4.0
        );
    }
    for (at, label) in labels(record, &x) {
        let _ = writeln!(
            svg,
            "<text class=\"number\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            TOP - 8.0
        );
    }
    if let Some((from, to)) = outage(record) {
        #[allow(clippy::cast_possible_truncation)] // it was an integer
        let drawn = (to - from) as i64;
        let length = record
            .outage_ms
            .map_or(drawn, |outage| i64::try_from(outage).unwrap_or(drawn));
        let middle = f64::midpoint(x(from), x(to)).clamp(LEFT + LENGTH / 2.0, WIDTH - RIGHT - LENGTH / 2.0);
        let _ = writeln!(
            svg,
            "<text class=\"length\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} s</text>",
            f64::midpoint(TOP, bottom),
            seconds(length)
        );
    }
    svg += "</svg>\n";
    svg
}

/// The numbers of the events and where they stand; events that are closer together than their numbers are wide share one.
fn labels(record: &Record, x: &impl Fn(f64) -> f64) -> Vec<(f64, String)> {
    let mut groups: Vec<(f64, f64, usize, usize)> = Vec::new();
    for (index, event) in record.events.iter().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let at = x(event.at_ms as f64);
        match groups.last_mut() {
            Some((_, end, _, last)) if at - *end < NUMBER => (*end, *last) = (at, index + 1),
            _ => groups.push((at, at, index + 1, index + 1)),
        }
    }
    groups
        .into_iter()
        .map(|(begin, end, first, last)| {
            let label = if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            };
            (f64::midpoint(begin, end), label)
        })
        .collect()
}

/// From the last commit before the outage to the first after it; to the end of the picture when there is none.
fn outage(record: &Record) -> Option<(f64, f64)> {
    let at = |kind: Kind| {
        #[allow(clippy::cast_precision_loss)]
        record
            .events
            .iter()
            .find(|event| event.kind == kind)
            .map(|event| event.at_ms as f64)
    };
    match (at(Kind::LastCommit), at(Kind::FirstCommit), record.outage_ms) {
        (Some(from), Some(to), _) => Some((from, to)),
        (_, _, None) => {
            #[allow(clippy::cast_precision_loss)]
            let last = record.commits.last().map_or(0.0, |(at, _)| *at as f64);
            Some((last, span(record).1))
        }
        _ => None,
    }
}

/// A round number of seconds that gives some ten marks.
fn tick(seconds: f64) -> f64 {
    [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0]
        .into_iter()
        .find(|step| seconds / step <= 12.0)
        .unwrap_or(300.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use site::drill::Event;

    fn event(at_ms: i64, kind: Kind) -> Event {
        Event {
            at_ms,
            kind,
            what: String::new(),
            node: String::new(),
        }
    }

    #[test]
    fn a_short_outage_at_the_end_is_told_within_the_picture() {
        let record = Record {
            outage_ms: Some(290),
            commits: vec![(-500, 1), (39_000, 2)],
            events: vec![event(38_840, Kind::LastCommit), event(39_129, Kind::FirstCommit)],
            ..Record::default()
        };
        let svg = svg(&record);
        let length = svg.lines().find(|line| line.contains("\"length\"")).unwrap();
        assert!(
            length.contains(">0.29 s<") && length.contains("x=\"899.0\""),
            "{length}"
        );
        assert!(svg.contains(">0 s<") && !svg.contains("-0 s"), "{svg}");
    }

    #[test]
    fn the_outage_is_drawn_where_it_was() {
        let record = Record {
            outage_ms: Some(2000),
            commits: vec![(-2000, 3), (-50, 4), (1950, 900), (8000, 2)],
            events: vec![
                event(-50, Kind::LastCommit),
                event(0, Kind::Injected),
                event(1950, Kind::FirstCommit),
            ],
            ..Record::default()
        };
        let svg = svg(&record);
        // 880 of 960 columns for 10 s: 2 s are 176 wide, 1.95 s after the beginning.
        assert!(
            svg.contains("<rect class=\"outage\" x=\"235.6\" y=\"30\" width=\"176.0\""),
            "{svg}"
        );
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains(">2.00 s</text>"), "{svg}");
        // The first two are 4 columns apart and share a number.
        assert!(svg.contains(">1-2</text>") && svg.contains(">3</text>"), "{svg}");
    }

    #[test]
    fn a_drill_without_commits_is_drawn_too() {
        let svg = svg(&Record::default());
        assert!(
            svg.contains("class=\"outage\"") && svg.ends_with("</svg>\n") && !svg.contains("NaN"),
            "{svg}"
        );
    }
}
