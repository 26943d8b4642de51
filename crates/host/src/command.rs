//! Running other programs. The only place that does.

use crate::daemon::{Daemon, DaemonOutput};
use crate::{Deadline, log, pidfd};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Where tools are looked for. The caller's `PATH` is not used: execd's may be empty, and a human's may be anything.
const DIRECTORIES: [&str; 6] = [
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
];

/// Nothing that is asked for is longer: the configuration of a cluster with thousands of resources has some MiB.
const OUTPUT_CAP: usize = 16 << 20;

/// A program to run: no shell, standard input empty, `LC_ALL=C`, own process group, killed with us.
#[derive(Debug)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    directory: Option<PathBuf>,
}

/// What a program that ended by itself left.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, at most 16 MiB.
    pub stdout: Vec<u8>,
    /// Its standard error; what goes beyond 16 MiB is dropped.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a program gave no answer.
#[derive(Debug)]
pub enum CommandError {
    /// It is in none of the directories that are searched.
    NotFound(String),
    /// It could not be started.
    Start(String, std::io::Error),
    /// It did not end in time and was killed.
    DeadlineOver(String, Duration),
    /// It said more than 16 MiB, of which no part may be taken for the whole.
    TooLong(String),
    /// It ended with another status than 0.
    Failed(String, Box<Output>),
}

impl Command {
    /// A tool by name, or a program by absolute path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Vec::new(),
            directory: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable in its environment, which is otherwise ours with `LC_ALL=C`.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// What it reads from its standard input, as fast as it likes; it need not read it.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Where it runs; without it, where we do.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Whether the program can be found.
    pub fn is_installed(&self) -> bool {
        self.resolve().is_some()
    }

    fn resolve(&self) -> Option<PathBuf> {
        let path = Path::new(&self.program);
        if path.is_absolute() {
            return path.is_file().then(|| path.to_owned());
        }
        DIRECTORIES
            .iter()
            .map(|directory| Path::new(directory).join(path))
            .find(|path| path.is_file())
    }

    /// Where the program is; an error where it is not installed.
    pub fn path(&self) -> Result<PathBuf, CommandError> {
        self.resolve()
            .ok_or_else(|| CommandError::NotFound(self.program.to_string_lossy().into_owned()))
    }

    fn line(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|part| part.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Runs it; an exit status other than 0 is an answer like any other.
    pub fn run(&self, deadline: Deadline) -> Result<Output, CommandError> {
        let result = self.run_untraced(deadline);
        match &result {
            Ok(output) => {
                let took = output.elapsed.as_secs_f64();
                log::debug(format!("ran '{}': {}, {took:.3} s", self.line(), output.status));
            }
            Err(error) => log::debug(error.to_string()),
        }
        result
    }

    fn run_untraced(&self, deadline: Deadline) -> Result<Output, CommandError> {
        let started = Instant::now();
        let mut child = self.spawn()?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        match collect(&mut child, &self.input, &mut stdout, &mut stderr, deadline) {
            Ok(Some(_)) if stdout.len() > OUTPUT_CAP => Err(CommandError::TooLong(self.line())),
            Ok(Some(status)) => Ok(Output {
                status,
                stdout,
                stderr,
                elapsed: started.elapsed(),
            }),
            Ok(None) => {
                kill_group(&mut child);
                Err(CommandError::DeadlineOver(self.line(), started.elapsed()))
            }
            Err(error) => {
                kill_group(&mut child);
                Err(CommandError::Start(self.line(), error))
            }
        }
    }

    /// Runs it; an exit status other than 0 is an error that carries the output.
    pub fn run_ok(&self, deadline: Deadline) -> Result<Output, CommandError> {
        let output = self.run(deadline)?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(CommandError::Failed(self.line(), Box::new(output)))
        }
    }

