//! Times for people, always UTC: the two nodes may be set to different zones.

/// Microseconds since 1970.
pub fn now_us() -> i64 {
    i64::try_from(host::now().as_micros()).unwrap_or(i64::MAX)
}

/// `2026-11-21` of seconds since 1970.
pub fn date(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-21 09:12:44` of seconds since 1970.
pub fn moment(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{} {:02}:{:02}:{:02}",
        date(seconds),
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Days since 1970 of a date in the Gregorian calendar; `None` for what is none. The reverse of [`date`].
fn days_since_1970(year: i32, month: u8, day: u8) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // As in `civil`, a year is counted from March.
    let year = i64::from(year) - i64::from(month < 3);
    let month = (i64::from(month) + 9) % 12;
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Seconds since 1970 of `2026-11-21`, `2026-11-21 09:12` or `2026-11-21T09:12:44Z`; `None` for anything else.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "0:0"));
    let numbers = |text: &str, mark: char| -> Option<Vec<i64>> {
        let numbers = text.split(mark).map(|part| {
            let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
            is_number.then(|| part.parse().ok())?
        });
        numbers.collect()
    };
    let [year, month, day] = numbers(date, '-')?[..] else {
        return None;
    };
    let (hour, minute, second) = match numbers(clock, ':')?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let (month_number, day_number) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let days = days_since_1970(i32::try_from(year).ok()?, month_number, day_number)?;
    // The 30th of February is a day of March.
    let is_possible = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    (is_possible && year >= 1970).then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Seconds with two digits, of milliseconds.
#[allow(clippy::cast_precision_loss)] // milliseconds of minutes
pub fn seconds(milliseconds: i64) -> String {
    format!("{:.2}", milliseconds as f64 / 1000.0)
}

/// The time now, `09:12:44`.
pub fn clock() -> String {
    moment(now_us() / 1_000_000).split_off(11)
}

/// Year, month and day of a number of days since 1970 in the Gregorian calendar. A year is counted from March, so that the leap
/// day is its last one.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (year_of_era + era * 400 + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds() {
        for seconds in [0, 951_827_696, 1_795_219_200, 4_107_542_399] {
            assert_eq!(parse(&moment(seconds)), Some(seconds));
            assert_eq!(
                parse(&format!("{}Z", moment(seconds).replace(' ', "T"))),
                Some(seconds)
            );
        }
        assert_eq!(parse("2026-11-21"), Some(1_795_219_200));
        assert_eq!(parse("2026-11-21 00:01"), Some(1_795_219_260));
        for wrong in [
            "",
            "2026",
            "2026-02-30",
            "2026-13-01",
            "2026-11-21 24:00",
            "2026-11-21 9",
            "-1-1-1",
            "2026-11-21x",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn seconds_become_dates() {
        assert_eq!(moment(0), "1970-01-01 00:00:00");
        assert_eq!(moment(951_827_696), "2000-02-29 12:34:56");
        assert_eq!(date(1_795_219_200), "2026-11-21");
        assert_eq!(date(4_107_542_399), "2100-02-28");
        assert_eq!(date(-1), "1969-12-31");
        for days in [-1, 0, 59, 60, 11_016, 20_788, 47_541] {
            let text = date(days * 86_400);
            let mut numbers = text.split('-').map(|number| number.parse::<i32>().unwrap());
            let mut small = || u8::try_from(numbers.next().unwrap()).ok();
            let year = text[..4].parse().unwrap();
            small();
            assert_eq!(
                days_since_1970(year, small().unwrap(), small().unwrap()),
                Some(days),
                "{text}"
            );
        }
        assert_eq!(days_since_1970(2026, 13, 1), None);
    }
}
