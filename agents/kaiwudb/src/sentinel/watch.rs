//! The sentinel's loop: one thread, everything it waits for in one poll.

use super::flush::Flush;
use super::state::{State, claim_lock};
use super::words;
use crate::config::{Config, Thresholds};
use crate::diagnosis::{self, LogMark};
use crate::run_directory::{Ended, ProcessRecord, Record, Reporting, RunDirectory, output};
use crate::server::ONE_QUESTION;
use agent::companion::{Asked, FailureReport, Presence, Reporter, Told};
use host::bounded::Background;
use host::daemon::{self, End};
use host::{Deadline, Process, file, log, monotonic_milliseconds};
use kwdb::health::{Health, Pending};
use kwdb::sql;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the server is asked for health.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// How often to look at the process where the kernel cannot wake us (before Linux 5.3).
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// How long systemd or Docker may take to say how the server ended; Pacemaker is waiting to hear of it.
const HOW_TIMEOUT: Duration = Duration::from_secs(2);
/// Reading what the server has logged takes no time unless its disk does not answer, which must not keep us from reporting its end.
const CAUSE_TIMEOUT: Duration = Duration::from_millis(300);
/// Connecting to a listening socket of this host takes no time unless its queue is full.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(100);

/// How far a stalled flush has been reported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stall {
    /// There is none.
    None,
    /// The monitor can see it and shows degraded.
    Published,
    /// It has lasted too long: it is reported to Pacemaker.
    Reported,
}

/// A question to SQL that is under way.
struct Opinion {
    child: Background,
    /// What `/health` said.
    words: String,
}

pub(super) struct Watch {
    config: Config,
    run: RunDirectory,
    thresholds: Thresholds,
    server: Process,
    /// Whether we are its parent and learn how it ends.
    parent: bool,
    end_event: Option<OwnedFd>,
    presence: Presence,
    reporter: Reporter,
    question: Option<Pending>,
    /// SQL, asked where the server's health cannot be told.
    opinion: Option<Opinion>,
    last_question: Option<Instant>,
    /// Since when the server is ready, or when it last was. `None` before it has been ready for the first time: a start
    /// has its own deadline.
    last_ready: Option<Instant>,
    hang_reported: bool,
    /// Whether SQL did not answer when it was asked last.
    sql_refuses: bool,
    flush: Flush,
    stall: Stall,
    report: Option<FailureReport>,
    /// The server's log when we began.
    log: LogMark,
    memory_kills: MemoryKills,
}

impl Watch {
    pub(super) fn new(
        config: Config,
        reporter: Reporter,
        run: RunDirectory,
        presence: Presence,
        server: Process,
        parent: bool,
    ) -> Self {
        let thresholds = config.thresholds;
        let log = LogMark::take(&config, Deadline::after(CAUSE_TIMEOUT));
        let mut watch = Self {
            end_event: server.watch(),
            config,
            run,
            thresholds,
            server,
            parent,
            presence,
            reporter,
            question: None,
            opinion: None,
            sql_refuses: false,
            last_question: None,
            last_ready: None,
            hang_reported: false,
            flush: Flush::new(),
            stall: Stall::None,
            report: None,
            log,
            memory_kills: MemoryKills::now(),
        };
        watch.hear_of_start();
        watch.publish();
        watch
    }

    /// Runs until the server has ended and Pacemaker knows, or until we are asked to go.
    pub(super) fn run(&mut self) {
        loop {
            if self.has_ended() {
                self.after_the_end();
                return;
            }
            self.check_health();
            self.check_opinion();
            self.flush
                .step(self.config.data_root(), self.thresholds.sync_interval);
            self.check_stall();
            self.memory_kills.refresh();
            // Without a file there is nothing that grows.
            let _ = words::cut(&output(&self.run));
            if let Some(report) = &mut self.report
                && report.step(&self.reporter).is_some()
            {
                self.report = None;
            }
            self.wait();
            if self.told_to_go() {
                return;
            }
        }
    }

    /// Tells the agent that we watch, and with which thresholds.
    fn publish(&self) {
        // /run may have been emptied.
        if self.run.read::<ProcessRecord>(Record::Server).is_none() {
            let _ = self.run.write(Record::Server, &ProcessRecord::from(self.server));
        }
        let stalled = self
            .flush
            .stalled_for()
            .map(|stalled| u64::try_from(stalled.as_millis()).unwrap_or(0));
        self.presence.publish(
            Some(self.server),
            State {
                thresholds: self.thresholds,
                flush_stalled_since: stalled.map(|stalled| monotonic_milliseconds().saturating_sub(stalled)),
            },
        );
    }

    /// The server's end, without collecting a child: `after_the_end` does.
    fn has_ended(&self) -> bool {
        !self.server.is_running()
    }

