//! The configuration that the cluster has now, to be compared and changed.

use crate::Error;
use crate::cib::{self, Cib};
use crate::model::Spelling;
use crate::xml::Element;
use host::{Command, Deadline, Process};
use std::time::Duration;

/// One question.
const QUESTION: Duration = Duration::from_secs(10);

/// The live CIB: what it says is read from `cib`, what changes it works on `document`.
#[derive(Clone, Debug)]
pub struct Live {
    /// The whole document as it is written, status included.
    pub document: Element,
    /// What it says, with templates and references in their places.
    pub cib: Cib,
    /// Whether a cluster answered; otherwise the document is empty but for its attributes.
    pub running: bool,
}

impl Live {
    /// Asks the cluster; where none runs the configuration is an empty one in the words of the installed Pacemaker.
    pub fn get() -> Result<Self, Error> {
        let (document, running) = match cib::query(Deadline::after(QUESTION)) {
            Ok(document) => (document, true),
            Err(_) if !is_running() => (empty(installed_spelling()?), false),
            Err(why) => return Err(why),
        };
        Self::of(document, running).map_err(|why| Error::Answer("cibadmin", why))
    }

    /// Takes a CIB that is a tree already.
    pub fn of(document: Element, running: bool) -> Result<Self, String> {
        Ok(Self {
            cib: cib::of(&document)?,
            document,
            running,
        })
    }

    /// How this cluster spells the roles.
    pub fn spelling(&self) -> Spelling {
        Spelling::of_schema(self.document.get("validate-with").unwrap_or_default())
    }

    /// This id, or one like it that nothing has.
    pub fn unused_id(&self, id: &str) -> String {
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
    pub fn configuration(&self) -> Element {
        self.document
            .child("configuration")
            .cloned()
            .unwrap_or_else(|| Element::new("configuration"))
    }
}

/// Whether a cluster runs here, or somebody has named a file in its place.
fn is_running() -> bool {
    std::env::var_os("CIB_file").is_some() || Process::all().any(|process| process.name() == "pacemakerd")
}

fn empty(spelling: Spelling) -> Element {
    let mut document = Element::new("cib")
        .with("validate-with", spelling.schema())
        .with("epoch", "0")
        .with("num_updates", "0")
        .with("admin_epoch", "0");
    document.children = ["configuration", "status"].map(Element::new).into();
    let sections = ["crm_config", "nodes", "resources", "constraints"];
    document.children[0].children = sections.map(Element::new).into();
    document
}

/// What the installed release understands.
fn installed_spelling() -> Result<Spelling, Error> {
    let output = Command::new("cibadmin")
        .arg("--version")
        .run(Deadline::after(QUESTION))?
        .text();
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let version = output.split_whitespace().find(is_number).unwrap_or_default();
    Ok(Spelling::of_release(version))
}
