//! `alerts deliver`: looks at the cluster, decides what is to be told, and carries messages. Started by every event, and every minute; one at a
//! time on a node. It stays as long as something is about to happen, and ends when nothing is.

use crate::context::Context;
use crate::ui::exit::Exit;
use alerts::outbox::{Courier, Outbox};
use alerts::{channel, spool};
use anyhow::Context as _;
use host::lock::ExclusiveLock;
use host::{Deadline, log};
use site::cluster;
use site::incident::observe::{self, observe};
use site::incident::{Ledger, Observation, Saying, words};
use site::settings::AlertSettings;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The unit starts it again; a change of the settings counts then.
const LONGEST_RUN: Duration = Duration::from_secs(600);
/// What is due later is left to the next run.
const LATER: Duration = Duration::from_secs(15);
/// After the last event it stays for so long: events come in crowds, and every start of a unit is a line in the journal.
const LINGERS: Duration = Duration::from_secs(3);
/// After so long it looks once more.
const FOLLOWS: Duration = Duration::from_secs(1);
/// How often it looks for new events.
const TICK: Duration = Duration::from_millis(100);
/// By then the other node's attribute manager knows.
const SHARED: Duration = Duration::from_millis(150);
/// Two signs of life are at least so far apart.
const HEARTBEAT: Duration = Duration::from_secs(50);
/// A sign of life takes no longer.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs until nothing is about to happen.
pub(super) fn run(context: &Context) -> Exit {
    log::open(log::Settings {
        identity: "kaiwudb-ha".into(),
        ..log::Settings::default()
    });
    let Some(settings) = &context.settings.alerts else {
        // What starts us does so as long as something is there.
        spool::take(Path::new(spool::DIRECTORY));
        return Exit::Done;
    };
    let directory = Path::new(alerts::DIRECTORY);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    // A disk that takes nothing any more is no reason to say nothing.
    let _lock = match made.and_then(|()| ExclusiveLock::try_take(&directory.join("lock"))) {
        Ok(None) => return Exit::Done,
        Ok(lock) => lock,
        Err(error) => {
            log::error(format!("{}: {error}; messages are not kept", directory.display()));
            None
        }
    };
    Delivery::new(context, settings, directory).run();
    Exit::Done
}

/// How people call the pair.
pub(super) fn cluster_name<'a>(settings: &AlertSettings, nodes: impl IntoIterator<Item = &'a str>) -> String {
    let named = settings.name.as_ref().map(|name| name.get_ref().clone());
    let nodes: Vec<&str> = nodes.into_iter().collect();
    named.unwrap_or_else(|| {
        if nodes.is_empty() {
            host::host_name()
        } else {
            nodes.join("/")
        }
    })
}

struct Delivery<'a> {
    context: &'a Context,
    settings: &'a AlertSettings,
    directory: &'a Path,
    channels: Vec<channel::Channel>,
    outbox: Outbox,
    courier: Courier,
    ledger: Ledger,
}

impl<'a> Delivery<'a> {
    fn new(context: &'a Context, settings: &'a AlertSettings, directory: &'a Path) -> Self {
        let outbox = Outbox::at(directory);
        Self {
            context,
            settings,
            directory,
            channels: settings.channels(),
            courier: Courier::of(outbox.clone()),
            outbox,
            ledger: Ledger::kept(directory, Path::new(spool::DIRECTORY)),
        }
    }

