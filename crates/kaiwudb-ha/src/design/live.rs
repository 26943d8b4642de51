//! The configuration that the cluster has now.

use super::model::Spelling;
use anyhow::{Result, anyhow};
use host::{Command, Deadline, Process};
use pacemaker::cib::{self, Cib};
use pacemaker::xml::Element;
use std::time::Duration;

/// One question.
const QUESTION: Duration = Duration::from_secs(10);

/// The live CIB, once as it is and once as data.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// The whole document, status included.
    pub(crate) document: Element,
    pub(crate) cib: Cib,
    /// Whether a cluster answered; otherwise the document is empty but for its attributes.
    pub(crate) running: bool,
}

impl Live {
    /// Asks the cluster; where none runs the configuration is an empty one in the words of the installed Pacemaker.
    pub(crate) fn get() -> Result<Self> {
        match query() {
            Ok(text) => Self::parse(&text, true),
            Err(_) if !is_running() => {
                let schema = match installed_spelling()? {
                    Spelling::Promoted => "pacemaker-3.7",
                    Spelling::Master => "pacemaker-3.4",
                };
                Self::parse(&empty(schema), false)
            }
            Err(why) => Err(why),
        }
    }

    /// Reads a CIB.
    pub(crate) fn parse(text: &str, running: bool) -> Result<Self> {
        Ok(Self {
            document: Element::parse(text).map_err(|why| anyhow!("cibadmin: {why}"))?,
            cib: cib::parse(text).map_err(|why| anyhow!("cibadmin: {why}"))?,
            running,
        })
    }

    /// How this cluster spells the roles.
    pub(crate) fn spelling(&self) -> Spelling {
        Spelling::of_schema(self.document.get("validate-with").unwrap_or_default())
    }

    /// The configuration as Pacemaker takes it, for comparing: with templates and references in their places.
    pub(crate) fn effective(&self) -> Element {
        let document = cib::effective(&self.document);
        document.child("configuration").cloned().unwrap_or_default()
    }

    /// This id, or one like it that nothing has.
    pub(crate) fn unused_id(&self, id: &str) -> String {
        if self.document.by_id(id).is_none() {
            return id.to_owned();
        }
        // The document has fewer elements than this.
        (2..=self.document.descendants().len() + 2)
            .map(|number| format!("{id}-{number}"))
            .find(|id| self.document.by_id(id).is_none())
            .unwrap_or_default()
    }

    /// The element `configuration`.
    pub(crate) fn configuration(&self) -> Element {
        self.document
            .child("configuration")
            .cloned()
            .unwrap_or_else(|| Element::new("configuration"))
    }
}

/// What the cluster's configuration is now, as text.
pub(crate) fn query() -> Result<String> {
    Ok(Command::new("cibadmin")
        .arg("--query")
        .run_ok(Deadline::after(QUESTION))?
        .text())
}

/// Whether a cluster runs here, or somebody has named a file in its place.
fn is_running() -> bool {
    std::env::var_os("CIB_file").is_some() || Process::all().any(|process| process.name() == "pacemakerd")
}

fn empty(schema: &str) -> String {
    format!(
        "<cib validate-with=\"{schema}\" epoch=\"0\" num_updates=\"0\" admin_epoch=\"0\"><configuration><crm_config/><nodes/>\
         <resources/><constraints/></configuration><status/></cib>"
    )
}

/// What the installed release understands.
fn installed_spelling() -> Result<Spelling> {
    let output = Command::new("cibadmin")
        .arg("--version")
        .run(Deadline::after(QUESTION))?
        .text();
    let version = output
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned();
    let mut numbers = version
        .split(['.', '-'])
        .map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    Ok(if version >= (2, 1) {
        Spelling::Promoted
    } else {
        Spelling::Master
    })
}
