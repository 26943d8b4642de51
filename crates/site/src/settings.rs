//! `/etc/kaiwudb-ha/ha.toml`: what cannot be found out. A missing file is an empty one; a wrong one is an error that names the line, and
//! one that others than root can change is refused: it names programs that root runs.

mod alerting;
mod error;
mod model;
mod sections;
mod values;
mod who;

use crate::language::Language;
use crate::texts::settings as texts;
pub use alerting::AlertSettings;
use anyhow::{Result, anyhow};
use error::Place;
use host::untrusted;
pub use model::{
    CertificateSettings, Device, DrbdSettings, Fencing, NodeSettings, Scalar, Settings, Storage, VirtualIp,
    is_password, key,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use who::others;

/// Where the settings are.
pub const FILE: &str = "/etc/kaiwudb-ha/ha.toml";
/// Where they were in 0.1.0. The vendor's installer gives the directory to the server's account.
const FORMER: &str = "/etc/kaiwudb/ha.toml";
/// Longer than any settings.
const LARGEST: u64 = 1 << 20;

/// The file that is meant by `path`: the former one where only that is there.
pub fn locate(path: &Path) -> PathBuf {
    let only_former = path == Path::new(FILE) && !path.exists() && Path::new(FORMER).exists();
    if only_former {
        FORMER.into()
    } else {
        path.to_owned()
    }
}

impl Settings {
    /// Reads the file.
    pub fn read(path: &Path, language: Language) -> Result<Self> {
        let name = path.display().to_string();
        let path = &std::path::absolute(path)?;
        let found = untrusted::read(path, LARGEST).map_err(|error| {
            let why = error.to_string();
            anyhow!(texts::UNREADABLE.fill(language, &[("file", &name), ("why", &why)]))
        })?;
        let Some(found) = found else {
            return Ok(Self::default());
        };
        if let Some(who) = others(found.writers, language) {
            let values = [("file", name.as_str()), ("who", &who), ("safe", FILE)];
            return Err(anyhow!(texts::UNSAFE.fill(language, &values)));
        }
        let text = String::from_utf8(found.bytes).map_err(|_| {
            let values = [("file", name.as_str()), ("why", "UTF-8")];
            anyhow!(texts::UNREADABLE.fill(language, &values))
        })?;
        let mut settings = Self::parse(&text, &name, language)?;
        settings.refuse_foreign_programs(&Place {
            text: &text,
            name: &name,
            language,
        })?;
        if path == Path::new(FORMER) {
            let values = [("file", FORMER), ("safe", FILE)];
            settings.warnings.push(texts::FORMER.fill(language, &values));
        }
        if found.mode & 0o077 != 0 && settings.has_password() {
            settings
                .warnings
                .push(texts::OPEN.fill(language, &[("file", &name)]));
        }
        Ok(settings)
    }

    /// What the file says, section by section, as digests that give no password away; none where there is no file, `None` where it cannot be read.
    pub fn digests(path: &Path) -> Option<BTreeMap<String, String>> {
        let settings = Self::read(&locate(path), Language::English).ok()?;
        sections::digests(&settings.text)
    }

    /// Root's fencer runs what a device's parameters name: nobody else may be able to change it.
    fn refuse_foreign_programs(&self, place: &Place<'_>) -> Result<()> {
        for device in self.fencing_devices() {
            for (key, value) in device.get_ref() {
                let program = value.get_ref().to_string();
                if !is_program(key) || !program.starts_with('/') {
                    continue;
                }
                // What is not there, the fence agent says itself.
                let writers = untrusted::writers(Path::new(&program)).unwrap_or_default();
                if let Some(who) = others(writers, place.language) {
                    let values = [("key", key.as_str()), ("file", &program), ("who", &who)];
                    let why = texts::FOREIGN_PROGRAM.fill(place.language, &values);
                    return Err(place.at(value.span().start, &why));
                }
            }
        }
        Ok(())
    }

    fn fencing_devices(&self) -> impl Iterator<Item = &toml::Spanned<Device>> {
        let own = self.nodes.values().filter_map(|node| node.fencing.as_ref());
        own.chain(&self.fencing.device)
    }

    /// Whether a fencing device's password stands in it.
    fn has_password(&self) -> bool {
        self.fencing_devices()
            .flat_map(|device| device.get_ref().keys())
            .any(|name| is_password(name))
    }

    /// Reads the text of the file `name`.
    pub fn parse(text: &str, name: &str, language: Language) -> Result<Self> {
        let place = Place { text, name, language };
        let mut settings: Self = toml::from_str(text).map_err(|error| place.refused(&error))?;
        values::check(&settings, &place)?;
        text.clone_into(&mut settings.text);
        Ok(settings)
    }

    /// How ssh reaches the node, as far as the settings say.
    pub fn target(&self, node: &str) -> Option<String> {
        let node = self.nodes.get(node)?;
        let target = node.ssh.as_ref().or(node.address.as_ref())?;
        Some(target.get_ref().clone())
    }
}

/// Whether a fence agent runs what its parameter of this name says.
fn is_program(key: &str) -> bool {
    key.ends_with("_script") || key.ends_with("_path")
}

#[cfg(test)]
mod tests;
