//! `/etc/kaiwudb/ha.toml`: what cannot be found out. A missing file is an empty one; a wrong one is an error that names the line.

mod error;
mod model;
mod values;

use crate::language::Language;
use crate::texts::settings as texts;
use anyhow::{Result, anyhow};
use error::Place;
use host::file;
pub use model::{
    CertificateSettings, Device, DrbdSettings, Fencing, NodeSettings, Scalar, Settings, Storage, VirtualIp,
    is_password, key,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where the settings are.
pub const FILE: &str = "/etc/kaiwudb/ha.toml";

impl Settings {
    /// Reads the file.
    pub fn read(path: &Path, language: Language) -> Result<Self> {
        let name = path.display().to_string();
        let path = &std::path::absolute(path)?;
        let text = match file::read_text(path) {
            Ok(text) => text,
            Err(error) => {
                let why = error.to_string();
                return Err(anyhow!(
                    texts::UNREADABLE.fill(language, &[("file", &name), ("why", &why)])
                ));
            }
        };
        let mut settings = Self::parse(&text.unwrap_or_default(), &name, language)?;
        let open = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
        if open && settings.has_password() {
            settings.warning = Some(texts::OPEN.fill(language, &[("file", &name)]));
        }
        Ok(settings)
    }

    /// Whether a fencing device's password stands in it.
    fn has_password(&self) -> bool {
        let own = self.nodes.values().filter_map(|node| node.fencing.as_ref());
        own.chain(&self.fencing.device)
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

#[cfg(test)]
mod tests;