    /// Starts it in a session of its own and leaves it alone: neither its end nor what it says is waited for, and it may outlive us.
    pub fn start_unwaited(&self) -> Result<(), CommandError> {
        let path = self.path()?;
        let daemon = Daemon::new(&path).args(&self.arguments);
        let nowhere = File::options().write(true).open("/dev/null");
        nowhere
            .and_then(|nowhere| daemon.spawn(DaemonOutput::File(nowhere)))
            .map_err(|error| CommandError::Start(self.line(), error))?;
        log::debug(format!("started '{}'", self.line()));
        Ok(())
    }

    #[allow(clippy::disallowed_methods)] // this is what the lint points everybody to
    fn spawn(&self) -> Result<Child, CommandError> {
        let path = self.path()?;
        let mut command = std::process::Command::new(path);
        command
            .args(&self.arguments)
            .env("LC_ALL", "C")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if self.input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        // SAFETY: prctl is async-signal-safe and touches only the child.
        unsafe {
            command.pre_exec(|| {
                // A tool must not outlive an agent that Pacemaker killed.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        command
            .spawn()
            .map_err(|error| CommandError::Start(self.line(), error))
    }
}

/// Feeds the program, reads both pipes and waits for the end. `None`: the deadline is over. A grandchild that keeps a pipe
/// open after the end of the program does not delay the answer.
fn collect(
    child: &mut Child,
    mut input: &[u8],
    stdout: &mut Vec<u8>,
    stderr: &mut Vec<u8>,
    deadline: Deadline,
) -> std::io::Result<Option<ExitStatus>> {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0));
    let ended: Option<OwnedFd> = pidfd::open(pid);
    let (mut stdin, mut out, mut err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    for fd in [
        stdin.as_ref().map(AsFd::as_fd),
        out.as_ref().map(AsFd::as_fd),
        err.as_ref().map(AsFd::as_fd),
    ]
    .into_iter()
    .flatten()
    {
        fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    loop {
        let status = child.try_wait()?;
        feed(&mut stdin, &mut input)?;
        drain(&mut out, stdout)?;
        drain(&mut err, stderr)?;
        if status.is_some() {
            return Ok(status);
        }
        if deadline.is_over() {
            return Ok(None);
        }
        let mut fds: Vec<PollFd<'_>> = [
            out.as_ref().map(AsFd::as_fd),
            err.as_ref().map(AsFd::as_fd),
            ended.as_ref().map(AsFd::as_fd),
        ]
        .into_iter()
        .flatten()
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
        fds.extend(
            stdin
                .as_ref()
                .map(|stdin| PollFd::new(stdin.as_fd(), PollFlags::POLLOUT)),
        );
        // Without a pidfd nothing wakes us for the end itself.
        let timeout = deadline
            .poll_timeout()
            .min(if ended.is_some() { u16::MAX } else { 10 });
        match poll(&mut fds, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes what the pipe has room for; closes it after the last byte, or when the program has closed its end.
fn feed(stream: &mut Option<impl Write>, input: &mut &[u8]) -> std::io::Result<()> {
    while let Some(open) = stream {
        let written = if input.is_empty() {
            Ok(0)
        } else {
            open.write(input)
        };
        match written {
            Ok(0) => *stream = None,
            Ok(count) => *input = &input[count..],
            Err(error) if error.kind() == ErrorKind::BrokenPipe => *stream = None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads what is there now; drops the stream at its end.
fn drain(stream: &mut Option<impl Read>, into: &mut Vec<u8>) -> std::io::Result<()> {
    let Some(open) = stream else { return Ok(()) };
    let mut buffer = [0; 8192];
    loop {
        match open.read(&mut buffer) {
            Ok(0) => {
                *stream = None;
                return Ok(());
            }
            Ok(count) => {
                into.extend_from_slice(&buffer[..count.min((OUTPUT_CAP + 1).saturating_sub(into.len()))]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Kills the program and what it started. A process in uninterruptible sleep is left behind: waiting for it would hang us.
fn kill_group(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let reap = Deadline::after(Duration::from_millis(200));
    while matches!(child.try_wait(), Ok(None)) && reap.pause(Duration::from_millis(5)) {}
}

impl Output {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The last lines of standard error that are not empty, at most three; of standard output when there are none.
    pub fn last_words(&self) -> String {
        let last = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let lines: Vec<&str> = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect();
            lines[lines.len().saturating_sub(3)..].join(" | ")
        };
        match last(&self.stderr) {
            words if words.is_empty() => last(&self.stdout),
            words => words,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(program) => write!(f, "{program} is not installed"),
            Self::Start(line, error) => write!(f, "cannot run '{line}': {error}"),
            Self::TooLong(line) => write!(f, "'{line}' said more than {} MiB", OUTPUT_CAP >> 20),
            Self::DeadlineOver(line, elapsed) => {
                write!(
                    f,
                    "'{line}' did not answer within {:.1} s and was killed",
                    elapsed.as_secs_f64()
                )
            }
            Self::Failed(line, output) => {
                match (output.status.code(), output.status.signal()) {
                    (Some(code), _) => write!(f, "'{line}' failed with status {code}")?,
                    (None, signal) => write!(f, "'{line}' was ended by signal {}", signal.unwrap_or(0))?,
                }
                match output.last_words() {
                    words if words.is_empty() => Ok(()),
                    words => write!(f, ": {words}"),
                }
            }
        }
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        Command::new("sh").arg("-c").arg(script)
    }
    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn output_status_and_environment() {
        let output = shell("echo $LC_ALL; echo err >&2; exit 3").run(soon()).unwrap();
        assert_eq!(output.text(), "C\n");
        assert_eq!(
            (output.status.code(), output.last_words().as_str()),
            (Some(3), "err")
        );
        let error = shell("echo why >&2; exit 3")
            .run_ok(soon())
            .unwrap_err()
            .to_string();
        assert!(error.contains("status 3: why"), "{error}");
    }

    #[test]
    fn input_is_offered() {
        assert_eq!(
            Command::new("cat").input("secret").run_ok(soon()).unwrap().text(),
            "secret"
        );
        assert!(Command::new("true").input("unread").run_ok(soon()).is_ok());
    }

    /// More than a pipe holds.
    #[test]
    fn much_input_is_read_late_or_never() {
        let much = vec![b'x'; 1 << 20];
        let late = shell("sleep 0.2; wc -c").input(much.clone());
        assert_eq!(late.run_ok(soon()).unwrap().text().trim(), "1048576");
        let both_ways = Command::new("cat").input(much.clone());
        assert_eq!(both_ways.run_ok(soon()).unwrap().stdout.len(), 1 << 20);
        let started = Instant::now();
        let error = shell("sleep 30")
            .input(much)
            .run(Deadline::after(Duration::from_millis(100)))
            .unwrap_err();
        assert!(matches!(error, CommandError::DeadlineOver(..)), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_hanging_tool_is_killed_with_its_children() {
        let started = Instant::now();
        let error = shell("sleep 60 & sleep 60")
            .run(Deadline::after(Duration::from_millis(100)))
            .unwrap_err();
        assert!(matches!(error, CommandError::DeadlineOver(..)), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_does_not_delay_the_answer() {
        let started = Instant::now();
        let grandchild = shell("setsid sleep 60 & echo $!").run_ok(soon()).unwrap().text();
        assert!(started.elapsed() < Duration::from_secs(30));
        shell(&format!("kill {grandchild}")).run_ok(soon()).unwrap();
    }

    #[test]
    fn a_part_is_not_taken_for_the_whole() {
        let zeros = |count: usize| {
            shell(&format!("head -c {count} /dev/zero")).run(Deadline::after(Duration::from_secs(30)))
        };
        assert_eq!(zeros(OUTPUT_CAP).unwrap().stdout.len(), OUTPUT_CAP);
        let error = zeros(OUTPUT_CAP + 1).unwrap_err();
        assert!(matches!(error, CommandError::TooLong(_)), "{error}");
    }

    #[test]
    fn a_missing_tool_is_named() {
        let error = Command::new("no-such-tool").run(soon()).unwrap_err().to_string();
        assert_eq!(error, "no-such-tool is not installed");
    }
}
