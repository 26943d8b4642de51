//! Logs as they are written become [`Record`]s: the journal's JSON, Pacemaker's and Corosync's own files, syslog's.

use super::record::Record;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// Of no line is more kept, in characters.
const LONGEST: usize = 600;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A time as a log file has it, in the node's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// `None`: the log does not say it.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Microseconds since midnight.
    pub of_day: i64,
}

/// One line of `journalctl --output=json`. Only the word of the kernel, of root and of `cluster_uid`, as whom Pacemaker's daemons run, counts:
/// anybody may write to the journal under any name.
pub(super) fn journal(line: &str, cluster_uid: Option<u32>) -> Option<Record> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| text(&entry[name]);
    if field("_TRANSPORT")? != "kernel" {
        let uid: u32 = field("_UID")?.parse().ok()?;
        if uid != 0 && Some(uid) != cluster_uid {
            return None;
        }
    }
    Some(Record {
        at: field("__REALTIME_TIMESTAMP")?.parse().ok()?,
        source: "journal".to_owned(),
        who: field("SYSLOG_IDENTIFIER").or_else(|| field("_COMM"))?,
        text: plain(&field("MESSAGE")?),
    })
}

/// A field is a string, or the bytes of one that is no plain text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(bytes) => {
            let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
            Some(String::from_utf8_lossy(&bytes?).into_owned())
        }
        _ => None,
    }
}

/// `Dec 01 13:05:26.205 node1 pacemaker-schedulerd[105] (function) info: text | details`, of Pacemaker 2.0 to 3.0.
static PACEMAKER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(\S.*?\d:\d\d:\d\d\S*) +\S+ +([\w-]+) *\[\d+\] +\([^)]*\)[ \t]+\w+:[ \t]+(.*)$").ok()
});
/// `Dec 01 09:08:40.188 [46] node1 corosync notice  [QUORUM] text`.
static COROSYNC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(\S.*?\d:\d\d:\d\d\S*) +\[\d+\] +\S+ +corosync +\w+ +\[\w+ *\] +(.*)$").ok()
});
/// `Dec  1 13:04:41 node2 kaiwudb(KaiwuDB)[173]: text`, or with a time as in RFC 3339.
static SYSLOG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(\w{3} +\d+ \d\d:\d\d:\d\d\S*|\d{4}-\d\d-\d\dT\S+) +\S+ +([^\s\[:]+)(?:\[\d+\])?: ?(.*)$")
        .ok()
});

/// A line of a log file: when, who, what. `None` where it is none of those that are known.
pub(super) fn file(source: &str, line: &str) -> Option<(Time, Record)> {
    let record = |who: &str, text: &str| Record {
        at: 0,
        source: source.to_owned(),
        who: who.to_owned(),
        text: plain(text),
    };
    if let Some(found) = COROSYNC.as_ref()?.captures(line) {
        return Some((time(&found[1])?, record("corosync", &found[2])));
    }
    if let Some(found) = PACEMAKER.as_ref()?.captures(line) {
        return Some((time(&found[1])?, record(&found[2], &found[3])));
    }
    let found = SYSLOG.as_ref()?.captures(line)?;
    Some((time(&found[1])?, record(&found[2], &found[3])))
}

/// A line of `dmesg --time-format iso`: `2026-12-01T13:05:26,205123+08:00 EXT4-fs (loop0): x`.
pub(super) fn dmesg(line: &str) -> Option<Record> {
    let (when, text) = line.split_once(' ')?;
    let Time::Known(at) = rfc3339(when)? else {
        return None;
    };
    Some(Record {
        at,
        source: "dmesg".to_owned(),
        who: "kernel".to_owned(),
        text: plain(text),
    })
}

/// When a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// Microseconds since 1970.
    Known(i64),
    /// By the node's time zone.
    Local(Local),
}

/// `Dec 01 13:05:26.205`, `Dec 01 13:05:26 2026`, or `2026-12-01T13:05:26.205123+08:00`.
fn time(text: &str) -> Option<Time> {
    if text.as_bytes().get(4) == Some(&b'-') {
        return rfc3339(text);
    }
    let mut words = text.split_whitespace();
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let day = words.next()?.parse().ok()?;
    Some(Time::Local(Local {
        year: None,
        month: u8::try_from(month + 1).ok()?,
        day,
        of_day: of_day(words.next()?)?,
    }))
}

fn rfc3339(text: &str) -> Option<Time> {
    let (date, rest) = text.split_once('T')?;
    let zone = rest.find(['+', '-', 'Z'])?;
    let (clock, zone) = rest.split_at(zone);
    let ahead = if zone == "Z" {
        0
    } else {
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let ahead = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        if zone.starts_with('-') { -ahead } else { ahead }
    };
    let midnight = crate::time::parse(date)?;
    Some(Time::Known((midnight - ahead) * 1_000_000 + of_day(clock)?))
}

/// The first time in a line like `-1 BOOT Tue 2026-12-01 13:04:25 UTC`, in UTC.
pub(super) fn first_moment(line: &str) -> Option<i64> {
    let mut words = line.split_whitespace();
    let date = words.find(|word| word.len() == 10 && word.as_bytes()[4] == b'-')?;
    let seconds = crate::time::parse(&format!("{date} {}", words.next()?))?;
    Some(seconds * 1_000_000)
}

