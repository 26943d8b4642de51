//! How far back records are read: what `--since` says.

use crate::texts::since as texts;
use anyhow::{Result, bail};
use site::language::Language;
use site::time;
use std::time::Duration;

/// The time between what `since` says and `now`, which is in seconds since 1970.
pub(crate) fn back(since: &str, now: i64, language: Language) -> Result<Duration> {
    let wrong = |text: site::language::Text| text.fill(language, &[("since", since)]);
    if let Some(span) = span(since) {
        return Ok(span);
    }
    let Some(moment) = time::parse(since) else {
        bail!(wrong(texts::SINCE));
    };
    match u64::try_from(now - moment) {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => bail!(wrong(texts::FUTURE)),
    }
}

fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let is_number = (1..=6).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit());
    let number: u64 = is_number.then(|| number.parse().ok())??;
    (number > 0).then(|| Duration::from_secs(number * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_times() {
        let back = |since| {
            back(since, 1_795_219_200, Language::English)
                .ok()
                .map(|back| back.as_secs())
        };
        assert_eq!(back("30m"), Some(1800));
        assert_eq!(back("7d"), Some(604_800));
        assert_eq!(back("2026-11-20"), Some(86_400));
        assert_eq!(back("2026-11-20T23:59:00Z"), Some(60));
        for wrong in ["", "h", "0h", "-1h", "1x", "2026-11-22", "99999999d", "1é"] {
            assert_eq!(back(wrong), None, "{wrong}");
        }
    }
}
