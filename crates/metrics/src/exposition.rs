//! Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A longer label value is cut: names and sentences of others are in it.
const LONGEST_VALUE: usize = 200;
/// More samples of one family are left out: a cluster of two nodes has a few hundred altogether.
const MOST_SAMPLES: usize = 1000;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A metric with all its label sets.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name, with the unit at its end.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
}

type Labels = Vec<(&'static str, String)>;

/// Samples by family and labels. There is one value for each label set, whatever the state of a cluster is: a set that comes twice
/// keeps its first value.
#[derive(Debug, Default)]
pub struct Exposition {
    constant: Option<(&'static str, String)>,
    families: BTreeMap<&'static str, (&'static Family, BTreeMap<Labels, f64>)>,
}

impl Exposition {
    /// All samples get this label.
    pub fn with(name: &'static str, value: &str) -> Self {
        Self {
            constant: Some((name, value.to_owned())),
            ..Self::default()
        }
    }

    /// Adds a sample. An empty value is as good as no label, so it is left out.
    pub fn add(&mut self, family: &'static Family, labels: &[(&'static str, &str)], value: f64) {
        let constant = self.constant.iter().map(|(name, value)| (*name, value.as_str()));
        let mut labels: Labels = labels
            .iter()
            .copied()
            .chain(constant)
            .map(|(name, value)| (name, plain(value)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        labels.sort();
        labels.dedup_by_key(|(name, _)| *name);
        let (_, samples) = self
            .families
            .entry(family.name)
            .or_insert_with(|| (family, BTreeMap::new()));
        if samples.len() < MOST_SAMPLES {
            samples.entry(labels).or_insert(value);
        }
    }

    /// Adds 1 or 0.
    pub fn flag(&mut self, family: &'static Family, labels: &[(&'static str, &str)], value: bool) {
        self.add(family, labels, f64::from(u8::from(value)));
    }

    /// Adds a count of bytes, files, rows, or seconds since 1970.
    #[allow(clippy::cast_precision_loss)] // the format knows no other numbers
    pub fn count(&mut self, family: &'static Family, labels: &[(&'static str, &str)], value: u64) {
        self.add(family, labels, value as f64);
    }

    /// The text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (family, samples) in self.families.values() {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            let _ = writeln!(text, "# HELP {} {}", family.name, escaped(family.help, false));
            let _ = writeln!(text, "# TYPE {} {kind}", family.name);
            for (labels, value) in samples {
                text += family.name;
                for (index, (name, value)) in labels.iter().enumerate() {
                    let begin = if index == 0 { '{' } else { ',' };
                    let _ = write!(text, "{begin}{name}=\"{}\"", escaped(value, true));
                }
                let end = if labels.is_empty() { "" } else { "}" };
                let _ = writeln!(text, "{end} {value}");
            }
        }
        text
    }
}

/// What is no text for people is a blank, and there is an end to it.
fn plain(value: &str) -> String {
    let printable = |c: char| if host::is_printable(c) { c } else { ' ' };
    let text: String = value.chars().take(LONGEST_VALUE).map(printable).collect();
    text.trim().to_owned()
}

fn escaped(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    static METRIC: Family = Family {
        name: "a_bytes",
        kind: Kind::Gauge,
        help: "one \\ two",
    };
    static COUNTER: Family = Family {
        name: "b_total",
        kind: Kind::Counter,
        help: "more",
    };

    #[test]
    fn what_is_written() {
        let mut found = Exposition::with("pair", "p");
        found.count(&COUNTER, &[], 1 << 40);
        found.flag(&METRIC, &[("z", "quote \" and \\"), ("b", "")], true);
        found.add(&METRIC, &[("b", "x\ny\u{1b}")], 0.5);
        assert_eq!(
            found.render(),
            "# HELP a_bytes one \\\\ two\n# TYPE a_bytes gauge\na_bytes{b=\"x y\",pair=\"p\"} 0.5\n\
             a_bytes{pair=\"p\",z=\"quote \\\" and \\\\\"} 1\n\
             # HELP b_total more\n# TYPE b_total counter\nb_total{pair=\"p\"} 1099511627776\n"
        );
    }

    #[test]
    fn a_label_set_comes_once_and_there_is_an_end() {
        let mut found = Exposition::default();
        found.flag(&METRIC, &[("a", "1"), ("b", "2")], true);
        found.flag(&METRIC, &[("b", "2"), ("a", "1")], false);
        assert!(found.render().ends_with("\na_bytes{a=\"1\",b=\"2\"} 1\n"));
        for number in 0..2000 {
            found.count(&METRIC, &[("n", &number.to_string())], number);
        }
        assert_eq!(found.render().lines().count(), 2 + MOST_SAMPLES);
    }

    proptest! {
        #[test]
        fn every_value_stays_one_line(value in ".*") {
            let mut found = Exposition::default();
            found.flag(&METRIC, &[("a", &value)], true);
            let text = found.render();
            prop_assert_eq!(text.lines().count(), 3);
            prop_assert!(text.lines().last().unwrap().chars().count() < 2 * LONGEST_VALUE + 40);
        }
    }
}
