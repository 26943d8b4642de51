//! One sequence: a fresh lab, and faults one after the other.

use crate::fault::Fault;
use crate::{Total, audit};
use anyhow::{Context, Result};
use fastrand::Rng;
use host::Deadline;
use lab::{Audit, Client, ClientOptions, Kind, Lab, Node, activate, cib};
use std::time::{Duration, Instant};

/// Loading the configuration, and cleaning up.
const LOADS: Duration = Duration::from_secs(120);
/// How soon after the first fault a second one comes, at most.
const BOTH: u64 = 4_000;

/// A lab with clients that commit, an audit, and the numbers that chance has for it.
pub(crate) struct Sequence {
    lab: Lab,
    clients: Vec<Client>,
    audit: Audit,
    rng: Rng,
    steps: usize,
}

impl Sequence {
    pub(crate) fn begin(seed: u64) -> Result<Self> {
        let lab = operator::ground()?;
        activate(&lab, &cib::ocf())?;
        lab.nodes()[0].shell(
            &format!(
                "printf '<primitive id=\"{0}\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"><operations><op id=\"{0}-m\" name=\"monitor\" \
                 interval=\"10s\"/></operations></primitive>' >/run/neighbour.xml && cibadmin --create --scope resources --xml-file /run/neighbour.xml",
                audit::NEIGHBOUR
            ),
            Deadline::after(LOADS),
        )?;
        let audit = lab.audit()?;
        // With timeouts and without; a row every 100 ms is enough to find one that is lost.
        let client = |kind: Kind| {
            let interval = Duration::from_millis(100);
            Client::start(
                &lab,
                &ClientOptions {
                    interval,
                    ..ClientOptions::of(kind)
                },
            )
        };
        let clients = vec![client(Kind::Impatient)?, client(Kind::Patient)?];
        audit::settled(&lab, &clients)?;
        Ok(Self {
            clients,
            audit,
            rng: Rng::with_seed(seed),
            steps: 0,
            lab,
        })
    }

    pub(crate) fn lab(&self) -> &Lab {
        &self.lab
    }

    /// One fault, sometimes two, then every audit.
    pub(crate) fn step(&mut self, total: &mut Total) -> Result<()> {
        self.steps += 1;
        let first = Fault::drawn(&mut self.rng);
        let second = (self.rng.u8(..5) == 0).then(|| Fault::drawn(&mut self.rng));
        let apart = Duration::from_millis(self.rng.u64(..BOTH));
        let lives = self.lab.nodes().iter().map(audit::place_bystander);
        let lives: Vec<u64> = lives.collect::<Result<_>>()?;
        let active = self
            .lab
            .cluster()
            .wait_active("KaiwuDB", Deadline::after(LOADS))?;
        let node = |fault: &Fault| -> &Node {
            let [one, other] = self.lab.nodes();
            if fault.on_active == (one.name() == active.name()) {
                one
            } else {
                other
            }
        };
        let begun = Instant::now();
        let words = match &second {
            None => first.to_string(),
            Some(second) => format!("{first} and, {:.1} s later, {second}", apart.as_secs_f64()),
        };
        first.inject(&self.lab, node(&first))?;
        let mut holds = first.holds;
        if let Some(second) = &second {
            Deadline::after(apart).pause(apart);
            // The node may be gone already.
            if let Err(error) = second.inject(&self.lab, node(second)) {
                println!("    {error:#}");
            }
            holds = holds.max(second.holds);
        }
        Deadline::after(holds).pause(holds);
        for fault in [Some(&first), second.as_ref()].into_iter().flatten() {
            fault.give_back(&self.lab, node(fault))?;
        }
        let over = audit::settled(&self.lab, &self.clients);
        let took = begun.elapsed();
        let audited = over.and_then(|()| audit::all(&self.lab, &self.audit, &self.clients));
        let bystanders = || -> Result<()> {
            for (node, life) in self.lab.nodes().iter().zip(&lives) {
                audit::bystander_lives(node, *life)?;
            }
            Ok(())
        };
        audited.and_then(|()| bystanders()).with_context(|| {
            format!(
                "step {}: {words}, given back after {:.1} s",
                self.steps,
                holds.as_secs_f64()
            )
        })?;
        total.faults += 1 + usize::from(second.is_some());
        let name = if second.is_some() {
            "two at once".to_owned()
        } else {
            first.kind.to_string()
        };
        let (times, longest) = total.kinds.entry(name).or_default();
        *times += 1;
        *longest = (*longest).max(took);
        let mut said = String::new();
        if second.is_none()
            && let Some((place, kind)) = audit::explained(&self.lab.nodes()[0], &first, begun)?
        {
            total.explained[place] += 1;
            said = format!("; why: {kind}");
        }
        println!("  {:>5.1} s  {words}{said}", took.as_secs_f64());
        self.lab.cluster().cleanup(None, Deadline::after(LOADS))
    }

    pub(crate) fn end(self, total: &mut Total) -> Result<()> {
        for client in &self.clients {
            total.commits += client.report().acknowledged.len();
        }
        self.audit.finish()
    }
}
