//! Calling an agent as Pacemaker does, and what came of it.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// `crm_mon` shows so much of a reason: `EXIT_REASON_MAX_LEN` of Pacemaker 2.0 to 3.0 is 128, with the final zero.
const SHOWN: usize = 127;
/// No call in these tests may take longer.
const LIMIT: Duration = Duration::from_secs(180);
/// How long a stream may stay open after the agent's end; longer means that a process it left behind holds it.
const STREAMS_LIMIT: Duration = Duration::from_secs(20);
/// As advertised a start may take longer than the other actions: it may be the first one on an empty store.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const TIMEOUT: Duration = Duration::from_secs(20);

/// One call of an agent.
#[derive(Clone, Debug)]
pub struct Call {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: BTreeMap<OsString, OsString>,
    redirections: &'static str,
    caller_directory: Option<PathBuf>,
}

impl Call {
    /// A call of `program` with the environment that Pacemaker 2.1 gives.
    pub fn new(program: PathBuf, action: &str) -> Self {
        let call = Self {
            program,
            arguments: vec![action.into()],
            variables: BTreeMap::new(),
            redirections: "",
            caller_directory: None,
        };
        call.env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("OCF_ROOT", "/usr/lib/ocf")
        .env("OCF_RA_VERSION_MAJOR", "1")
        .env("OCF_RA_VERSION_MINOR", "1")
        .env("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:")
        .env("OCF_RESOURCE_INSTANCE", "KaiwuDB")
        .env("OCF_RESOURCE_TYPE", "kaiwudb")
        .env("OCF_RESOURCE_PROVIDER", "kaiwudb")
        .set("crm_feature_set", "3.17.4")
        .set("CRM_meta_name", action)
        .set("CRM_meta_on_node", "node1")
        .timeout(if action == "start" { START_TIMEOUT } else { TIMEOUT })
    }

    /// Sets a parameter of the resource.
    #[must_use]
    pub fn set(self, parameter: &str, value: impl Into<OsString>) -> Self {
        self.env(format!("OCF_RESKEY_{parameter}"), value)
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Takes all variables away.
    #[must_use]
    pub fn without_environment(mut self) -> Self {
        self.variables.clear();
        self
    }

    /// Called by hand: without what only Pacemaker sets.
    #[must_use]
    pub fn by_hand(mut self) -> Self {
        self.variables
            .retain(|name, _| !name.to_string_lossy().contains("crm_"));
        self.variables
            .retain(|name, _| !name.to_string_lossy().contains("CRM_"));
        self
    }

    /// Pacemaker's timeout of the action.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set("CRM_meta_timeout", timeout.as_millis().to_string())
    }

    /// Makes a monitor a recurring one.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        self.set("CRM_meta_interval", interval.as_millis().to_string())
    }

    /// Sets `OCF_CHECK_LEVEL`.
    #[must_use]
    pub fn level(self, level: u32) -> Self {
        self.env("OCF_CHECK_LEVEL", level.to_string())
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Redirects descriptors as a shell does, such as `>&-`.
    #[must_use]
    pub fn redirect(mut self, redirections: &'static str) -> Self {
        self.redirections = redirections;
        self
    }

    /// Called by a shell that stands in this directory and waits for the agent's end.
    #[must_use]
    pub fn called_from(mut self, directory: impl Into<PathBuf>) -> Self {
        self.caller_directory = Some(directory.into());
        self
    }

    /// Starts the agent, as the leader of a process group.
    pub fn spawn(&self) -> Running {
        let mut command = if let Some(directory) = &self.caller_directory {
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-c", "cd \"$1\" && shift && \"$0\" \"$@\"; exit $?"])
                .arg(&self.program)
                .arg(directory);
            shell
        } else if self.redirections.is_empty() {
            Command::new(&self.program)
        } else {
            let mut shell = Command::new("/bin/sh");
            shell
                .arg("-c")
                .arg(format!("exec \"$0\" \"$@\" {}", self.redirections))
                .arg(&self.program);
            shell
        };
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.program.display()));
        Running {
            child,
            began: Instant::now(),
            what: format!("{:?}", self.arguments),
        }
    }

    /// Runs the agent to its end.
    pub fn run(&self) -> Outcome {
        self.spawn().outcome()
    }

    /// Asserts that the agent waits for nothing: of five calls the fastest is over at once. How long that is on this machine, now, is
    /// seen from calls of `nothing`, which only prints something, in between. `check` has to be content with each outcome.
    #[track_caller]
    pub fn is_over_at_once(&self, nothing: &Self, check: impl Fn(&Outcome)) {
        let (mut quickest, mut floor) = (LIMIT, LIMIT);
        for _ in 0..5 {
            let outcome = self.run();
            check(&outcome);
            quickest = quickest.min(outcome.took);
            floor = floor.min(nothing.run().took);
        }
        assert!(
            quickest < Duration::from_millis(80) + floor * 10,
            "{self:?} took {quickest:?}, and {floor:?} to do nothing"
        );
    }
}

