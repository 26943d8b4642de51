//! DRBD's `fence-peer` handler: a constraint keeps the peer, whose data are getting old, from being promoted.
//!
//! DRBD calls it in the middle of a promotion, or of a write, which waits. `crm-fence-peer.9.sh` of drbd-utils is the reference: the
//! constraint and the exit statuses are its own, and so is every case that is not plain (a peer that is not clean, a cluster without a
//! DC or quorum, a constraint that says something else, data that are not `UpToDate`): those need its patience, and it is called for
//! them. The plain ones need two calls of Pacemaker's tools.

mod cluster;
mod not_plain;

use cluster::{Cluster, Peer};
use drbd::resource::Resource;
use drbd::state::Disk;
use drbd::tools::Tools;
use host::lock::ExclusiveLock;
use host::untrusted::{self, Directory, Writers};
use host::{Command, Deadline, log};
pub use not_plain::NotPlain;
use ocf::Env;
use pacemaker::xml::Element;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Scripts of drbd-utils, for DRBD 9 and 8.4 and for 8.4 only.
const SCRIPTS: [&str; 2] = [
    "/usr/lib/drbd/crm-fence-peer.9.sh",
    "/usr/lib/drbd/crm-fence-peer.sh",
];
/// The scripts' own lock. On Debian everybody can make this directory, and whoever made it decides what lies in it.
const LOCKS: &str = "/var/lock/drbd";
/// The tools answer within a second. A cluster that needs longer is not a clear-cut case.
const TIME: Duration = Duration::from_secs(20);
/// `crmadmin` asks the peer itself.
const PEER_ANSWERS: Duration = Duration::from_secs(5);
/// Options of the scripts that are about waiting only.
const PATIENCE: [&str; 4] = ["-t", "--timeout", "-d", "--dc-timeout"];
/// Options of the scripts that change nothing in a plain case.
const HARMLESS: [&str; 2] = ["--quiet", "--suicide-on-failure-if-primary"];

/// What DRBD takes for a handler that has failed.
const FAILED: u8 = 1;

/// DRBD's numbers for what became of the peer (drbd.conf(5), `fence-peer`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It cannot be promoted any more.
    Outdated,
    /// Its node is down.
    Fenced,
    /// It is connected and in step again: nothing to fence.
    BackAgain,
}

impl Verdict {
    const fn status(self) -> u8 {
        match self {
            Self::Outdated => 4,
            Self::Fenced => 7,
            Self::BackAgain => FAILED,
        }
    }
}

/// Nodes by DRBD's number.
type Names = Vec<(u32, String)>;

/// What DRBD asks, from the environment that `drbdadm` makes for a handler.
#[derive(Debug)]
pub struct Request {
    resource: String,
    configuration: Option<PathBuf>,
    /// Nodes with good data, this one among them, by DRBD's number and host name.
    good: Names,
    /// Host names of the peers whose data are getting old.
    old: Vec<String>,
}

/// The whole life of the handler.
pub(crate) fn main() -> u8 {
    log::open(log::Settings {
        identity: "crm-fence-peer".into(),
        ..log::Settings::default()
    });
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let verdict = if is_plain(&arguments) {
        Request::of(&Env::snapshot(), &host::host_name())
            .and_then(|request| request.fence(Deadline::after(TIME)))
    } else {
        Err(NotPlain::because("it was given options"))
    };
    match verdict {
        Ok(verdict) => verdict.status(),
        Err(NotPlain(why)) => {
            log::info(format!("left to crm-fence-peer.9.sh: {why}"));
            become_script(&arguments)
        }
    }
}

fn become_script(arguments: &[String]) -> u8 {
    let Some(script) = SCRIPTS.iter().find(|path| Path::new(path).is_file()) else {
        log::error(format!(
            "the peer is not fenced: neither {} is installed",
            SCRIPTS.join(" nor ")
        ));
        return FAILED;
    };
    let error = std::process::Command::new(script).args(arguments).exec();
    log::error(format!("the peer is not fenced: cannot start {script}: {error}"));
    FAILED
}

/// Puts aside a directory of locks that somebody else has made: what lies in it would keep the scripts waiting for him. Where that fails,
/// as when he makes it again at the same moment, our own lock has to do.
fn take_back() {
    let place = Path::new(LOCKS);
    if matches!(untrusted::writers(place), Ok(Writers::Root)) {
        return;
    }
    let put_aside = || -> std::io::Result<()> {
        let (parent, name) = place.parent().zip(place.file_name()).ok_or(ErrorKind::NotFound)?;
        let parent = Directory::open(parent)?;
        let aside = format!("{}.not-roots.{}", name.to_string_lossy(), std::process::id());
        parent.rename(name, &parent, aside)?;
        parent.make(name, 0o700).map(drop)
    };
    match put_aside() {
        Ok(()) => log::warning(format!("{LOCKS} was not root's and has been put aside")),
        Err(error) => log::warning(format!("{LOCKS} is not root's and cannot be put aside: {error}")),
    }
}

