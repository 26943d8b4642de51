//! Commits over time as SVG: when each was acknowledged, how long it took, and the outages between. Text in it is numbers only: no
//! language, nothing to escape. Times are milliseconds.

use std::fmt::{Display, Write};

/// Size of the picture.
pub const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 340.0;
/// Room for the axes.
pub const LEFT: f64 = 64.0;
/// Room beside them.
pub const RIGHT: f64 = 16.0;
const BOTTOM: f64 = 40.0;
/// Powers of ten that are drawn, from a millisecond on.
const DECADES: f64 = 4.0;

/// What the picture's classes look like.
pub const STYLE: &str = "\
svg{width:100%;height:auto;border:1px solid #d8dee5;border-radius:.5rem;background:#fff}\
.outage{fill:#f9d7d9}.grid{stroke:#e8ecf0}.axis{font-size:11px;fill:#66727f}.commit{fill:#2f6fb2;fill-opacity:.7}";

/// A picture that is being drawn, from the back to the front.
#[derive(Debug)]
pub struct Chart {
    first: f64,
    last: f64,
    top: f64,
    svg: String,
}

impl Chart {
    /// An empty one of the time from `first` to `last`, which are apart; `top` is the room above it.
    pub fn new(first: f64, last: f64, top: f64) -> Self {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n"
        );
        Self {
            first,
            last,
            top,
            svg,
        }
    }

    /// Where a moment is drawn.
    pub fn x(&self, at: f64) -> f64 {
        LEFT + (at - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)
    }

    /// Where the time axis is drawn.
    pub fn bottom(&self) -> f64 {
        HEIGHT - BOTTOM
    }

    fn y(&self, took: f64) -> f64 {
        let share = took.max(1.0).log10() / DECADES;
        self.bottom() - share.min(1.0) * (self.bottom() - self.top)
    }

    /// The band of an outage.
    pub fn outage(&mut self, from: f64, to: f64) {
        let (x, width, top, height) = (
            self.x(from),
            self.x(to) - self.x(from),
            self.top,
            self.bottom() - self.top,
        );
        self.line(format_args!(
            "<rect class=\"outage\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// Both axes.
    pub fn axes(&mut self) {
        for (took, label) in [
            (1.0, "1 ms"),
            (10.0, "10 ms"),
            (100.0, "100 ms"),
            (1000.0, "1 s"),
            (10_000.0, "10 s"),
        ] {
            let (at, right) = (self.y(took), WIDTH - RIGHT);
            self.line(format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 8.0,
                at + 4.0
            ));
        }
        let step = tick((self.last - self.first) / 1000.0);
        // Not "-0".
        let mut at = (self.first / 1000.0 / step).ceil() * step + 0.0;
        while at * 1000.0 <= self.last {
            self.text(
                "axis",
                self.x(at * 1000.0),
                self.bottom() + 20.0,
                format_args!("{at:.0} s"),
            );
            at += step;
        }
    }

    /// A commit that was acknowledged then, and took so long.
    pub fn commit(&mut self, at: f64, took: f64) {
        let (x, y) = (self.x(at), self.y(took));
        self.line(format_args!(
            "<circle class=\"commit\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.8\"/>"
        ));
    }

    /// A text around a place.
    pub fn text(&mut self, class: &str, x: f64, y: f64, text: impl Display) {
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{text}</text>"
        ));
    }

    /// Any other element.
    pub fn line(&mut self, element: impl Display) {
        let _ = writeln!(self.svg, "{element}");
    }

    /// The whole picture.
    pub fn svg(self) -> String {
        self.svg + "</svg>\n"
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

    #[test]
    fn a_long_time_has_some_ten_marks_and_nothing_is_outside() {
        for seconds in [2.0_f64, 11.0, 59.0, 600.0, 3600.0] {
            let mut chart = Chart::new(-1000.0, seconds * 1000.0, 30.0);
            chart.axes();
            chart.commit(0.0, 100_000.0);
            let svg = chart.svg();
            let marks = svg.matches("text-anchor=\"middle\"").count();
            assert!((3..=13).contains(&marks), "{seconds}: {marks}");
            assert!(svg.contains("cy=\"30.0\"") && !svg.contains(">-0 s<"), "{svg}");
        }
    }
}