/// An agent that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    began: Instant,
    what: String,
}

impl Running {
    /// What Pacemaker does when an action is over its timeout.
    pub fn kill_group(&self) {
        let group = Pid::from_raw(i32::try_from(self.child.id()).expect("pids are small"));
        killpg(group, Signal::SIGKILL).expect("the agent's process group exists");
    }

    /// Waits for the agent's end, and for the end of its output.
    pub fn outcome(mut self) -> Outcome {
        let mut stdout = Stream::of(self.child.stdout.take());
        let mut stderr = Stream::of(self.child.stderr.take());
        let (status, took) = loop {
            wait_for_words(&[&stdout, &stderr]);
            stdout.read();
            stderr.read();
            let took = self.began.elapsed();
            if let Some(status) = self.child.try_wait().expect("our own child") {
                break (status, took);
            }
            assert!(
                took < LIMIT,
                "{} runs for {took:?}; it said {:?}",
                self.what,
                stderr.text()
            );
        };
        let end = Instant::now();
        while !(stdout.is_closed() && stderr.is_closed()) {
            stdout.read();
            stderr.read();
            assert!(
                end.elapsed() < STREAMS_LIMIT,
                "{} has ended, but somebody holds its output",
                self.what
            );
            sleep(Duration::from_millis(1));
        }
        Outcome {
            what: std::mem::take(&mut self.what),
            status,
            stdout: stdout.text(),
            stderr: stderr.text(),
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// One of the agent's output streams. A test's thread cannot start others (it has left the process namespace that new
/// threads would be in), so both are read without blocking.
struct Stream<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
}

impl<R: Read + AsFd> Stream<R> {
    fn of(pipe: Option<R>) -> Self {
        use nix::fcntl::{FcntlArg, OFlag, fcntl};
        let pipe = pipe.expect("the stream is a pipe");
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a pipe can be read without blocking");
        Self {
            pipe: Some(pipe),
            bytes: Vec::new(),
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.bytes.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("reading the agent's output: {error}"),
            }
        }
    }

    const fn is_closed(&self) -> bool {
        self.pipe.is_none()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

trait MayPoll {
    fn poll_fd(&self) -> Option<PollFd<'_>>;
}

impl<R: Read + AsFd> MayPoll for Stream<R> {
    fn poll_fd(&self) -> Option<PollFd<'_>> {
        let pipe = self.pipe.as_ref()?;
        Some(PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
    }
}

/// Returns when one of the streams has something, at the latest after a millisecond.
fn wait_for_words(streams: &[&dyn MayPoll]) {
    let mut fds: Vec<PollFd<'_>> = streams.iter().filter_map(|stream| stream.poll_fd()).collect();
    let _ = poll(&mut fds, PollTimeout::from(1_u8));
}

/// How a call came out.
#[derive(Debug)]
pub struct Outcome {
    /// The arguments.
    pub what: String,
    /// Exit status or signal.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From exec to exit.
    pub took: Duration,
}

impl Outcome {
    /// The exit status, a signal as its negative number.
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| -self.status.signal().unwrap_or_default())
    }

    /// Asserts success without a word.
    #[track_caller]
    pub fn succeeds(&self) {
        self.is_silent(0);
    }

    /// Asserts this exit status, without a word.
    #[track_caller]
    pub fn is_silent(&self, code: i32) {
        assert!(
            self.code() == code && self.stdout.is_empty() && self.stderr.is_empty(),
            "not a silent {code}: {self:?}"
        );
    }

    /// Asserts this exit status with exactly one exit reason that has all of these words where an operator sees them, and
    /// nothing else printed.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        let shown: String = self.reason().chars().take(SHOWN).collect();
        for word in words {
            assert!(shown.contains(word), "\"{word}\" is not said in time: {self:?}");
        }
        assert_eq!(self.code(), code, "{self:?}");
        assert!(self.stdout.is_empty(), "standard output is not empty: {self:?}");
    }

    /// The one exit reason.
    #[track_caller]
    pub fn reason(&self) -> &str {
        let mut lines = self.stderr.lines();
        let (first, second) = (lines.next(), lines.next());
        let reason = first.and_then(|line| line.strip_prefix("ocf-exit-reason:"));
        match (reason, second) {
            (Some(reason), None) if !reason.trim().is_empty() => reason,
            _ => panic!("not one exit reason and nothing else: {self:?}"),
        }
    }

    /// Asserts that it was over within `limit`.
    #[track_caller]
    pub fn within(&self, limit: Duration) -> &Self {
        assert!(self.took < limit, "took longer than {limit:?}: {self:?}");
        self
    }
}
