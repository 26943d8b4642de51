//! What a migration has done and what it found before, kept on the node that it runs on: so that one that was interrupted can be
//! finished or taken back, and one that is done can be taken back as well.

use crate::texts::migrate as texts;
use anyhow::{Context, Result};
use host::file;
use ocf::ExitCode;
use pacemaker::cib::agent_of;
use pacemaker::xml::Element;
use serde::{Deserialize, Serialize};
use site::language::Text;
use site::roles;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

const DIRECTORY: &str = "/var/lib/kaiwudb-ha";
/// Where it is.
pub(super) const FILE: &str = "/var/lib/kaiwudb-ha/migration.json";

/// Whose agents a migration leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Side {
    /// Those of this project.
    Ours,
    /// Those that the KWDB guide uses.
    Guide,
}

/// What is being done, or was done last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    Hold,
    Exchange,
    Probe,
    Pin,
    Units,
    Release,
    Look,
    Done,
}

impl Step {
    /// What is done in it.
    pub(super) const fn text(self) -> Text {
        match self {
            Self::Hold => texts::STEP_HOLD,
            Self::Exchange => texts::STEP_EXCHANGE,
            Self::Probe => texts::STEP_PROBE,
            Self::Pin => texts::STEP_PIN,
            Self::Units => texts::STEP_UNITS,
            Self::Release => texts::STEP_RELEASE,
            Self::Look => texts::STEP_LOOK,
            Self::Done => texts::STEP_DONE,
        }
    }
}

/// A primitive before and after, as XML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Exchange {
    pub(super) id: String,
    pub(super) guide: String,
    pub(super) ours: String,
}

/// What runs where; compared before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Resource, node and whether it is promoted there, of everything that is active.
    pub(super) active: BTreeSet<(String, String, bool)>,
    /// Node and pid of the database's server, and its start time, which tells two processes of one pid apart.
    pub(super) servers: BTreeSet<(String, i32, u64)>,
    /// Node, device and kind of the store's mount.
    pub(super) mounts: BTreeSet<(String, String, String)>,
    /// Node and number of the store's mount: one that was mounted anew has another.
    #[serde(default)]
    pub(super) mount_ids: BTreeSet<(String, u64)>,
    /// Node, interface and virtual IP with the length of its prefix.
    #[serde(default)]
    pub(super) addresses: BTreeSet<(String, String, String)>,
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// Seconds since 1970.
    pub(super) began: i64,
    pub(super) to: Side,
    pub(super) step: Step,
    pub(super) exchanges: Vec<Exchange>,
    /// Resources that are in maintenance meanwhile.
    pub(super) held: Vec<String>,
    pub(super) before: Seen,
    /// Nodes on which the vendor's unit was enabled.
    pub(super) enabled_on: Vec<String>,
    /// Name and value of the store's identity, as far as we have pinned it.
    pub(super) pinned: Option<(String, String)>,
    /// Where the store is mounted.
    #[serde(default)]
    pub(super) data_root: String,
    /// The migration before this one, which is to be taken back after it.
    #[serde(default)]
    pub(super) earlier: Option<Box<Journal>>,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Ours => Self::Guide,
            Self::Guide => Self::Ours,
        }
    }
}

/// The virtual IPs among these.
pub(super) fn virtual_ips(exchanges: &[Exchange]) -> Vec<IpAddr> {
    let ips = exchanges.iter().filter_map(|exchange| {
        let ours = exchange.element(Side::Ours);
        let pairs = ours.path(&["instance_attributes", "nvpair"]);
        let ip = pairs.into_iter().find(|pair| pair.get("name") == Some("ip"))?;
        ip.get("value")?.parse().ok()
    });
    ips.collect()
}

impl Exchange {
    /// Whether it is the database.
    pub(super) fn is_database(&self) -> bool {
        agent_of(&self.element(Side::Ours)) == roles::DATABASE
    }

