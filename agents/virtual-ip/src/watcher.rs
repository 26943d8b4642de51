//! The watcher: one process for each resource, in a session of its own, for as long as the address is here.
//!
//! It sleeps until the kernel says something of a link or an address. It repeats announcements after a start, makes clients of the former
//! node notice that it has gone, and keeps the list of connections for the next one. One of another sort stays for a while when the address leaves, and
//! refuses clients that come back before another node has it.

use crate::config::Config;
use crate::inspect::{Finding, inspect};
use crate::list::List;
use crate::neighbours::{announce, read};
use crate::peers;
use crate::scene::failure;
use agent::companion::{ADDRESS_WATCHER, Asked, Companion, FailureReport, NoMore, Presence, Reporter};
use host::{Deadline, log};
use network::connection::Connection;
use network::refusal::Refusal;
use network::{Changes, reset};
use nix::poll::{PollFd, PollFlags, poll};
use ocf::{Env, Failure};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// What tells this program to be a watcher.
pub(crate) const WORD: &str = ADDRESS_WATCHER.word;
/// Set for the watcher of an address that has come here just now.
const TAKEOVER: &str = "KAIWUDB_HA_TAKEOVER";
/// Set for the one that stays when the address leaves.
const FAREWELL: &str = "KAIWUDB_HA_FAREWELL";
/// How long it stays: most moves are over by then, and the tables of neighbours say something else.
const FAREWELL_TIME: Duration = Duration::from_secs(60);
/// One change is several messages; they come within this time.
const BELONGS_TOGETHER: Duration = Duration::from_millis(20);
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// To ask the kernel takes milliseconds.
const ONE_CALL: Duration = Duration::from_secs(5);
/// When clients of the former node are told. A packet may be lost, and switches learn the way within this time.
const TOLD_AFTER: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// Arms a watcher in place of any other. `takeover`: the address has come here just now, and the network is to be told. Whether there is
/// one now; without it the address works all the same.
pub(crate) fn arm(config: &Config, takeover: bool, deadline: Deadline) -> bool {
    let variables = [(TAKEOVER, if takeover { "1" } else { "0" }), (FAREWELL, "0")];
    let armed = Companion::of(&ADDRESS_WATCHER, &config.run).replace(|| Ok(()), &variables, deadline);
    if let Err(failure) = &armed {
        log::warning(format!("no watcher: {failure}"));
    }
    armed.is_ok()
}

/// Makes sure that one lives. Answers with a sentence for people when there is something to say.
pub(crate) fn ensure(config: &Config, deadline: Deadline) -> Option<String> {
    Companion::of(&ADDRESS_WATCHER, &config.run)
        .ensure::<NoMore>(|_| true, || Ok(()), deadline)
        .unwrap_or_else(|failure| {
            log::warning(format!("no watcher: {failure}"));
            Some("no watcher follows the address, so a failure is noticed only by the next monitor; see the system log".into())
        })
}

/// Leaves one that refuses what still comes for the address, in place of any other. Without it clients that come back wait for their own
/// kernel, no more.
pub(crate) fn say_farewell(config: &Config, deadline: Deadline) {
    let variables = [(TAKEOVER, "0"), (FAREWELL, "1")];
    let armed = Companion::of(&ADDRESS_WATCHER, &config.run).replace(|| Ok(()), &variables, deadline);
    if let Err(failure) = armed {
        log::info(format!("clients that come back are not refused: {failure}"));
        // The one that was there would report that the address is gone.
        retire(config, deadline);
    }
}

/// Ends it.
pub(crate) fn retire(config: &Config, deadline: Deadline) {
    Companion::of(&ADDRESS_WATCHER, &config.run).retire(deadline);
}