/// Microseconds of `13:05:26.205`.
fn of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut numbers = clock.split(':').map(|number| number.parse::<i64>().ok());
    let seconds = numbers.next()?? * 3600 + numbers.next()?? * 60 + numbers.next()??;
    let digits: String = fraction
        .chars()
        .take_while(char::is_ascii_digit)
        .chain("000000".chars())
        .take(6)
        .collect();
    Some(seconds * 1_000_000 + digits.parse::<i64>().ok()?)
}

/// Without severity (` notice: `), Corosync's subsystem (`  [TOTEM ] `) and Pacemaker's details for programmers (` | …`).
fn plain(text: &str) -> String {
    let text = text.trim();
    let text = ["notice: ", "warning: ", "error: ", "info: ", "crit: "]
        .iter()
        .find_map(|severity| text.strip_prefix(severity))
        .unwrap_or(text);
    let text = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((subsystem, rest)) if subsystem.trim_end().chars().all(|c| c.is_ascii_uppercase()) => rest,
        // The kernel's own clock.
        Some((uptime, rest)) if uptime.trim().parse::<f64>().is_ok() => rest,
        _ => text,
    };
    let text = text.split(" | ").next().unwrap_or(text);
    text.trim().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_file_is_read() {
        for (line, who, text) in [
            (
                "Dec 01 13:05:26.205 node1 pacemaker-schedulerd[105] (unpack_transient_attributes) \tinfo: node2 is in standby mode",
                "pacemaker-schedulerd",
                "node2 is in standby mode",
            ),
            (
                "Dec 01 13:05:26.205 node1 pacemaker-based     [101] (cib_perform_op) \tinfo: Completed x: OK (rc=0, origin=node1/crmd/15, version=0.12.45) | a",
                "pacemaker-based",
                "Completed x: OK (rc=0, origin=node1/crmd/15, version=0.12.45)",
            ),
            (
                "Dec 01 09:08:40.188 [46] node1 corosync notice  [TOTEM ] A new membership (1.12) was formed. Members joined: 2",
                "corosync",
                "A new membership (1.12) was formed. Members joined: 2",
            ),
            (
                "Dec  1 13:05:26 node1 kaiwudb(KaiwuDB)[173]: server pid 179 serves after 0.66 s",
                "kaiwudb(KaiwuDB)",
                "server pid 179 serves after 0.66 s",
            ),
            (
                "2026-12-01T13:05:26.205123+08:00 node1 pacemaker-controld[98]:  notice: Node node1 state is now lost",
                "pacemaker-controld",
                "Node node1 state is now lost",
            ),
            (
                "Dec  1 13:05:26 node1 kernel: [14927.55] EXT4-fs (loop0): x",
                "kernel",
                "EXT4-fs (loop0): x",
            ),
        ] {
            let (_, record) = file("f", line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((record.who.as_str(), record.text.as_str()), (who, text));
        }
        assert!(file("f", "").is_none() && file("f", "no log").is_none());
        let said = dmesg("2026-12-01T13:05:26,205123+08:00 EXT4-fs (loop0): x").unwrap();
        assert_eq!(
            (said.at, said.text.as_str()),
            (1_796_101_526_205_123, "EXT4-fs (loop0): x")
        );
        assert!(dmesg("").is_none() && dmesg("[ 1.0] x").is_none());
    }

    #[test]
    fn times_are_read() {
        assert_eq!(
            time("2000-02-29T20:34:56.5+08:00"),
            Some(Time::Known(951_827_696_500_000))
        );
        let Some(Time::Local(local)) = time("Dec 01 00:00:01.25") else {
            panic!("no time")
        };
        assert_eq!((local.month, local.day, local.of_day), (12, 1, 1_250_000));
        let boot = " -1 dadeac8543904ea39780e0091c72db04 Tue 2000-02-29 12:34:56 UTC\u{2014}Tue 2000-03-01 12:00:00 UTC";
        assert_eq!(first_moment(boot), Some(951_827_696_000_000));
        assert_eq!(first_moment("IDX BOOT ID FIRST ENTRY LAST ENTRY"), None);
        for broken in [
            "",
            "Dec",
            "Dec 1",
            "Foo 1 00:00:00",
            "2000-13T",
            "2000-02-29T20:34",
        ] {
            assert_eq!(time(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_services_account_cannot_put_words_into_the_journal() {
        let line = |uid: &str, transport: &str| {
            format!(
                r#"{{"__REALTIME_TIMESTAMP":"1","MESSAGE":" notice: x","SYSLOG_IDENTIFIER":"kernel","_UID":"{uid}","_TRANSPORT":"{transport}"}}"#
            )
        };
        assert_eq!(journal(&line("0", "syslog"), None).unwrap().text, "x");
        assert!(journal(&line("102", "syslog"), Some(102)).is_some());
        assert!(journal(&line("1000", "syslog"), Some(102)).is_none());
        assert!(journal(&line("1000", "kernel"), None).is_some());
        assert!(journal("{", None).is_none());
        let bytes = r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":[97,27,98],"SYSLOG_IDENTIFIER":"x","_UID":"0","_TRANSPORT":"syslog"}"#;
        assert_eq!(journal(bytes, None).unwrap().text, "a\u{1b}b");
    }
}
