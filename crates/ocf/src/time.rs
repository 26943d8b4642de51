//! Times: as our parameters are given, and as Pacemaker reads its own.

use std::time::Duration;

const MILLISECOND: u32 = 1000;
const SECOND: u32 = 1000 * MILLISECOND;

/// Every unit, in microseconds.
const UNITS: [(&[&str], u64); 5] = [
    (&["ms", "msec"], MILLISECOND as u64),
    (&["us", "usec"], 1),
    (&["", "s", "sec"], SECOND as u64),
    (&["m", "min"], 60 * SECOND as u64),
    (&["h", "hr"], 3600 * SECOND as u64),
];

/// The time that a parameter of ours says: a decimal number and `ms`, `s`/`sec`, `m`/`min` or `h`/`hr`; seconds without a unit. Rounded
/// to a millisecond. Unlike Pacemaker we keep fractions and refuse words that only begin like a unit.
pub fn parse_duration(raw: &str) -> Option<Duration> {
    let (number, unit) = split(raw)?;
    let (_, microseconds) = UNITS.iter().find(|(words, _)| words.contains(&unit))?;
    #[allow(clippy::cast_precision_loss)] // no unit is that large
    let milliseconds = (number.parse::<f64>().ok()? * *microseconds as f64 / f64::from(MILLISECOND)).round();
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

/// The time that Pacemaker reads in its configuration, in an interval or a timeout, say: an ISO 8601 duration, or a number and a unit, of
/// which only the first letters count, in any case. What stands behind a decimal point it passes over. `None` for what it cannot read.
pub fn parse_interval(raw: &str) -> Option<Duration> {
    if let Some(iso) = raw.strip_prefix('P') {
        return parse_iso(iso);
    }
    let (number, unit) = split(raw)?;
    let unit = unit.to_ascii_lowercase();
    // "ms" comes before "m", and what begins with nothing at last.
    let begins = |words: &[&str]| {
        words
            .iter()
            .any(|word| !word.is_empty() && unit.starts_with(word))
    };
    let (_, microseconds) = UNITS
        .iter()
        .find(|(words, _)| begins(words) || words.contains(&unit.as_str()))?;
    let whole = number.split('.').next()?.parse::<u64>().ok()?;
    whole.checked_mul(*microseconds).map(Duration::from_micros)
}

/// Number and unit.
fn split(raw: &str) -> Option<(&str, &str)> {
    let raw = raw.trim();
    let end = raw
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(raw.len());
    let (number, unit) = raw.split_at(end);
    (!number.is_empty()).then(|| (number, unit.trim()))
}

/// A duration without its `P`; months and years are refused, because they have no fixed length.
fn parse_iso(text: &str) -> Option<Duration> {
    let (days, time) = text.split_once('T').unwrap_or((text, ""));
    let mut total = Duration::ZERO;
    for (mut rest, units) in [
        (days, &[('W', 604_800), ('D', 86_400)][..]),
        (time, &[('H', 3600), ('M', 60), ('S', 1)]),
    ] {
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let unit = rest[end..].chars().next()?;
            let (_, seconds) = units.iter().find(|(known, _)| *known == unit)?;
            let part = rest[..end].parse::<u64>().ok()?.checked_mul(*seconds)?;
            total = total.checked_add(Duration::from_secs(part))?;
            rest = &rest[end + unit.len_utf8()..];
        }
    }
    Some(total)
}

/// Says a time with the largest unit that keeps it whole.
pub fn format_duration(value: Duration) -> String {
    let ms = value.as_millis();
    match ms {
        0 => "0s".into(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}min", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parameter and configuration differ only where they are said to.
    #[test]
    fn one_table_of_words() {
        for (raw, parameter, interval) in [
            ("0", Some(0), Some(0)),
            ("10", Some(10_000), Some(10_000)),
            (" 10s", Some(10_000), Some(10_000)),
            ("500ms", Some(500), Some(500)),
            ("500msec", Some(500), Some(500)),
            ("5000us", Some(5), Some(5)),
            ("2 min", Some(120_000), Some(120_000)),
            ("2m", Some(120_000), Some(120_000)),
            ("1h", Some(3_600_000), Some(3_600_000)),
            ("1hr", Some(3_600_000), Some(3_600_000)),
            // Pacemaker drops the fraction, and looks at the first letters only.
            ("1.5s", Some(1500), Some(1000)),
            ("10S", None, Some(10_000)),
            ("10 seconds", None, Some(10_000)),
            ("2 minutes", None, Some(120_000)),
            ("PT1M30S", None, Some(90_000)),
            ("P1DT1S", None, Some(86_401_000)),
            ("PT", None, Some(0)),
            ("1.2.3", None, Some(1000)),
            ("", None, None),
            ("s", None, None),
            ("-1", None, None),
            ("1 day", None, None),
            ("1e3", None, None),
            ("ten", None, None),
            ("soon", None, None),
            ("PTx", None, None),
            ("PT99999999999999999999S", None, None),
        ] {
            let [parameter, interval] = [parameter, interval].map(|ms| ms.map(Duration::from_millis));
            assert_eq!(parse_duration(raw), parameter, "{raw:?} as a parameter");
            assert_eq!(parse_interval(raw), interval, "{raw:?} as an interval");
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back(ms in 0u64..10_000_000_000) {
            let value = Duration::from_millis(ms);
            let text = format_duration(value);
            let read = parse_duration(&text).unwrap();
            prop_assert!(read.abs_diff(value) < Duration::from_micros(1), "{read:?} for {value:?}");
            prop_assert_eq!(parse_interval(&text), Some(value));
        }

        #[test]
        fn no_input_panics(raw in ".*", digits in "P?T?[0-9]{0,40}[smhdwSMHDW.]*") {
            for text in [&raw, &digits] {
                let _ = parse_duration(text);
                let _ = parse_interval(text);
            }
        }
    }
}