/// Whether the options leave a plain case plain.
fn is_plain(arguments: &[String]) -> bool {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        if PATIENCE.contains(&name) {
            if name == word {
                words.next();
            }
        } else if !HARMLESS.contains(&word) {
            return false;
        }
    }
    true
}

/// What is done in a plain case.
#[derive(Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// What DRBD is told.
    pub verdict: Verdict,
    /// Id of the constraint.
    id: String,
    /// The constraint, unless it is there already.
    pub constraint: Option<Element>,
}

impl Request {
    /// Reads it. `host` is this node's name.
    pub fn of(env: &Env, host: &str) -> Result<Self, NotPlain> {
        let variable = |name: &str| env.variable(name).map(str::to_owned);
        let resource =
            variable("DRBD_RESOURCE").ok_or_else(|| NotPlain::because("DRBD_RESOURCE is not set"))?;
        let belongs_in_an_id = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !resource.chars().all(belongs_in_an_id) {
            return Err(NotPlain(format!(
                "'{resource}' has letters that an id must not have"
            )));
        }
        let (good, old): (Vec<_>, Vec<_>) = match env.variable("UP_TO_DATE_NODES") {
            // 8.4 knows one peer.
            None => (
                vec![(0, host.to_owned())],
                variable("DRBD_PEER").into_iter().collect(),
            ),
            Some(mask) => by_number(env, mask)?,
        };
        if old.is_empty() || !good.iter().any(|(_, name)| name == host) {
            return Err(NotPlain(format!(
                "it is to exclude {old:?} and to allow {good:?}"
            )));
        }
        Ok(Self {
            resource,
            configuration: variable("DRBD_CONF").map(PathBuf::from),
            good,
            old,
        })
    }

    fn fence(&self, deadline: Deadline) -> Result<Verdict, NotPlain> {
        let _locks = self.lock(deadline)?;
        let tools = Tools::new(&self.resource, self.configuration.clone());
        let exclusion = self.decide(
            &tools.status(deadline)?,
            || Ok(Command::new("cibadmin").arg("-Q").run_ok(deadline)?.text()),
            || Ok(pacemaker::node::name(&Env::default(), deadline)?),
            |name| answers(name, deadline),
        )?;
        let (verdict, id) = (exclusion.verdict, &exclusion.id);
        let Some(constraint) = exclusion.constraint else {
            log::info(format!("{id} is there already"));
            return Ok(verdict);
        };
        Command::new("cibadmin")
            .args(["-C", "-o", "constraints", "-X", &constraint.text()])
            .run_ok(deadline)?;
        log::info(format!("placed {id}: {verdict:?}"));
        if all_peers_are_up_to_date(&tools.status(deadline)?) {
            return lift(id, deadline);
        }
        Ok(verdict)
    }

    /// Decides; pure but for what it is given to ask with: the CIB, this node's name in the cluster, and whether a node's controller answers.
    pub fn decide(
        &self,
        resource: &Resource,
        cib: impl FnOnce() -> Result<String, NotPlain>,
        here: impl FnOnce() -> Result<String, NotPlain>,
        answers: impl Fn(&str) -> bool,
    ) -> Result<Exclusion, NotPlain> {
        may_be_fenced(resource)?;
        let cluster = Cluster::parse(&cib()?, &self.resource)?;
        let (good, old) = self.names(&cluster, here)?;
        let verdict = judge(&cluster, &old, answers)?;
        let id = cluster.constraint_id();
        if !cluster.has_constraint() {
            let constraint = Some(cluster.constraint(&good));
            return Ok(Exclusion {
                verdict,
                id,
                constraint,
            });
        }
        if cluster.has_constraint_for(&good) {
            Ok(Exclusion {
                verdict: Verdict::Outdated,
                id,
                constraint: None,
            })
        } else {
            Err(NotPlain(format!("{id} says something else")))
        }
    }

    /// Keeps other handlers out: ours, and the scripts where their lock is root's alone.
    fn lock(&self, deadline: Deadline) -> Result<Vec<ExclusiveLock>, NotPlain> {
        let mut locks = Vec::new();
        let (ours, scripts) = (agent::run_file(""), Path::new(LOCKS));
        for (place, mode) in [(ours.as_path(), 0o755), (scripts, 0o700)] {
            let made = DirBuilder::new().recursive(true).mode(mode).create(place);
            if place == scripts {
                take_back();
            }
            let path = place.join(format!("fence.{}", self.resource));
            let lock = match untrusted::writers(&path) {
                Ok(Writers::Root) => ExclusiveLock::take(&path, deadline.slice(TIME / 4))
                    .map_err(|error| NotPlain::because(&error.to_string()))?,
                _ if place == scripts => continue,
                found => {
                    return Err(NotPlain::because(&format!(
                        "{} cannot be locked: {made:?} {found:?}",
                        place.display()
                    )));
                }
            };
            locks.push(lock.ok_or_else(|| NotPlain::because("another handler holds the lock"))?);
        }
        Ok(locks)
    }

