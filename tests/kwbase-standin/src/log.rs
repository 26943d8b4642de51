//! The server's log: `<log-dir>/kwbase.log` in the line format of glog, and the ways in which logging ends the server.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::dup2_stderr;
use time::OffsetDateTime;
use time::macros::format_description;

/// Exit code of a fatal log entry (Go's `log.Fatal` of the real server).
pub(crate) const EXIT_FATAL: i32 = 255;
/// Exit code when the log file itself cannot be written.
const EXIT_LOG_FAILED: i32 = 2;

/// How severe an entry is; the letter starts its line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Info,
    Warning,
    Error,
    Fatal,
}

impl Severity {
    fn letter(self) -> char {
        match self {
            Self::Info => 'I',
            Self::Warning => 'W',
            Self::Error => 'E',
            Self::Fatal => 'F',
        }
    }
}

/// The open log file.
pub(crate) struct Log {
    file: Mutex<File>,
    to_stderr: bool,
    /// Whether standard error goes here, too.
    is_stderr: AtomicBool,
}

impl Log {
    /// Opens `<directory>/kwbase.log`; ends the process with 2 when that is impossible, as the real logger does.
    pub(crate) fn open(directory: &Path, to_stderr: bool) -> Self {
        match OpenOptions::new()
            .create(true)
            .append(true)
            .open(directory.join("kwbase.log"))
        {
            Ok(file) => Self {
                file: Mutex::new(file),
                to_stderr,
                is_stderr: AtomicBool::new(false),
            },
            Err(error) => exit_because(&format!("cannot create log: {}", os_text(&error))),
        }
    }

    /// From now on what is written to standard error goes to the log, as the real server has it once it serves.
    pub(crate) fn take_standard_error(&self) {
        if self.to_stderr {
            return;
        }
        if let Ok(file) = self.file.lock() {
            self.is_stderr
                .store(dup2_stderr(&*file).is_ok(), Ordering::SeqCst);
        }
    }

    pub(crate) fn info(&self, message: &str) {
        self.write(Severity::Info, message);
    }

    pub(crate) fn warning(&self, message: &str) {
        self.write(Severity::Warning, message);
    }

    pub(crate) fn error(&self, message: &str) {
        self.write(Severity::Error, message);
    }

    /// Logs `message`, repeats it on stderr and ends the process with 255.
    pub(crate) fn fatal(&self, message: &str) -> ! {
        self.shout(message);
        std::process::exit(EXIT_FATAL);
    }

    /// As [`Log::fatal`] for the caller that chooses the exit code.
    pub(crate) fn shout(&self, message: &str) {
        if !self.is_stderr.load(Ordering::SeqCst) {
            let _ = io::stderr().write_all(line(Severity::Fatal, message).as_bytes());
        }
        self.write(Severity::Fatal, message);
    }

    fn write(&self, severity: Severity, message: &str) {
        let line = line(severity, message);
        if self.to_stderr && severity != Severity::Fatal {
            let _ = io::stderr().write_all(line.as_bytes());
        }
        let Ok(mut file) = self.file.lock() else { return };
        match file.write_all(line.as_bytes()) {
            Ok(()) => {}
            // The real one has a buffer; what ends the server is in `engine`.
            Err(error) if error.kind() == ErrorKind::StorageFull => {}
            Err(_) if severity == Severity::Fatal => {}
            Err(error) => exit_because(&os_text(&error)),
        }
    }
}

/// Ends the process because the log cannot be written.
pub(crate) fn exit_because(reason: &str) -> ! {
    let _ = writeln!(io::stderr(), "log: exiting because of error: {reason}");
    std::process::exit(EXIT_LOG_FAILED);
}

fn line(severity: Severity, message: &str) -> String {
    let format =
        format_description!("[year repr:last_two][month][day] [hour]:[minute]:[second].[subsecond digits:6]");
    let stamp = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    format!(
        "{}{stamp} {} standin  {message}\n",
        severity.letter(),
        std::process::id()
    )
}

/// An error's text without Rust's "(os error N)", in lower case at the start, as Go prints it.
pub(crate) fn os_text(error: &io::Error) -> String {
    // musl has words of its own for these; Go's are the same everywhere.
    match error.kind() {
        ErrorKind::AddrInUse => return "address already in use".to_owned(),
        ErrorKind::AddrNotAvailable => return "cannot assign requested address".to_owned(),
        _ => {}
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_form_of_glog() {
        let line = line(Severity::Warning, "hello");
        assert!(line.starts_with('W'), "{line}");
        assert!(line.ends_with(" standin  hello\n"), "{line}");
        assert_eq!(line.split(' ').next().unwrap().len(), 7, "{line}");
    }

    #[test]
    fn os_errors_read_like_go() {
        assert_eq!(
            os_text(&io::Error::from_raw_os_error(98)),
            "address already in use"
        );
    }
}