    /// The primitive on one side.
    pub(super) fn element(&self, side: Side) -> Element {
        let text = match side {
            Side::Ours => &self.ours,
            Side::Guide => &self.guide,
        };
        // We have written it ourselves; Journal::read looks at every one.
        Element::parse(text).unwrap_or_default()
    }
}

impl Seen {
    /// What a probe of the resource must find on the node.
    pub(super) fn expected(&self, id: &str, node: &str) -> ExitCode {
        let runs = |promoted: bool| self.active.contains(&(id.to_owned(), node.to_owned(), promoted));
        match (runs(true), runs(false)) {
            (true, _) => ExitCode::RunningPromoted,
            (_, true) => ExitCode::Success,
            _ => ExitCode::NotRunning,
        }
    }

    /// What is different, as `+` and `-` lines.
    pub(super) fn difference(&self, now: &Self) -> Vec<String> {
        fn lines<T: Ord + std::fmt::Debug>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> Vec<String> {
            let gone = old.difference(new).map(|one| format!("- {one:?}"));
            gone.chain(new.difference(old).map(|one| format!("+ {one:?}")))
                .collect()
        }
        let mut found = lines(&self.active, &now.active);
        found.extend(lines(&self.servers, &now.servers));
        found.extend(lines(&self.mounts, &now.mounts));
        found.extend(lines(&self.mount_ids, &now.mount_ids));
        found.extend(lines(&self.addresses, &now.addresses));
        found
    }
}

/// Whether what the probe found is what was expected; "degraded" runs.
pub(super) fn agrees(expected: ExitCode, found: i32) -> bool {
    ExitCode::of_number(found).is_some_and(|found| {
        found == expected
            || matches!(
                (expected, found),
                (ExitCode::Success, ExitCode::Degraded)
                    | (ExitCode::RunningPromoted, ExitCode::DegradedPromoted)
            )
    })
}

impl Journal {
    /// The journal of this node, if there is one. One that cannot be read is an error: it holds what is needed to go back.
    pub(super) fn read() -> Result<Option<Self>> {
        let Some(text) = file::read_text(Path::new(FILE)).with_context(|| format!("cannot read {FILE}"))?
        else {
            return Ok(None);
        };
        let journal: Self =
            serde_json::from_str(&text).with_context(|| format!("{FILE} cannot be understood"))?;
        for exchange in &journal.exchanges {
            for xml in [&exchange.guide, &exchange.ours] {
                Element::parse(xml)
                    .map_err(anyhow::Error::msg)
                    .with_context(|| format!("{FILE}: {}", exchange.id))?;
            }
        }
        Ok(Some(journal))
    }

    /// Writes it down, on the disk, before anything is done.
    pub(super) fn write(&self) -> Result<()> {
        std::fs::create_dir_all(DIRECTORY).with_context(|| format!("cannot create {DIRECTORY}"))?;
        file::replace_synced(Path::new(FILE), &serde_json::to_string_pretty(self)?)
            .with_context(|| format!("cannot write {FILE}"))
    }

    /// Notes the step that comes now.
    pub(super) fn begin(&mut self, step: Step) -> Result<()> {
        self.step = step;
        self.write()
    }

    /// Whether it is over.
    pub(super) fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// Puts the one before it in its place.
    pub(super) fn give_way_to(earlier: Option<&Self>) -> Result<()> {
        match earlier {
            Some(earlier) => earlier.write(),
            None => file::remove(Path::new(FILE)).with_context(|| format!("cannot remove {FILE}")),
        }
    }

    /// The database's own exchange, which is about the vendor's unit and the store as well.
    pub(super) fn database(&self) -> Option<&Exchange> {
        self.exchanges.iter().find(|exchange| exchange.is_database())
    }

    /// The virtual IPs among what is exchanged.
    pub(super) fn virtual_ips(&self) -> Vec<IpAddr> {
        virtual_ips(&self.exchanges)
    }

    /// Ids of what is exchanged.
    pub(super) fn ids(&self) -> Vec<&str> {
        self.exchanges
            .iter()
            .map(|exchange| exchange.id.as_str())
            .collect()
    }
}