    fn wait(&self) {
        let mut next = self
            .flush
            .due_in(self.thresholds.sync_interval)
            .min(self.question_due_in());
        if let Some(report) = &self.report {
            next = next.min(report.due_in());
        }
        if self.end_event.is_none() {
            next = next.min(LOOK_INTERVAL);
        }
        let fds = [
            Some(self.presence.as_fd()),
            self.end_event.as_ref().map(AsFd::as_fd),
            self.question.as_ref().map(AsFd::as_fd),
        ];
        let mut fds: Vec<PollFd<'_>> = fds
            .into_iter()
            .flatten()
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        let _ = poll(&mut fds, Deadline::after(next).poll_timeout());
    }

    fn question_due_in(&self) -> Duration {
        self.last_question.map_or(Duration::ZERO, |asked| {
            HEALTH_INTERVAL.saturating_sub(asked.elapsed())
        })
    }

    fn check_health(&mut self) {
        if let Some(health) = self.question.as_mut().and_then(Pending::answer) {
            self.question = None;
            self.judge(&health);
        }
        if self.question_due_in().is_zero() {
            // A question that is still open after a whole interval has been answered by silence.
            if self.question.take().is_some() {
                self.judge(&Health::Silent("no answer".into()));
            }
            self.last_question = Some(Instant::now());
            match Pending::ask(self.config.http_address(), CONNECT_TIMEOUT) {
                Ok(question) => self.question = Some(question),
                Err(health) => self.judge(&health),
            }
        }
    }

    /// One idea of serving, here as in the agent: what the server says of itself counts, and where it cannot tell, SQL decides.
    fn judge(&mut self, health: &Health) {
        match health {
            Health::Ready => self.serves(),
            Health::NotReady(_) | Health::Draining => self.does_not_serve(&health.to_string()),
            _ => self.ask_sql(&health.to_string()),
        }
    }

    /// In a child, because it waits for the answer.
    fn ask_sql(&mut self, words: &str) {
        let Some(target) = self.config.sql_target() else {
            return self.does_not_serve(words);
        };
        if self.opinion.is_none() {
            let asked = Background::start(move || {
                u8::from(sql::serves(&target, Deadline::after(ONE_QUESTION)).is_err())
            });
            self.opinion = asked.ok().map(|child| Opinion {
                child,
                words: words.to_owned(),
            });
            self.sql_refuses |= self.opinion.is_none();
        }
        // What an open question finds, `check_opinion` tells.
        if self.sql_refuses {
            self.does_not_serve(words);
        }
    }

    fn check_opinion(&mut self) {
        let Some(answer) = self.opinion.as_ref().and_then(|opinion| opinion.child.result()) else {
            return;
        };
        let words = self
            .opinion
            .take()
            .map(|opinion| opinion.words)
            .unwrap_or_default();
        self.sql_refuses = answer != 0;
        if self.sql_refuses {
            self.does_not_serve(&words);
        } else {
            self.serves();
        }
    }

    fn serves(&mut self) {
        if self.hang_reported {
            log::info("the server serves again");
        }
        self.last_ready = Some(Instant::now());
        self.hang_reported = false;
        self.sql_refuses = false;
        if self.stall != Stall::Reported {
            self.report = None;
        }
    }

    fn does_not_serve(&mut self, words: &str) {
        self.hear_of_start();
        let silent_for = self.last_ready.map_or(Duration::ZERO, |ready| ready.elapsed());
        if self.hang_reported || silent_for < self.thresholds.hang_timeout || self.end_is_wanted() {
            return;
        }
        self.hang_reported = true;
        // It writes what its goroutines and threads wait for into the store, if it still can: the only trace of a hang.
        let _ = self.server.signal(Signal::SIGUSR1);
        self.report = Some(FailureReport::new(format!(
            "the server (pid {}) runs but has not served for {:.0} s: {words}",
            self.server.pid(),
            silent_for.as_secs_f64()
        )));
    }

    /// A flush that does not return is a disk that does not answer: shown at once, a failure after `stall_timeout`.
    fn check_stall(&mut self) {
        let stalled = self.flush.stalled_for();
        if stalled.is_some() == (self.stall == Stall::None) {
            self.stall = if stalled.is_some() {
                Stall::Published
            } else {
                Stall::None
            };
            self.publish();
        }
        let Some(stalled) = stalled.filter(|stalled| *stalled >= self.thresholds.stall_timeout) else {
            return;
        };
        if self.stall == Stall::Reported || self.end_is_wanted() {
            return;
        }
        self.stall = Stall::Reported;
        self.report = Some(FailureReport::new(format!(
            "flushing {} (pid {}) has not returned for {:.0} s: the disk or DRBD does not answer",
            self.config.data_root().display(),
            self.flush.pid().unwrap_or_default(),
            stalled.as_secs_f64()
        )));
    }

    /// A start may see the server serve, and return, before our next question: from then on only we watch.
    fn hear_of_start(&mut self) {
        if self.last_ready.is_none()
            && self.run.read::<ProcessRecord>(Record::Serving) == Some(self.server.into())
        {
            self.last_ready = Some(Instant::now());
        }
    }

