//! Looks at both sides, decides and acts: the heart of start, monitor and stop.

use crate::config::{self, Config};
use crate::reasons::Scene;
use crate::run_directory::State;
use crate::volume;
use certs::bundle::{self, BundleError, Publisher, Sealed};
use certs::directory::{self, Snapshot};
use certs::seal::AuthKey;
use certs::volume::Contents;
use certs::{
    Base, Bundle, CertificateSet, Digest, Disk, Installation, Keep, Moment, Owner, Record, Severity, Side,
    Step, Stored, Verdict, decide, judge,
};
use host::{Deadline, log};

/// A day in seconds.
const DAY: i64 = 86_400;
/// A node that was cut off for long can have a bundle restored and then published; more rounds cannot be needed.
const MOST_ROUNDS: u32 = 3;

/// What is to be known about this node's certificates after looking and acting.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    /// Digest of the set; `None` when the directory has none.
    pub(crate) digest: Option<Digest>,
    /// The generation with which the directory agrees.
    pub(crate) generation: Option<u64>,
    /// Days until the first certificate expires; negative when it has.
    pub(crate) days_left: Option<i64>,
    /// Whether the server could start with the set.
    pub(crate) server_can_start: bool,
    /// Whether the set is the cluster's: then the server shall load it.
    pub(crate) is_sound: bool,
    /// Text of the certificate that the server shows when it has loaded the set.
    pub(crate) server_certificate: Option<Vec<u8>>,
    /// Why the server must not be started with the set although it could be.
    pub(crate) refusal: Option<String>,
    /// What somebody should look at, one clause each.
    pub(crate) concerns: Vec<String>,
}

/// The set of this node as found.
struct Local {
    snapshot: Snapshot,
    verdict: Verdict,
}

impl Local {
    fn read(config: &Config) -> Result<Option<Self>, String> {
        let found = directory::read(&config.certs_dir, config.include_ca_key)
            .map_err(|error| format!("cannot read {}: {error}", config.certs_dir.display()))?;
        let Some(snapshot) = found.filter(|found| !found.set.is_empty() || !found.problems.is_empty()) else {
            return Ok(None);
        };
        let mut verdict = judge(&snapshot.set, &config.expectations());
        for problem in &snapshot.problems {
            verdict.note(Severity::Inconsistent, problem);
        }
        Ok(Some(Self { snapshot, verdict }))
    }

    fn side(&self) -> Side {
        side(&self.snapshot.set, &self.verdict)
    }
}

fn side(set: &CertificateSet, verdict: &Verdict) -> Side {
    Side {
        digest: set.digest(),
        grade: verdict.grade(),
        issued: verdict.issued,
        authorities: verdict.authorities.clone(),
        store_key: set.contents("sm4.key").map(Digest::of),
        has_certificates: set.contents("node.crt").is_some(),
    }
}

/// The bundle of the volume, opened.
struct Opened {
    set: CertificateSet,
    publisher: String,
    /// The keys of authorities are in it although they are not wanted any more.
    has_too_much: bool,
}

/// The bundle as the decision sees it, the bundle that counts if it could be opened, and why it could not.
struct Volume {
    bundle: Bundle,
    opened: Option<Opened>,
    error: String,
}

/// One look at this node's side, without the volume: for a node where the resource is stopped.
pub(crate) fn look(config: &Config) -> Finding {
    let local = Local::read(config).unwrap_or_default();
    let base = recorded(local.as_ref());
    finding(config, local.as_ref(), base, Vec::new())
}

/// Brings this node's certificates and the bundle together.
pub(crate) fn reconcile(config: &Config, moment: Moment, state: &mut State, deadline: Deadline) -> Finding {
    let mut concerns = Vec::new();
    if let Err(error) = certs::recover(Disk::real(), &config.certs_dir) {
        concerns.push(format!(
            "an interrupted installation in {} cannot be finished: {error}",
            config.certs_dir.display()
        ));
    }
    let owner = owner(config, deadline, &mut concerns);
    if let Some(owner) = owner {
        mend(config, owner, &mut concerns);
    }
    let keys = authkeys(config, &mut concerns);
    let mut round = Round {
        config,
        moment,
        deadline,
        owner,
        keys: &keys,
        concerns: &mut concerns,
        refusal: None,
    };
    let (local, base) = round.all(state.base());
    let refusal = round.refusal;
    state.set_base(base);
    Finding {
        refusal,
        ..finding(config, local.as_ref(), base, concerns)
    }
}