    /// The names in the cluster of the nodes with good data and of the others. DRBD knows hosts; of two nodes each can be found
    /// whatever it is called.
    fn names(
        &self,
        cluster: &Cluster,
        here: impl FnOnce() -> Result<String, NotPlain>,
    ) -> Result<(Names, Vec<String>), NotPlain> {
        let name = |host: &str| {
            cluster
                .node(host)
                .map(str::to_owned)
                .ok_or_else(|| NotPlain(format!("the cluster has no node {host}")))
        };
        let good: Result<Names, NotPlain> = self
            .good
            .iter()
            .map(|(number, host)| Ok((*number, name(host)?)))
            .collect();
        let old: Result<Vec<String>, NotPlain> = self.old.iter().map(|host| name(host)).collect();
        match (good, old, &self.good[..], &self.old[..]) {
            (Ok(good), Ok(old), ..) => Ok((good, old)),
            (_, _, [(number, _)], [_]) => {
                let here = here()?;
                let other = cluster.other_than(&here)?.to_owned();
                Ok((vec![(*number, here)], vec![other]))
            }
            (Err(why), ..) | (_, Err(why), ..) => Err(why),
        }
    }
}

/// What the peers are, if all of them are the same and plainly so.
fn judge(cluster: &Cluster, peers: &[String], answers: impl Fn(&str) -> bool) -> Result<Verdict, NotPlain> {
    let mut verdicts = Vec::new();
    for name in peers {
        verdicts.push(match cluster.peer(name) {
            Peer::Down => Verdict::Fenced,
            Peer::Stopped => Verdict::Outdated,
            Peer::Running if answers(name) => Verdict::Outdated,
            Peer::Running => return Err(NotPlain(format!("{name} does not answer"))),
            Peer::Unclear(why) => return Err(NotPlain(format!("{name} {why}"))),
        });
    }
    if verdicts.iter().all(|verdict| *verdict == verdicts[0]) {
        Ok(verdicts[0])
    } else {
        Err(NotPlain::because("the peers' nodes are in different states"))
    }
}

/// DRBD 9 has a name for every node's number, and a mask of those with good data.
fn by_number(env: &Env, mask: &str) -> Result<(Names, Vec<String>), NotPlain> {
    let mask = (mask.strip_prefix("0x"))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| NotPlain(format!("UP_TO_DATE_NODES is '{mask}'")))?;
    let names = (0..32).filter_map(|number| {
        let name = env.variable(&format!("DRBD_NODE_ID_{number}"))?;
        Some((number, name.to_owned()))
    });
    let (good, old): (Vec<_>, Vec<_>) = names.partition(|(number, _)| mask & (1 << number) != 0);
    Ok((good, old.into_iter().map(|(_, name)| name).collect()))
}

/// Only good data may be declared the only good ones.
fn may_be_fenced(resource: &Resource) -> Result<(), NotPlain> {
    if resource.devices.is_empty()
        || resource
            .devices
            .values()
            .any(|device| device.disk != Disk::UpToDate)
    {
        return Err(NotPlain(format!(
            "the data here are not UpToDate ({})",
            drbd::policy::local_disks(resource)
        )));
    }
    if all_peers_are_up_to_date(resource) {
        return Err(NotPlain::because("the peers are UpToDate"));
    }
    Ok(())
}

fn all_peers_are_up_to_date(resource: &Resource) -> bool {
    !resource.connections.is_empty()
        && resource.connections.values().all(|connection| {
            !connection.devices.is_empty()
                && (connection.devices.values()).all(|device| device.disk == Disk::UpToDate)
        })
}

/// Takes the constraint back: the link came back meanwhile.
fn lift(id: &str, deadline: Deadline) -> Result<Verdict, NotPlain> {
    Command::new("cibadmin")
        .args(["-D", "-X", &format!("<rsc_location id=\"{id}\"/>")])
        .run_ok(deadline)?;
    log::info(format!("lifted {id} again: the peers are UpToDate"));
    Ok(Verdict::BackAgain)
}

/// Whether the controller of that node is well.
fn answers(node: &str, deadline: Deadline) -> bool {
    Command::new("crmadmin")
        .args(["-S", node])
        .run_ok(deadline.slice(PEER_ANSWERS))
        .is_ok_and(|output| {
            let text = output.text();
            text.trim_end().ends_with(": ok") || text.trim_end().ends_with("(ok)")
        })
}

#[cfg(test)]
mod tests;