    /// By the server's identity, not by a flag: a stop followed at once by a start must not confuse us.
    fn end_is_wanted(&self) -> bool {
        self.run.read::<ProcessRecord>(Record::Stopping) == Some(self.server.into())
    }

    /// Whether another server has taken this one's place, so that it need not be reported.
    fn is_superseded(&self) -> bool {
        self.run
            .read::<ProcessRecord>(Record::Server)
            .is_some_and(|server| server != self.server.into())
    }

    fn reporting(&self, told_at: Option<u64>) -> Reporting {
        Reporting {
            server: self.server.into(),
            told_at,
        }
    }

    fn after_the_end(&mut self) {
        let end = if self.parent {
            daemon::collect(self.server.pid())
        } else {
            None
        };
        let wanted = self.end_is_wanted();
        // Before it has been ready for the first time, the start action waits for it and says what happened.
        self.hear_of_start();
        let failed = !wanted && self.last_ready.is_some();
        // Before the end is written down: see `reports_the_end`.
        let failed = failed && self.claim_the_end();
        let ended = Ended {
            server: self.server.into(),
            status: end.and_then(|end| {
                if let End::Exited(status) = end {
                    Some(status)
                } else {
                    None
                }
            }),
            signal: end.and_then(|end| {
                if let End::Signaled(signal) = end {
                    Some(signal)
                } else {
                    None
                }
            }),
            memory_ran_out: self.memory_kills.are_more_now(),
            wanted,
            // A start that failed tells its cause itself.
            cause: failed
                .then(|| {
                    let deadline = Deadline::after(CAUSE_TIMEOUT);
                    diagnosis::cause_of_end(&self.config, &self.run, &self.log, deadline)
                })
                .flatten(),
        };
        if let Err(error) = self.run.write(Record::Ended, &ended) {
            log::warning(format!("cannot record how the server ended: {error}"));
        }
        if !failed {
            return;
        }
        let mut report = FailureReport::new(format!(
            "the server (pid {}) {}",
            self.server.pid(),
            diagnosis::unexpected(&self.config, &ended, Deadline::after(HOW_TIMEOUT))
        ));
        self.end_event = None;
        self.question = None;
        loop {
            if !report.is_trying() && !self.claim_the_end() {
                return;
            }
            match report.step(&self.reporter) {
                Some(Told::Pacemaker) => {
                    let told = self.reporting(Some(monotonic_milliseconds()));
                    let _ = self.run.write(Record::Reporting, &told);
                    return;
                }
                Some(Told::LeftAlone) => {
                    self.run.forget(Record::Reporting);
                    return;
                }
                None if report.is_trying() => {}
                // While Pacemaker does not answer, a monitor reports what it sees.
                None => self.run.forget(Record::Reporting),
            }
            self.presence.pause(Deadline::after(report.due_in()));
            // A report that is under way is finished: better once too late than twice.
            if self.told_to_go() || (!report.is_trying() && (self.end_is_wanted() || self.is_superseded())) {
                return;
            }
        }
    }

    /// Makes it ours to report the end; false when a stop or a monitor was faster.
    fn claim_the_end(&self) -> bool {
        let lock = claim_lock(&self.run);
        if let Err(error) = &lock {
            log::warning(format!("cannot lock {}: {error}", self.run.path().display()));
        }
        if self.end_is_wanted() {
            return false;
        }
        if let Err(error) = self.run.write(Record::Reporting, &self.reporting(None)) {
            log::warning(format!("cannot record that the end is reported: {error}"));
        }
        true
    }

    /// Answers who asks; true when we are to go.
    fn told_to_go(&mut self) -> bool {
        match self.presence.asked() {
            Some(Asked::Leave) => return true,
            Some(Asked::Answer) => {
                if let Some(thresholds) = self.run.read(Record::Thresholds) {
                    self.thresholds = thresholds;
                }
                self.publish();
            }
            None => {}
        }
        false
    }
}

/// What the kernel had killed a while ago: a kill of weeks ago is no reason why the server ends now.
#[derive(Debug)]
struct MemoryKills {
    /// [`memory_kills`] one to two times [`Self::RECENT`] ago.
    before: u64,
    /// The same at the last look.
    then: u64,
    looked: Instant,
}

impl MemoryKills {
    const RECENT: Duration = Duration::from_secs(60);

    fn now() -> Self {
        let kills = memory_kills();
        Self {
            before: kills,
            then: kills,
            looked: Instant::now(),
        }
    }

    fn refresh(&mut self) {
        if self.looked.elapsed() >= Self::RECENT {
            self.before = self.then;
            self.then = memory_kills();
            self.looked = Instant::now();
        }
    }

    fn are_more_now(&self) -> bool {
        memory_kills() > self.before
    }
}

/// How often the kernel has killed a process on this node for lack of memory (`oom_kill`, since Linux 4.13).
fn memory_kills() -> u64 {
    let statistics = file::read_text(Path::new("/proc/vmstat")).ok().flatten();
    let count = |text: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
    };
    statistics.as_deref().and_then(count).unwrap_or(0)
}
