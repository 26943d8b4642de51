//! Changes of the configuration: all at once, and only of the version that the change was made for.

use crate::xml::Element;
use crate::{Error, cib};
use host::{Command, CommandError, Deadline};
use std::io::Write;
use std::time::Duration;
use tempfile::NamedTempFile;

/// One call.
const CALL: Duration = Duration::from_secs(20);
/// "The update was older than the configuration" of every Pacemaker tool since 2.0 (`CRM_EX_OLD`).
const OLD: i32 = 103;
/// `crm_diff`: the two differ.
const DIFFERENT: i32 = 1;

/// The version of a configuration: it is another one after every change, whoever made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    admin_epoch: u64,
    epoch: u64,
}

impl Version {
    /// Of a whole CIB.
    pub fn of(cib: &Element) -> Self {
        let number = |name| cib.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Self {
            admin_epoch: number("admin_epoch"),
            epoch: number("epoch"),
        }
    }
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum Refused {
    /// Somebody else has changed what was to be changed.
    Changed,
    /// A tool failed.
    Error(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Changes the configuration in one step, if it still is the version `of` (`None`: whatever it is). The state, which the cluster
/// writes all the time, may be another one. `change` says whether it can be made; one that changes nothing is none. Returns the version that came of it.
pub fn apply(
    of: Option<Version>,
    change: impl Fn(&mut Element) -> bool,
    deadline: Deadline,
) -> Result<Version, Refused> {
    loop {
        let old = cib::query(deadline.slice(CALL))?;
        let version = Version::of(&old);
        if of.is_some_and(|of| of != version) {
            return Err(Refused::Changed);
        }
        let mut new = old.clone();
        if !change(&mut new) {
            return Err(Refused::Changed);
        }
        if new == old {
            return Ok(version);
        }
        // The patch names both versions, and the cluster refuses one that is not made for its own.
        let next = raise(&mut new);
        let patch = difference(&old, &new, deadline)?;
        let patched = Command::new("cibadmin")
            .args(["--patch", "--xml-pipe"])
            .input(patch)
            .run_ok(deadline.slice(CALL))
            .map_err(Error::from);
        match patched {
            Ok(_) => return Ok(next),
            // Configuration or state: the next query shows which.
            Err(Error::Tool(CommandError::Failed(_, output)))
                if output.status.code() == Some(OLD) && deadline.pause(Duration::from_millis(50)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives it the next version, so that nobody takes it for an older one.
pub(crate) fn raise(cib: &mut Element) -> Version {
    let version = Version::of(cib);
    let next = Version {
        epoch: version.epoch + 1,
        ..version
    };
    cib.set("epoch", &next.epoch.to_string());
    cib.set("num_updates", "0");
    next
}

fn difference(old: &Element, new: &Element, deadline: Deadline) -> Result<Vec<u8>, Error> {
    let (old, new) = (file(old)?, file(new)?);
    let output = Command::new("crm_diff")
        .arg("--original")
        .arg(old.path())
        .arg("--new")
        .arg(new.path())
        .run(deadline.slice(CALL))?;
    if output.status.code() == Some(DIFFERENT) {
        Ok(output.stdout)
    } else {
        Err(Error::Answer("crm_diff", output.last_words()))
    }
}

/// A file that only we can read (a CIB may hold passwords of fencing devices) and that goes when it is dropped.
pub(crate) fn file(element: &Element) -> Result<NamedTempFile, Error> {
    NamedTempFile::new()
        .and_then(|mut file| file.write_all(element.text().as_bytes()).map(|()| file))
        .map_err(|error| Error::Answer("the temporary directory", error.to_string()))
}