/// The whole life of a watcher. Its parameters are those of the call that armed it.
pub(crate) fn main(env: &Env) -> u8 {
    let begun = Config::read(env, true).and_then(|config| {
        let ip = config
            .ip
            .ok_or_else(|| Failure::not_configured("parameter ip is missing"))?;
        let refusals = match env.variable(FAREWELL) {
            Some("1") => refusals(ip)?,
            _ => Vec::new(),
        };
        // What happens from now on is seen.
        let changes = Changes::follow()
            .map_err(|error| Failure::generic(format!("cannot follow the changes of addresses: {error}")))?;
        let presence = Presence::begin(&ADDRESS_WATCHER, config.run.clone(), false)?;
        presence.publish(None, NoMore {});
        Ok((config, ip, changes, presence, refusals))
    });
    match begun {
        Ok((_, ip, changes, presence, refusals)) if !refusals.is_empty() => {
            Presence::greet(Ok(None));
            farewell(ip, &changes, &presence, &refusals);
            0
        }
        Ok((config, ip, changes, presence, _)) => {
            Presence::greet(Ok(None));
            Watch::new(&config, ip, &presence, env).run(&changes);
            0
        }
        Err(failure) => {
            Presence::greet(Err(failure));
            1
        }
    }
}

/// One for each link that has the address.
fn refusals(ip: IpAddr) -> Result<Vec<Refusal>, Failure> {
    let scene = read(Deadline::after(ONE_CALL))?;
    let opened = scene.places(ip).map(|(_, link)| Refusal::open(link, ip));
    let refusals: Vec<Refusal> = opened
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()
        .map_err(|error| failure("open a packet socket", &error))?;
    if refusals.is_empty() {
        return Err(Failure::generic(format!(
            "{ip} is on no link of the kind Ethernet"
        )));
    }
    Ok(refusals)
}

/// Refuses clients until the time is over or the address is back.
fn farewell(ip: IpAddr, changes: &Changes, presence: &Presence, refusals: &[Refusal]) {
    let end = Deadline::after(FAREWELL_TIME);
    let mut has_left = false;
    while !end.is_over() {
        let mut fds: Vec<PollFd<'_>> = [changes.as_fd(), presence.as_fd()]
            .into_iter()
            .chain(refusals.iter().map(AsFd::as_fd))
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        let _ = poll(&mut fds, end.poll_timeout());
        if changes.any()
            && let Ok(scene) = read(Deadline::after(ONE_CALL))
        {
            let is_here = scene.places(ip).next().is_some();
            if is_here && has_left {
                return;
            }
            has_left |= !is_here;
        }
        if refusals.iter().any(|refusal| refusal.answer().is_err()) {
            // The link is gone.
            return;
        }
        if presence.asked() == Some(Asked::Answer) {
            presence.publish(None, NoMore {});
        }
    }
}

/// The watcher of one address.
struct Watch<'a> {
    config: &'a Config,
    ip: IpAddr,
    presence: &'a Presence,
    reporter: Reporter,
    /// Whether the address was where it belongs when somebody looked last.
    is_here: bool,
    /// What has been reported or is being reported, until it is well again.
    trouble: Option<String>,
    report: Option<FailureReport>,
    /// How many announcements are left, and when the next one is due.
    announcements: (u64, Instant),
    /// Clients of the former node, and when they are to be told; the last one comes first.
    to_tell: (Vec<Connection>, Vec<Instant>),
    list: List<'a>,
}

impl<'a> Watch<'a> {
    fn new(config: &'a Config, ip: IpAddr, presence: &'a Presence, env: &Env) -> Self {
        let now = Instant::now();
        let takeover = env.variable(TAKEOVER) == Some("1");
        let tells = takeover && config.tickle_dir.is_some();
        let times = TOLD_AFTER.iter().rev().map(|after| now + *after).collect();
        Self {
            config,
            ip,
            presence,
            reporter: Reporter::of(env),
            is_here: true,
            trouble: None,
            report: None,
            announcements: (if takeover { config.announcements } else { 0 }, now),
            to_tell: (Vec::new(), if tells { times } else { Vec::new() }),
            list: List::new(config, ip),
        }
    }

    fn run(mut self, changes: &Changes) {
        self.inspect();
        // First of all: the answers of the clients have to find the way.
        self.announce();
        if !self.to_tell.1.is_empty() {
            self.learn_whom_to_tell();
        }
        loop {
            let mut fds: Vec<PollFd<'_>> = [changes.as_fd(), self.presence.as_fd()]
                .into_iter()
                .chain(self.list.wakes())
                .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
                .collect();
            let _ = poll(&mut fds, Deadline::after(self.sleep()).poll_timeout());
            self.list.hear();
            if changes.any() {
                let moment = Deadline::after(BELONGS_TOGETHER);
                moment.pause(BELONGS_TOGETHER);
                changes.any();
                self.inspect();
            }
            self.tell_pacemaker();
            self.announce();
            self.tell_clients();
            self.keep_list();
            if self.presence.asked() == Some(Asked::Answer) {
                self.presence.publish(None, NoMore {});
            }
        }
    }