fn recorded(local: Option<&Local>) -> Option<Base> {
    let record = local?.snapshot.record.as_ref()?;
    Some(Base {
        generation: record.generation,
        digest: record.digest,
    })
}

fn finding(config: &Config, local: Option<&Local>, base: Option<Base>, mut concerns: Vec<String>) -> Finding {
    let digest = local.map(|local| local.snapshot.set.digest());
    let end = local.and_then(|local| local.verdict.first_to_expire());
    let days_left = end.map(|end| (end.not_after - config::now()).div_euclid(DAY));
    let summary = local.map(|local| local.verdict.summary()).unwrap_or_default();
    if !summary.is_empty() && !concerns.iter().any(|concern| concern.contains(&summary)) {
        concerns.push(format!("in {}: {summary}", config.certs_dir.display()));
    }
    if let (Some(end), Some(days)) = (end, days_left)
        && (0..i64::try_from(config.cert_warn_days).unwrap_or(i64::MAX)).contains(&days)
    {
        concerns.push(format!(
            "{} expires in {days} days: issue it again on the node that serves",
            config.certs_dir.join(&end.name).display()
        ));
    }
    for path in certs::displaced(&config.certs_dir).unwrap_or_default() {
        concerns.push(format!(
            "{} holds certificates of this node that were never published and made room for the cluster's: copy back what is \
             needed, then remove it",
            path.display()
        ));
    }
    let set = local.map(|local| &local.snapshot.set);
    Finding {
        digest,
        generation: base
            .filter(|base| Some(base.digest) == digest)
            .map(|base| base.generation),
        days_left,
        server_can_start: local.is_some_and(|local| local.verdict.server_can_start()),
        is_sound: digest.is_some() && base.map(|base| base.digest) == digest,
        server_certificate: set
            .and_then(|set| set.contents("ui.crt").or_else(|| set.contents("node.crt")))
            .map(<[u8]>::to_vec),
        refusal: None,
        concerns,
    }
}

fn owner(config: &Config, deadline: Deadline, concerns: &mut Vec<String>) -> Option<Owner> {
    let user = host::user::find(&config.user, deadline);
    if user.is_none() {
        concerns.push(format!("user {} does not exist on this node", config.user));
    }
    user.map(|user| Owner {
        uid: user.uid,
        gid: user.gid,
    })
}

fn mend(config: &Config, owner: Owner, concerns: &mut Vec<String>) {
    let directory = config.certs_dir.display();
    let (mended, failed) = directory::mend(&config.certs_dir, owner);
    if !mended.is_empty() {
        log::info(format!("mended in {directory}: {}", mended.join("; ")));
    }
    if !failed.is_empty() {
        concerns.push(format!(
            "owner or mode in {directory} cannot be mended: {}",
            failed.join("; ")
        ));
    }
}

fn authkeys(config: &Config, concerns: &mut Vec<String>) -> Vec<AuthKey> {
    let (mut keys, mut troubles) = (Vec::new(), Vec::new());
    for path in config.authkeys() {
        match AuthKey::read(&path) {
            Ok(Some(key)) => {
                if key.is_open_to_others() {
                    concerns.push(format!(
                        "every account of this node can read {0}, which seals the certificates: chmod o= {0}",
                        path.display()
                    ));
                }
                keys.push(key);
            }
            Ok(None) => troubles.push(format!("{} does not exist", path.display())),
            Err(error) => troubles.push(format!("{}: {error}", path.display())),
        }
    }
    if keys.is_empty() {
        concerns.push(format!(
            "there is no secret to seal the certificates with ({}): make one with corosync-keygen and copy it to both nodes",
            troubles.join(", ")
        ));
    }
    keys
}

/// Everything that one reconciliation needs.
struct Round<'a> {
    config: &'a Config,
    moment: Moment,
    deadline: Deadline,
    owner: Option<Owner>,
    keys: &'a [AuthKey],
    concerns: &'a mut Vec<String>,
    refusal: Option<String>,
}

