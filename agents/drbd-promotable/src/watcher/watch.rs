//! What the watcher does with each event.

use crate::config::Config;
use crate::give_up;
use crate::run_directory::Wanted;
use crate::score::{self, ScoreUpdate};
use agent::companion::{Asked, FailureReport, NoMore, Presence, Reporter};
use drbd::event::{self, Event, Line, Object, Verb};
use drbd::follow::{Follower, Wait};
use drbd::kernel;
use drbd::policy::Score;
use drbd::resource::Resource;
use drbd::state::ConnectionState;
use drbd::tools::Tools;
use host::{Deadline, log};
use ocf::Env;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// One change of DRBD's is several lines; they come within this time.
const BELONGS_TOGETHER: Duration = Duration::from_millis(20);
/// How long to sleep at most. Only the poll's own limit: nothing is asked or run then.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// After a score that could not be written, or when drbdsetup ended although the resource is up.
const RETRY: Duration = Duration::from_secs(2);
/// How often drbdsetup may end in a row before the watcher gives up; the next monitor arms another one.
const RESTARTS: u32 = 10;
const ONE_CALL: Duration = Duration::from_secs(10);
/// To find out the score and to write it with its explanation: a few calls. Giving up early only makes an overloaded machine slower.
const WRITE: Duration = Duration::from_secs(25);

/// How following the events came to an end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The resource is down.
    Down,
    /// drbdsetup has ended.
    Interrupted,
}

