//! How far back.

use site::time::{days_since_1970, now_us};

/// Microseconds since 1970 of `90m`, `12h`, `7d` ago, or of `2026-12-01`, `2026-12-01T13:00` in UTC.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    ago(text)
        .map(|seconds| now_us() - seconds * 1_000_000)
        .or_else(|| moment(text))
        .ok_or_else(|| "write 90m, 12h or 7d, or a time as 2026-12-01 or 2026-12-01T13:00".to_owned())
}

fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok()?;
    (0..=36_500)
        .contains(&(count * seconds / 86_400))
        .then_some(count * seconds)
}

fn moment(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let mut numbers = date.splitn(3, '-');
    let year = numbers.next()?.parse().ok()?;
    let month = numbers.next()?.parse().ok()?;
    let days = days_since_1970(year, month, numbers.next()?.parse().ok()?)?;
    let mut numbers = clock.splitn(3, ':');
    let mut number = |most: i64| match numbers.next() {
        None => Some(0),
        Some(text) => text.parse().ok().filter(|number| (0..=most).contains(number)),
    };
    let of_day = number(23)? * 3600 + number(59)? * 60 + number(60)?;
    Some((days * 86_400 + of_day) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(moment("2000-02-29"), Some(951_782_400_000_000));
        assert_eq!(moment("2000-02-29T12:34:56"), Some(951_827_696_000_000));
        assert_eq!(moment("2000-02-29 12:34"), Some(951_827_640_000_000));
        assert!(parse("2h").is_ok_and(|at| (now_us() - at - 7_200_000_000).abs() < 60_000_000));
        for wrong in [
            "",
            "h",
            "-1h",
            "7w",
            "2000-02",
            "2000-13-01",
            "2000-02-29T25:00",
            "99999999999999999999d",
            "999999999999999d",
            "日",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