impl Round<'_> {
    /// Looks, decides and acts until nothing more is to be done. Returns the set and the generation it agrees with.
    fn all(&mut self, remembered: Option<Base>) -> (Option<Local>, Option<Base>) {
        let mut base = remembered;
        for _ in 0..MOST_ROUNDS {
            let local = match Local::read(self.config) {
                Ok(local) => local,
                Err(error) => {
                    self.concerns.push(error);
                    return (None, base);
                }
            };
            base = recorded(local.as_ref()).or(base);
            let volume = match self.volume() {
                Ok(volume) => volume,
                Err(error) => {
                    self.concerns.push(error);
                    return (local, base);
                }
            };
            let decision = self.decide(local.as_ref(), base, &volume);
            if let Some(concern) = decision.concern {
                let scene = Scene {
                    config: self.config,
                    verdict: local.as_ref().map(|local| &local.verdict),
                    generation: generation(&volume.bundle),
                    bundle_error: &volume.error,
                };
                self.concerns.push(scene.clause(concern));
            }
            match self.act(decision.step, local.as_ref(), base, &volume) {
                Ok(Next::Done(new)) => return (local, new),
                Ok(Next::LookAgain) => {}
                Err(error) => {
                    if base.is_none() && matches!(decision.step, Step::Install(_)) {
                        // Clients trust the cluster's set; this node's was never in the cluster.
                        self.refusal = Some(error.clone());
                    }
                    self.concerns.push(error);
                    return (local, base);
                }
            }
        }
        self.concerns
            .push("certificates and bundle still differ after several rounds".into());
        (Local::read(self.config).unwrap_or_default(), base)
    }

    fn decide(&self, local: Option<&Local>, base: Option<Base>, volume: &Volume) -> certs::Decision {
        let side = local.map(Local::side);
        let mut decision = decide(self.moment, side.as_ref(), base, &volume.bundle);
        let has_too_much = volume.opened.as_ref().is_some_and(|opened| opened.has_too_much);
        if let (true, Step::Nothing | Step::Record { .. }, None, Bundle::Stored(stored)) =
            (has_too_much, decision.step, decision.concern, &volume.bundle)
        {
            decision.step = Step::Publish {
                generation: stored.generation + 1,
            };
        }
        decision
    }

    fn volume(&self) -> Result<Volume, String> {
        if let Some(obstacle) = volume::obstacle(self.config) {
            return Err(obstacle);
        }
        let Contents { current, previous } = volume::read(self.config, self.deadline)?;
        let Some(current) = current else {
            return Ok(Volume {
                bundle: Bundle::Absent,
                opened: None,
                error: String::new(),
            });
        };
        Ok(match self.open(&current) {
            (Ok((stored, opened)), error) => Volume {
                bundle: Bundle::Stored(stored),
                opened: Some(opened),
                error,
            },
            (Err((BundleError::Damaged(_), _)), error) => {
                let before = previous.and_then(|bytes| self.open(&bytes).0.ok());
                Volume {
                    bundle: Bundle::Damaged(before.map(|(stored, _)| stored)),
                    opened: None,
                    error,
                }
            }
            (Err((kind, header)), error) => Volume {
                bundle: Bundle::Locked {
                    generation: header.map_or(u64::MAX, |sealed| sealed.header.generation),
                    newer_format: matches!(kind, BundleError::NewerFormat(_)),
                },
                opened: None,
                error,
            },
        })
    }

    /// Opens a bundle. The text says what is wrong with it, or with the set in it.
    #[allow(clippy::type_complexity)] // one caller takes it apart at once
    fn open(&self, bytes: &[u8]) -> (Result<(Stored, Opened), (BundleError, Option<Sealed>)>, String) {
        let sealed = match bundle::parse(bytes) {
            Ok(sealed) => sealed,
            Err(error) => {
                let text = error.to_string();
                return (Err((error, None)), text);
            }
        };
        match sealed.open(self.keys) {
            Err(error) => {
                let text = format!(
                    "{error}; node {} sealed it with {}",
                    sealed.header.publisher, sealed.header.authkey
                );
                (Err((error, Some(sealed))), text)
            }
            Ok(whole) => {
                let set = if self.config.include_ca_key {
                    whole.clone()
                } else {
                    whole.without_authority_keys()
                };
                let verdict = judge(&set, &self.config.expectations());
                let stored = Stored {
                    generation: sealed.header.generation,
                    side: side(&set, &verdict),
                };
                let opened = Opened {
                    has_too_much: set != whole,
                    set,
                    publisher: sealed.header.publisher,
                };
                (Ok((stored, opened)), verdict.summary())
            }
        }
    }

    fn act(
        &self,
        step: Step,
        local: Option<&Local>,
        base: Option<Base>,
        volume: &Volume,
    ) -> Result<Next, String> {
        match (step, local, &volume.opened) {
            (Step::Nothing, ..) => Ok(Next::Done(base)),
            (Step::Record { generation }, Some(local), Some(opened)) => {
                self.record(local, generation, &opened.publisher).map(Next::Done)
            }
            (Step::Publish { generation }, Some(local), _) => {
                self.publish(local, generation, volume).map(Next::Done)
            }
            (Step::Install(keep), _, Some(opened)) => {
                self.install(local, opened, generation(&volume.bundle).unwrap_or(0), keep)?;
                Ok(Next::LookAgain)
            }
            (Step::RestorePrevious, ..) => {
                volume::restore_previous(self.config, self.deadline)?;
                log::warning(format!(
                    "the bundle before the damaged one is back in {}",
                    self.config.bundle().display()
                ));
                Ok(Next::LookAgain)
            }
            _ => Err(format!(
                "internal error of the agent: {step:?} without the sets for it"
            )),
        }
    }

    fn record(&self, local: &Local, generation: u64, publisher: &str) -> Result<Option<Base>, String> {
        let digest = local.snapshot.set.digest();
        let record = Record {
            generation,
            digest,
            publisher: publisher.to_owned(),
        };
        let directory = &self.config.certs_dir;
        record.write(Disk::real(), directory).map_err(|error| {
            format!(
                "cannot write {} in {}: {error}",
                Record::FILE,
                directory.display()
            )
        })?;
        Ok(Some(Base { generation, digest }))
    }

    fn publish(&self, local: &Local, generation: u64, volume: &Volume) -> Result<Option<Base>, String> {
        let key = self
            .keys
            .first()
            .ok_or("the certificates of this node are not published")?;
        let node = crate::node_name(self.config);
        let publisher = Publisher {
            node: &node,
            now: config::now(),
        };
        let set = &local.snapshot.set;
        let bytes = bundle::seal(set, generation, publisher, key)?;
        let damaged = matches!(volume.bundle, Bundle::Damaged(_));
        volume::write(self.config, &bytes, damaged, self.deadline)?;
        log::info(format!(
            "generation {generation} of the certificates ({}) is published",
            set.digest().short()
        ));
        self.record(local, generation, &node)
    }

    fn install(
        &self,
        local: Option<&Local>,
        opened: &Opened,
        generation: u64,
        keep: Keep,
    ) -> Result<(), String> {
        let owner = self
            .owner
            .ok_or("the cluster's certificates cannot be installed without their owner")?;
        let record = Record {
            generation,
            digest: opened.set.digest(),
            publisher: opened.publisher.clone(),
        };
        let directory = &self.config.certs_dir;
        certs::install(
            Disk::real(),
            &Installation {
                directory,
                set: &opened.set,
                record: &record,
                owner,
                keep,
                method: self.config.method,
            },
        )
        .map_err(|error| {
            format!(
                "cannot install generation {generation} into {}: {error}",
                directory.display()
            )
        })?;
        let replaced = match (local, keep) {
            (None, _) => "nothing",
            (Some(_), Keep::Previous) => "the set before, which is kept as predecessor",
            (Some(_), Keep::Displaced(_)) => "a set that was never published, which is put aside",
        };
        log::warning(format!(
            "generation {generation} of the certificates ({}, published by {}) is installed into {} in the place of {replaced}",
            record.digest.short(),
            record.publisher,
            directory.display()
        ));
        Ok(())
    }
}

enum Next {
    /// The generation with which the directory agrees now.
    Done(Option<Base>),
    LookAgain,
}

fn generation(bundle: &Bundle) -> Option<u64> {
    match bundle {
        Bundle::Stored(stored) => Some(stored.generation),
        Bundle::Locked { generation, .. } => Some(*generation).filter(|generation| *generation != u64::MAX),
        Bundle::Absent | Bundle::Damaged(_) => None,
    }
}