/// The watcher of one resource.
pub(super) struct Watch<'a> {
    config: &'a Config,
    tools: &'a Tools,
    presence: &'a Presence,
    reporter: Reporter,
    env: &'a Env,
    resource: Resource,
    /// What was written last; `None` before the first time and after a failure.
    written: Option<Score>,
    /// When to try again to write the score, and how long to wait after that.
    rewrite: Option<(Instant, Duration)>,
    /// What is to be said of the score, and when.
    explanation: Option<(Instant, String)>,
    was_primary: bool,
    disk_loss_reported: bool,
    report: Option<FailureReport>,
    /// Whether the action that armed this watcher waits for it.
    awaited: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(config: &'a Config, tools: &'a Tools, presence: &'a Presence, env: &'a Env) -> Self {
        Self {
            config,
            tools,
            presence,
            reporter: Reporter::of(env),
            env,
            resource: Resource::named(tools.resource()),
            written: None,
            rewrite: None,
            explanation: None,
            // A demotion before the first look is seen as well.
            was_primary: is_promoted(config.run.wanted()),
            disk_loss_reported: false,
            report: None,
            awaited: true,
        }
    }

    /// Lets the action that armed this watcher continue: what DRBD does from now on is seen.
    fn greet(&mut self) {
        if std::mem::take(&mut self.awaited) {
            Presence::greet(Ok(None));
        }
    }

    /// Follows the resource until it is down.
    pub(super) fn run(mut self) {
        for _ in 0..RESTARTS {
            let end = match Follower::start(self.tools.resource()) {
                Ok(mut follower) => self.follow(&mut follower),
                Err(error) => {
                    log::warning(format!("cannot follow DRBD's events: {error}"));
                    End::Interrupted
                }
            };
            // Or what keeps it from following would keep the action as well.
            self.greet();
            if end == End::Down || !self.is_up() {
                return;
            }
            let retry = Deadline::after(RETRY);
            while !retry.is_over() {
                self.presence.pause(retry);
                self.answer();
            }
        }
        log::warning(format!(
            "drbdsetup events2 of {} keeps ending; the next monitor tries again",
            self.tools.resource()
        ));
    }

    fn is_up(&self) -> bool {
        self.presence.publish_busy(None, NoMore {}, ONE_CALL);
        kernel::is_loaded()
            && self
                .tools
                .status(Deadline::after(ONE_CALL))
                // When in doubt it is: the watcher is to outlast a moment of trouble.
                .map_or(true, |resource| resource.is_configured())
    }

    fn follow(&mut self, follower: &mut Follower) -> End {
        let mut state = Resource::named(self.tools.resource());
        let mut complete = false;
        loop {
            let mut wait = follower.wait(Deadline::after(self.sleep()), Some(self.presence.as_fd()));
            while let Wait::Lines(lines) = wait {
                for line in &lines {
                    match event::parse(line) {
                        Some(Line::Event(event)) => {
                            self.note_helper(&event, &state);
                            state.apply(&event);
                            // Noted line by line: it may be Secondary again at the end of the batch.
                            self.was_primary |= state.is_primary();
                        }
                        Some(Line::InitialStateDone) => {
                            complete = true;
                            self.greet();
                        }
                        None => {}
                    }
                }
                wait = follower.wait(Deadline::after(BELONGS_TOGETHER), None);
            }
            if complete {
                if !state.is_configured() {
                    return End::Down;
                }
                self.inspect(&state);
            }
            if wait == Wait::Ended {
                return End::Interrupted;
            }
            self.retry();
            self.answer();
        }
    }

    fn answer(&self) {
        if self.presence.asked() == Some(Asked::Answer) {
            self.presence.publish(None, NoMore {});
        }
    }

    /// Calls of Pacemaker's and DRBD's tools, meanwhile we cannot answer.
    fn while_busy(&mut self, most: Duration, work: impl FnOnce(&mut Self)) {
        self.presence.publish_busy(None, NoMore {}, most);
        work(self);
        self.presence.publish(None, NoMore {});
    }

    /// How long nothing but an event needs doing.
    fn sleep(&self) -> Duration {
        let report = self.report.as_ref().map(FailureReport::due_in);
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        let rewrite = self.rewrite.map(|(at, _)| until(at));
        let explanation = self.explanation.as_ref().map(|(at, _)| until(*at));
        [report, rewrite, explanation]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(LONGEST_SLEEP)
    }

    /// The kernel calls this helper when it finds a split brain, whether or not one is configured.
    fn note_helper(&self, event: &Event<'_>, state: &Resource) {
        let calls = event.verb == Verb::Call && event.object == Object::Helper;
        if calls
            && event.resource() == Some(self.tools.resource())
            && event.get("helper") == Some("split-brain")
            && let Some(peer) = state.peer_of(event)
        {
            log::error(format!(
                "DRBD has found a split brain of {} with {peer}: both sides have changed their data since they lost their connection; nothing is resolved \
                 by itself",
                self.tools.resource()
            ));
            let mut peers = self.config.run.split_brains();
            if !peers.contains(&peer) {
                peers.push(peer);
                self.config.run.note_split_brains(&peers);
            }
        }
    }

    /// A split brain is over with the peer with which it was, however many others are connected.
    fn forget_split_brains(&self) {
        let mut peers = self.config.run.split_brains();
        let known = peers.len();
        let is_connected = |peer: &String| {
            self.resource
                .connections
                .get(peer)
                .is_some_and(|connection| connection.state == ConnectionState::Connected)
        };
        peers.retain(|peer| !is_connected(peer));
        if peers.len() < known {
            self.config.run.note_split_brains(&peers);
        }
    }

    /// Compares the state with the one before and does what follows from the change.
    fn inspect(&mut self, state: &Resource) {
        if *state == self.resource && state.is_primary() == self.was_primary {
            return;
        }
        self.resource = state.clone();
        self.forget_split_brains();
        // First what hurts: the score takes a few calls.
        self.look_for_demotion();
        self.while_busy(ONE_CALL * 2 + WRITE, |watch| {
            watch.look_for_lost_disk();
            watch.tell();
            watch.write_score();
        });
    }

    fn look_for_demotion(&mut self) {
        let is_primary = self.resource.is_primary();
        let demoted = self.was_primary && !is_primary;
        self.was_primary = is_primary;
        let wanted = self.config.run.wanted();
        if demoted && is_promoted(wanted) {
            self.report = Some(FailureReport::new(format!(
                "{} has become Secondary although it was promoted here and Pacemaker did not demote it",
                self.resource.name
            )));
        } else if is_primary {
            // Primary again before it was reported.
            self.report = self.report.take().filter(|_| self.disk_loss_reported);
        }
    }

    fn look_for_lost_disk(&mut self) {
        let reason = give_up::reason(self.config, self.env, &self.resource, Deadline::after(ONE_CALL));
        match reason {
            Some(reason) if !self.disk_loss_reported => {
                self.disk_loss_reported = true;
                self.report = Some(FailureReport::new(reason));
            }
            Some(_) => {}
            None => self.disk_loss_reported = false,
        }
    }

    fn tell(&mut self) {
        if let Some(report) = &mut self.report
            && report.step(&self.reporter).is_some()
        {
            self.report = None;
        }
    }

    fn write_score(&mut self) {
        let deadline = Deadline::after(WRITE);
        let decision = score::decide(self.config, self.env, &self.resource, deadline);
        if decision.score == Score::Keep || self.written == Some(decision.score) {
            return;
        }
        if self.written.is_none() && score::is_known(self.config, &decision) {
            // The call that armed this watcher has just written it.
            self.written = Some(decision.score);
            return;
        }
        if score::can_wait(self.config, &decision, &self.resource) {
            self.rewrite = Some((Instant::now() + score::CALM, RETRY));
            return;
        }
        match score::write(self.config, self.env, &decision, ScoreUpdate::Believe, deadline) {
            Ok(text) => {
                self.written = Some(decision.score);
                self.rewrite = None;
                if let Some(text) = text {
                    self.explanation = Some((Instant::now() + score::CALM, text));
                }
            }
            Err(error) => {
                log::warning(format!("the promotion score cannot be written yet: {error}"));
                self.written = None;
                let pause = self
                    .rewrite
                    .map_or(RETRY, |(_, pause)| (pause * 2).min(LONGEST_SLEEP));
                self.rewrite = Some((Instant::now() + pause, pause));
            }
        }
    }

    fn retry(&mut self) {
        self.tell();
        if self.rewrite.is_some_and(|(at, _)| at <= Instant::now()) {
            self.while_busy(WRITE, Self::write_score);
        }
        if let Some((_, text)) = self.explanation.take_if(|(at, _)| *at <= Instant::now()) {
            self.while_busy(ONE_CALL, |watch| {
                score::explain(watch.config, watch.env, &text, Deadline::after(ONE_CALL));
            });
        }
    }
}

fn is_promoted(wanted: Option<Wanted>) -> bool {
    matches!(wanted, Some(Wanted::Promoted | Wanted::PromotedWithoutDisk))
}