    fn run(&mut self) {
        let end = Deadline::after(LONGEST_RUN);
        let mut stays = Deadline::after(Duration::ZERO);
        loop {
            if !spool::is_empty(Path::new(spool::DIRECTORY)) {
                stays = Deadline::after(LINGERS);
            }
            let again = self.look();
            let next = self.courier.send_due(&self.channels, host::now_seconds());
            let next = next
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs);
            let soon = [again, next]
                .into_iter()
                .flatten()
                .min()
                .filter(|soon| *soon <= LATER);
            if soon.is_some() {
                stays = Deadline::after(LINGERS);
            }
            // What an agent says of an event follows it a second later, without another one.
            let wait = Deadline::after(soon.unwrap_or(FOLLOWS));
            while spool::is_empty(Path::new(spool::DIRECTORY)) && wait.pause(TICK) {}
            let nothing = spool::is_empty(Path::new(spool::DIRECTORY)) && soon.is_none();
            if end.is_over() || nothing && stays.is_over() && !self.courier.is_busy() {
                return;
            }
        }
    }

    /// Looks once, and says what is to be said. Returns when to look again.
    fn look(&mut self) -> Option<Duration> {
        let events = spool::take(Path::new(spool::DIRECTORY));
        let site = cluster::site(self.context, &[]);
        let mut seen = match observe(&site, &events) {
            Ok(seen) => seen,
            // The cluster does not run here. The other node tells, if it does there.
            Err(error) => {
                log::debug(format!("{error:#}"));
                return None;
            }
        };
        seen.tells_planned = self.settings.planned;
        let before = self.ledger.clone();
        let decision = self.ledger.decide(&seen, milliseconds());
        let sayings = self.agree(&mut seen, decision.sayings);
        for saying in &sayings {
            self.say(saying, &seen);
        }
        if self.ledger != before
            && let Err(error) = self.ledger.keep(self.directory, Path::new(spool::DIRECTORY))
        {
            log::error(format!("{}: {error}", self.directory.display()));
        }
        self.share(&seen, &BTreeSet::new());
        if seen.controller.as_ref() == Some(&seen.here) {
            self.heartbeat();
        }
        decision
            .again
            .map(|again| Duration::from_millis(u64::try_from(again).unwrap_or(0)))
    }

    /// Leaves out what the other node tells at this moment. Both tell each other what they are about to say; where both are, the first
    /// one by name says it.
    fn agree(&mut self, seen: &mut Observation, sayings: Vec<Saying>) -> Vec<Saying> {
        let (over, new): (Vec<Saying>, Vec<Saying>) = sayings.into_iter().partition(|saying| saying.over);
        if new.is_empty() {
            return over;
        }
        let others: Vec<String> = (seen.members.iter())
            .filter(|member| member.online && member.name != seen.here)
            .map(|member| member.name.clone())
            .collect();
        let mut mine = new;
        if !others.is_empty() {
            mine = self.without_others(mine, &observe::told(&seen.here), |_| true);
            let keys: BTreeSet<String> = (mine.iter())
                .flat_map(|saying| saying.incident.keys().map(str::to_owned).collect::<Vec<_>>())
                .collect();
            self.share(seen, &keys);
            Deadline::after(SHARED).pause(SHARED);
            let here = seen.here.clone();
            mine = self.without_others(mine, &observe::told(&seen.here), |other| other < here.as_str());
        }
        over.into_iter().chain(mine).collect()
    }

    fn without_others(
        &mut self,
        sayings: Vec<Saying>,
        told: &std::collections::BTreeMap<String, BTreeSet<String>>,
        counts: impl Fn(&str) -> bool,
    ) -> Vec<Saying> {
        let mut mine = Vec::new();
        for saying in sayings {
            let teller = told
                .iter()
                .filter(|(node, _)| counts(node))
                .find(|(_, keys)| saying.incident.keys().any(|key| keys.contains(key)));
            match teller {
                Some((node, _)) => self.ledger.told(&saying.incident.key, node),
                None => mine.push(saying),
            }
        }
        mine
    }

    /// Tells the other node what this one has told, and is about to.
    fn share(&self, seen: &Observation, more: &BTreeSet<String>) {
        let mut keys = self.ledger.told_here(&seen.here);
        keys.extend(more.iter().cloned());
        if keys == seen.shared {
            return;
        }
        if let Err(error) = observe::share_told(&seen.here, &keys) {
            log::warning(format!("the other node cannot be told what was told: {error:#}"));
        }
    }

    fn say(&mut self, saying: &Saying, seen: &Observation) {
        let language = self.settings.language(self.context.language);
        let name = cluster_name(
            self.settings,
            seen.members.iter().map(|member| member.name.as_str()),
        );
        let message = words::message(language, &name, saying, seen, host::now_seconds());
        log::info(format!("{} {}", message.incident, message.subject));
        if let Err(error) = self.outbox.put(&message, &self.channels) {
            log::error(format!("{}: {error}", self.directory.display()));
            self.courier.send_unkept(&message, &self.channels);
        }
        if !saying.over {
            self.ledger.told(&saying.incident.key, &seen.here);
        }
    }

    /// The sign of life, which ends when nothing here works any more.
    fn heartbeat(&self) {
        let Some((url, http)) = self.settings.heartbeat() else {
            return;
        };
        // In memory: on a disk that takes nothing any more every look would be one.
        let stamp = Path::new(spool::DIRECTORY).join("heartbeat");
        let last = fs::metadata(&stamp).and_then(|found| found.modified());
        let now = SystemTime::now();
        if last.is_ok_and(|last| now.duration_since(last).is_ok_and(|since| since < HEARTBEAT)) {
            return;
        }
        let sent = channel::heartbeat(&url, &http, Deadline::after(HEARTBEAT_TIMEOUT));
        if let Err(why) = sent.and_then(|()| {
            let stamped = File::create(&stamp).and_then(|file| file.set_modified(now));
            stamped
                .context("cannot be noted")
                .map_err(|error| format!("{error:#}"))
        }) {
            log::warning(format!("heartbeat: {why}"));
        }
    }
}

fn milliseconds() -> i64 {
    i64::try_from(host::now().as_millis()).unwrap_or(i64::MAX)
}
