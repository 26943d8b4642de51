//! The picture of a drill: every commit as a dot, the outage as a red band, what happened as numbered lines.

use chart::{Chart, LEFT, RIGHT, WIDTH};
use site::drill::{Kind, Record};
use site::time::seconds;

/// Room for the numbers.
const TOP: f64 = 30.0;
/// How wide a number is.
const NUMBER: f64 = 22.0;
/// How wide the length of the outage is.
const LENGTH: f64 = 90.0;

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

/// The chart as SVG.
pub(super) fn svg(record: &Record) -> String {
    let (first, last) = span(record);
    let mut chart = Chart::new(first, last, TOP);
    if let Some((from, to)) = outage(record) {
        chart.outage(from, to);
    }
    chart.axes();
    for (at, took) in &record.commits {
        #[allow(clippy::cast_precision_loss)]
        chart.commit(*at as f64, f64::from(*took));
    }
    let bottom = chart.bottom();
    for event in &record.events {
        #[allow(clippy::cast_precision_loss)]
        let at = chart.x(event.at_ms as f64);
        let class = match event.kind {
            Kind::Injected | Kind::LastCommit => "event bad",
            Kind::FirstCommit => "event good",
            _ => "event",
        };
        chart.line(format_args!(
            "<line class=\"{class}\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
            TOP - 4.0
        ));
    }
    for (at, label) in labels(record, &chart) {
        chart.text("number", at, TOP - 8.0, label);
    }
    if let Some((from, to)) = outage(record) {
        #[allow(clippy::cast_possible_truncation)] // it was an integer
        let drawn = (to - from) as i64;
        let length = record
            .outage_ms
            .map_or(drawn, |outage| i64::try_from(outage).unwrap_or(drawn));
        let middle = f64::midpoint(chart.x(from), chart.x(to))
            .clamp(LEFT + LENGTH / 2.0, WIDTH - RIGHT - LENGTH / 2.0);
        let text = format!("{} s", seconds(length));
        chart.text("length", middle, f64::midpoint(TOP, bottom), text);
    }
    chart.svg()
}

/// The numbers of the events and where they stand; events that are closer together than their numbers are wide share one.
fn labels(record: &Record, chart: &Chart) -> Vec<(f64, String)> {
    let mut groups: Vec<(f64, f64, usize, usize)> = Vec::new();
    for (index, event) in record.events.iter().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let at = chart.x(event.at_ms as f64);
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
