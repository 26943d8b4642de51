//! The log: syslog, and standard error on a terminal. A log that cannot be written never fails an action.

use crate::is_printable;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;
use syslog::{Facility, Formatter3164, Logger, LoggerBackend};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The action fails.
    Error,
    /// Something is not as it should be.
    Warning,
    /// A change of state.
    Info,
    /// For debugging.
    Debug,
}

struct Sink {
    identity: String,
    syslog: Option<Mutex<Logger<LoggerBackend, Formatter3164>>>,
    stderr: bool,
    debug: bool,
    trace: Option<File>,
    opened: Instant,
}

static SINK: OnceLock<Sink> = OnceLock::new();

/// Where log lines go.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who speaks, for example `kaiwudb(KaiwuDB)`.
    pub identity: String,
    /// Pacemaker's `HA_logfacility`; `daemon` when empty or unknown.
    pub facility: String,
    /// Whether debug lines are wanted.
    pub debug: bool,
    /// A file that gets every line, with the milliseconds since the start of the action.
    pub trace: Option<PathBuf>,
}

/// Opens the log. The second call has no effect.
pub fn open(settings: Settings) {
    SINK.get_or_init(|| Sink {
        syslog: connect(&settings).map(Mutex::new),
        identity: settings.identity,
        stderr: settings.debug || std::io::stderr().is_terminal(),
        debug: settings.debug,
        trace: settings.trace.and_then(|path| {
            let _ = path.parent().map(std::fs::create_dir_all);
            OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)
                .ok()
        }),
        opened: Instant::now(),
    });
}

/// The socket does not block: a stuck journal must not eat the time of an action.
fn connect(settings: &Settings) -> Option<Logger<LoggerBackend, Formatter3164>> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect("/dev/log").ok()?;
    socket.set_nonblocking(true).ok()?;
    let formatter = Formatter3164 {
        facility: settings.facility.parse().unwrap_or(Facility::LOG_DAEMON),
        hostname: None,
        process: settings.identity.clone(),
        pid: std::process::id(),
    };
    Some(Logger::new(LoggerBackend::Unix(socket), formatter))
}

/// Writes one line; nothing happens before [`open`].
pub fn write(level: Level, text: &str) {
    let Some(sink) = SINK.get() else { return };
    let text = &printable(text);
    if let Some(mut file) = sink.trace.as_ref() {
        let _ = writeln!(
            file,
            "{:8.3} {} {level:?}: {text}",
            sink.opened.elapsed().as_secs_f64(),
            sink.identity
        );
    }
    if level == Level::Debug && !sink.debug {
        return;
    }
    if let Some(mut logger) = sink.syslog.as_ref().and_then(|logger| logger.lock().ok()) {
        let _ = match level {
            Level::Error => logger.err(text),
            Level::Warning => logger.warning(text),
            Level::Info => logger.info(text),
            Level::Debug => logger.debug(text),
        };
    }
    if sink.stderr {
        let word = match level {
            Level::Error => "ERROR",
            Level::Warning => "WARNING",
            Level::Info => "INFO",
            Level::Debug => "DEBUG",
        };
        let _ = writeln!(std::io::stderr(), "{} {word}: {text}", sink.identity);
    }
}

/// What others have written must not move a cursor or ring a bell where the log is read.
fn printable(text: &str) -> String {
    let plain = |c: char| is_printable(c) || matches!(c, '\n' | '\t');
    text.chars()
        .map(|c| if plain(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Writes an error.
pub fn error(text: impl AsRef<str>) {
    write(Level::Error, text.as_ref());
}
/// Writes a warning.
pub fn warning(text: impl AsRef<str>) {
    write(Level::Warning, text.as_ref());
}
/// Writes a change of state.
pub fn info(text: impl AsRef<str>) {
    write(Level::Info, text.as_ref());
}
/// Writes a line for debugging.
pub fn debug(text: impl AsRef<str>) {
    write(Level::Debug, text.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(
            printable("a\x1b]0;x\x07\u{9b}2J b\n\tc"),
            "a\u{fffd}]0;x\u{fffd}\u{fffd}2J b\n\tc"
        );
    }
}
