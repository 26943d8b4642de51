//! Faults and knobs for tests, each behind an environment variable `KWBASE_STANDIN_*`; without them there are none.

use std::time::Duration;

/// What the environment asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Faults {
    /// `IGNORE_SIGTERM=1`: SIGTERM has no effect, however often it comes.
    pub(crate) ignore_sigterm: bool,
    /// `SIGNAL_DELAY=<seconds>`: a signal is taken so long after it came, and equal ones that came meanwhile are one.
    pub(crate) signal_delay: Duration,
    /// `START_DELAY=<seconds>`: the storage engine takes this much longer to open.
    pub(crate) start_delay: Duration,
    /// `HANG_AFTER_READY=<seconds>`: so long after SQL is served nothing answers any more; ports stay open.
    pub(crate) hang_after_ready: Option<Duration>,
    /// `DRAIN_SECONDS=<n>`: how long a graceful stop takes without clients.
    pub(crate) drain: Duration,
    /// `EXIT_AT_START=<code>`: end with this code once the flags are read.
    pub(crate) exit_at_start: Option<i32>,
    /// `MEMORY=<MiB>`: the server holds so much, which the kernel takes back when it ends: a real one is 0.1 to 0.2 s about it.
    pub(crate) memory_mib: usize,
}

/// The real server takes 1.9 to 3.9 s.
const DEFAULT_DRAIN: Duration = Duration::from_secs(2);

impl Faults {
    /// Reads the variables through `lookup`; a value that cannot be read is an error, never ignored.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let value = |name: &str| lookup(&format!("KWBASE_STANDIN_{name}")).filter(|value| !value.is_empty());
        let bad = |name: &str, value: &str, allowed: &str| {
            format!("KWBASE_STANDIN_{name}={value} is not valid: it must be {allowed}")
        };
        let switch = |name: &str| match value(name).as_deref() {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(other) => Err(bad(name, other, "0 or 1")),
        };
        let seconds = |name: &str| match value(name) {
            None => Ok(None),
            Some(text) => {
                let parsed = text
                    .parse()
                    .ok()
                    .and_then(|number| Duration::try_from_secs_f64(number).ok());
                parsed
                    .map(Some)
                    .ok_or_else(|| bad(name, &text, "a number of seconds"))
            }
        };
        Ok(Self {
            ignore_sigterm: switch("IGNORE_SIGTERM")?,
            signal_delay: seconds("SIGNAL_DELAY")?.unwrap_or_default(),
            start_delay: seconds("START_DELAY")?.unwrap_or_default(),
            hang_after_ready: seconds("HANG_AFTER_READY")?,
            drain: seconds("DRAIN_SECONDS")?.unwrap_or(DEFAULT_DRAIN),
            exit_at_start: match value("EXIT_AT_START") {
                None => None,
                Some(text) => match text.parse() {
                    Ok(code @ 0..=255) => Some(code),
                    _ => return Err(bad("EXIT_AT_START", &text, "an exit code from 0 to 255")),
                },
            },
            memory_mib: match value("MEMORY") {
                None => 0,
                Some(text) => text
                    .parse()
                    .map_err(|_| bad("MEMORY", &text, "a number of MiB"))?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_means_no_fault() {
        let faults = Faults::read(|_| None).unwrap();
        assert!(!faults.ignore_sigterm);
        assert_eq!(
            (faults.signal_delay, faults.start_delay, faults.hang_after_ready),
            (Duration::ZERO, Duration::ZERO, None)
        );
        assert_eq!((faults.drain, faults.exit_at_start), (DEFAULT_DRAIN, None));
    }

    #[test]
    fn a_bad_value_names_the_variable_and_what_is_allowed() {
        let error =
            Faults::read(|name| (name == "KWBASE_STANDIN_START_DELAY").then(|| "soon".into())).unwrap_err();
        assert_eq!(
            error,
            "KWBASE_STANDIN_START_DELAY=soon is not valid: it must be a number of seconds"
        );
        let error =
            Faults::read(|name| (name == "KWBASE_STANDIN_EXIT_AT_START").then(|| "256".into())).unwrap_err();
        assert!(error.ends_with("an exit code from 0 to 255"), "{error}");
    }
}
