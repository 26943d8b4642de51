//! Looks at both sides, decides and acts: the heart of start, monitor and stop.

use crate::config::Config;
use crate::finding::{Finding, finding};
use crate::local::{Local, recorded};
use crate::reasons::Scene;
use crate::run_directory::State;
use crate::view::{Opened, View};
use crate::volume;
use certs::authority::{self, AuthorityKeys};
use certs::bundle::{self, Publisher};
use certs::directory;
use certs::seal::AuthKey;
use certs::{Base, Bundle, Disk, Installation, Keep, Moment, Owner, Record, Step, decide};
use host::{Deadline, log};
use std::path::Path;

/// A node that was cut off for long can have a bundle restored and then published; more rounds cannot be needed.
const MOST_ROUNDS: u32 = 3;

/// One look at this node's side, without the volume: for a node where the resource is stopped.
pub(crate) fn inspect(config: &Config) -> Finding {
    let local = Local::read(config).unwrap_or_default();
    let base = recorded(local.as_ref());
    let mut concerns = Vec::new();
    let keys = authkeys(config, &mut concerns);
    finding(config, local.as_ref(), base, &keys, concerns)
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
        repair(config, owner, &mut concerns);
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
        ..finding(config, local.as_ref(), base, &keys, concerns)
    }
}

fn owner(config: &Config, deadline: Deadline, concerns: &mut Vec<String>) -> Option<Owner> {
    let user = host::user::find(&config.user, deadline);
    if user.is_none() {
        concerns.push(format!("user {} does not exist on this node", config.user));
    }
    let refused = user.as_ref().and_then(|user| config.refuses_owner(user));
    let is_refused = refused.is_some();
    concerns.extend(refused);
    user.filter(|_| !is_refused).map(|user| Owner {
        uid: user.uid,
        gid: user.gid,
    })
}

fn repair(config: &Config, owner: Owner, concerns: &mut Vec<String>) {
    let directory = config.certs_dir.display();
    let mut keys = match AuthorityKeys::read(Path::new(authority::MEMORY)) {
        Ok(keys) => keys,
        Err(error) => {
            concerns.push(format!(
                "the authorities' keys of this node are not known ({}: {error}), so no file in {directory} is given to the server's account",
                authority::MEMORY
            ));
            return;
        }
    };
    let (fixed, failed) = directory::repair(&config.certs_dir, owner, &mut keys);
    if !fixed.is_empty() {
        log::info(format!("fixed in {directory}: {}", fixed.join("; ")));
    }
    if !failed.is_empty() {
        concerns.push(format!(
            "owner or mode in {directory} cannot be fixed: {}",
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
            let view = match View::read(self.config, self.keys, self.deadline) {
                Ok(view) => view,
                Err(error) => {
                    self.concerns.push(error);
                    return (local, base);
                }
            };
            let decision = self.decide(local.as_ref(), base, &view);
            if let Some(concern) = decision.concern {
                let scene = Scene {
                    config: self.config,
                    verdict: local.as_ref().map(|local| &local.verdict),
                    generation: view.generation(),
                    bundle_error: &view.error,
                };
                self.concerns.push(scene.clause(concern));
            }
            match self.act(decision.step, local.as_ref(), base, &view) {
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

    fn decide(&self, local: Option<&Local>, base: Option<Base>, view: &View) -> certs::Decision {
        let side = local.map(Local::side);
        let mut decision = decide(self.moment, side.as_ref(), base, &view.bundle);
        let has_too_much = view.opened.as_ref().is_some_and(|opened| opened.has_too_much);
        if let (true, Step::Nothing | Step::Record { .. }, None, Bundle::Stored(stored)) =
            (has_too_much, decision.step, decision.concern, &view.bundle)
        {
            decision.step = Step::Publish {
                generation: stored.generation + 1,
            };
        }
        decision
    }

    fn act(
        &self,
        step: Step,
        local: Option<&Local>,
        base: Option<Base>,
        view: &View,
    ) -> Result<Next, String> {
        match (step, local, &view.opened) {
            (Step::Nothing, ..) => Ok(Next::Done(base)),
            (Step::Record { generation }, Some(local), Some(opened)) => {
                self.record(local, generation, &opened.publisher).map(Next::Done)
            }
            (Step::Publish { generation }, Some(local), _) => {
                self.publish(local, generation, view).map(Next::Done)
            }
            (Step::Install(keep), _, Some(opened)) => {
                self.install(local, opened, view.generation().unwrap_or(0), keep)?;
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

    fn publish(&self, local: &Local, generation: u64, view: &View) -> Result<Option<Base>, String> {
        if self.keys.is_empty() {
            return Err("the certificates of this node are not published".into());
        }
        let node = self.config.node_name();
        let publisher = Publisher {
            node: &node,
            now: host::now_seconds(),
        };
        let set = &local.snapshot.set;
        let bytes = bundle::seal(set, generation, publisher, self.keys)?;
        let damaged = matches!(view.bundle, Bundle::Damaged(_));
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
        let told = format!(
            "generation {generation} of the certificates ({}, published by {}) is installed into {}",
            record.digest.short(),
            record.publisher,
            directory.display()
        );
        match (local, keep) {
            (Some(_), Keep::Displaced(_)) => log::warning(format!(
                "{told}; the set there was never published and has been set aside"
            )),
            _ => log::info(told),
        }
        Ok(())
    }
}

enum Next {
    /// The generation with which the directory agrees now.
    Done(Option<Base>),
    LookAgain,
}