    /// How long nothing but an event needs doing.
    fn sleep(&self) -> Duration {
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        let announcement = (self.announcements.0 > 0).then(|| until(self.announcements.1));
        let tell = self.to_tell.1.last().map(|at| until(*at));
        let list = if self.is_here { self.list.due_in() } else { None };
        [
            self.report.as_ref().map(FailureReport::due_in),
            announcement,
            tell,
            list,
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(LONGEST_SLEEP)
    }

    fn inspect(&mut self) {
        let scene = match read(Deadline::after(ONE_CALL)) {
            Ok(scene) => scene,
            Err(failure) => {
                log::warning(&failure.reason);
                return;
            }
        };
        let finding = inspect(self.config, self.ip, &scene);
        self.is_here = matches!(finding, Finding::Well(_) | Finding::DeadLink(..));
        let (trouble, matters) = match finding {
            Finding::Well(link) => {
                self.list.follow(link);
                (None, false)
            }
            Finding::DeadLink(_, reason) => (Some(reason), self.config.link_matters),
            Finding::Absent(reason) => (Some(reason), true),
            Finding::Wrong(failure) => (Some(failure.reason), true),
        };
        if trouble == self.trouble {
            return;
        }
        match &trouble {
            Some(reason) if matters => self.report = Some(FailureReport::new(reason.clone())),
            Some(reason) => log::warning(reason),
            None => {
                log::info(format!("{} is as it should be again", self.ip));
                // Nobody has been told yet, and nobody needs to be.
                self.report = self.report.take().filter(FailureReport::is_trying);
                self.announcements = (1, Instant::now());
            }
        }
        self.trouble = trouble;
    }

    fn tell_pacemaker(&mut self) {
        if let Some(report) = &mut self.report
            && report.step(&self.reporter).is_some()
        {
            self.report = None;
        }
    }

    fn announce(&mut self) {
        let (left, at) = self.announcements;
        if left == 0 || at > Instant::now() {
            return;
        }
        self.announcements = (left - 1, Instant::now() + self.config.announcement_interval);
        if let Ok(scene) = read(Deadline::after(ONE_CALL))
            && let Finding::Well(link) = inspect(self.config, self.ip, &scene)
        {
            announce(link, self.ip);
        }
    }

    fn learn_whom_to_tell(&mut self) {
        self.presence.publish_busy(None, NoMore {}, ONE_CALL);
        let scene = read(Deadline::after(ONE_CALL)).unwrap_or_default();
        let is_ours = |ip| scene.addresses.iter().any(|address| address.subnet.ip == ip);
        self.to_tell.0 = peers::left(self.config, self.ip, is_ours, Deadline::after(ONE_CALL));
        if self.to_tell.0.is_empty() {
            self.to_tell.1.clear();
        } else {
            log::info(format!(
                "tells clients of the former node that it has gone: {}",
                self.to_tell.0.len()
            ));
        }
        self.presence.publish(None, NoMore {});
    }

    fn tell_clients(&mut self) {
        if self.to_tell.1.pop_if(|at| *at <= Instant::now()).is_none() {
            return;
        }
        if self.is_here {
            let most = Duration::from_secs(10);
            self.presence.publish_busy(None, NoMore {}, most);
            if let Err(error) = reset::tickle(self.ip, &self.to_tell.0, Deadline::after(most)) {
                log::warning(format!(
                    "cannot tell the clients of the former node that it has gone: {error}"
                ));
            }
            self.presence.publish(None, NoMore {});
        }
    }

    /// The former node's list serves until all have been told. While the address is away it would be empty.
    fn keep_list(&mut self) {
        if self.is_here {
            let untold: &[Connection] = if self.to_tell.1.is_empty() {
                &[]
            } else {
                &self.to_tell.0
            };
            self.list.keep(untold);
        }
    }
}
