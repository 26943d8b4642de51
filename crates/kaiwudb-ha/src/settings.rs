//! `/etc/kaiwudb/ha.toml`: what cannot be found out. A missing file is an empty one; a wrong one is an error that names the line.

use crate::language::{Language, Text};
use crate::texts::general as texts;
use anyhow::{Result, anyhow};
use host::file;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use toml::Spanned;

/// Where the settings are.
pub(crate) const FILE: &str = "/etc/kaiwudb/ha.toml";

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// By the node's name in the cluster.
    #[serde(default)]
    pub(crate) nodes: BTreeMap<String, NodeSettings>,
}

/// What is known of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeSettings {
    /// Its own address, not the virtual one.
    pub(crate) address: Option<Spanned<String>>,
    /// How ssh reaches it: `USER@HOST` or `HOST`.
    pub(crate) ssh: Option<Spanned<String>>,
}

impl Settings {
    /// Reads the file.
    pub(crate) fn read(path: &Path, language: Language) -> Result<Self> {
        let name = path.display().to_string();
        let text = match file::read_text(path) {
            Ok(text) => text,
            Err(error) => {
                let why = error.to_string();
                return Err(anyhow!(
                    texts::SETTINGS_UNREADABLE.fill(language, &[("file", &name), ("why", &why)])
                ));
            }
        };
        Self::parse(&text.unwrap_or_default(), &name, language)
    }

    /// Reads the text of the file `name`.
    fn parse(text: &str, name: &str, language: Language) -> Result<Self> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let why = unknown_key(error.message(), language).unwrap_or_else(|| error.message().to_owned());
            wrong(name, line, &why, language)
        })?;
        settings.check(text, name, language)?;
        Ok(settings)
    }

    /// How ssh reaches the node, as far as the settings say.
    pub(crate) fn target(&self, node: &str) -> Option<String> {
        let node = self.nodes.get(node)?;
        let target = node.ssh.as_ref().or(node.address.as_ref())?;
        Some(target.get_ref().clone())
    }

    fn check(&self, text: &str, name: &str, language: Language) -> Result<()> {
        if !matches!(self.nodes.len(), 0 | 2) {
            let count = self.nodes.len().to_string();
            let why = texts::SETTINGS_TWO_NODES.fill(language, &[("count", &count)]);
            return Err(wrong(name, line_with(text, "nodes"), &why, language));
        }
        for (node, settings) in &self.nodes {
            let refuse = |what: Text, value: &Spanned<String>| {
                let why = what.fill(language, &[("node", node), ("value", value.get_ref())]);
                wrong(name, line_of(text, value.span().start), &why, language)
            };
            if let Some(address) = &settings.address
                && address.get_ref().parse::<IpAddr>().is_err()
            {
                return Err(refuse(texts::SETTINGS_NOT_AN_ADDRESS, address));
            }
            if let Some(target) = &settings.ssh
                && !is_ssh_target(target.get_ref())
            {
                return Err(refuse(texts::SETTINGS_NOT_A_TARGET, target));
            }
        }
        Ok(())
    }
}

/// Whether ssh takes it for a host and never for an option.
fn is_ssh_target(target: &str) -> bool {
    !target.is_empty()
        && !target.starts_with('-')
        && target
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | ':' | '%' | '[' | ']'))
}

fn wrong(name: &str, line: usize, why: &str, language: Language) -> anyhow::Error {
    let line = line.to_string();
    anyhow!(texts::SETTINGS_WRONG.fill(language, &[("file", name), ("line", &line), ("why", why)]))
}

/// The parser's "unknown field `a`, expected one of `b`, `c`" in our words, with the nearest of the known keys.
fn unknown_key(message: &str, language: Language) -> Option<String> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let key = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    let mut text =
        texts::SETTINGS_UNKNOWN_KEY.fill(language, &[("key", key), ("allowed", &known.join(", "))]);
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known), known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    if let Some((_, nearest)) = nearest {
        text += &texts::SETTINGS_DID_YOU_MEAN.fill(language, &[("key", nearest)]);
    }
    Some(text)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn line_with(text: &str, word: &str) -> usize {
    text.find(word).map_or(1, |offset| line_of(text, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Settings::parse(text, "ha.toml", Language::English)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn settings_are_read() {
        let settings = Settings::parse(
            "[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\nssh = \"root@10.0.0.2\"\n",
            "ha.toml",
            Language::English,
        )
        .unwrap();
        assert_eq!(settings.target("a").as_deref(), Some("10.0.0.1"));
        assert_eq!(settings.target("b").as_deref(), Some("root@10.0.0.2"));
        assert_eq!(
            Settings::parse("", "ha.toml", Language::English).unwrap(),
            Settings::default()
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
        assert_eq!(
            error("[nodes.a]\naddres = \"10.0.0.1\"\n"),
            "ha.toml, line 2: unknown key 'addres'; allowed here: address, ssh; did you mean 'address'?"
        );
        assert_eq!(
            error("\n\nzzz = 1\n"),
            "ha.toml, line 3: unknown key 'zzz'; allowed here: nodes"
        );
    }

    #[test]
    fn an_impossible_value_is_named_with_its_line() {
        let two = |second: &str| format!("[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\n{second}\n");
        assert_eq!(
            error(&two("address = \"10.0.0\"")),
            "ha.toml, line 4: [nodes.b] address is '10.0.0'; allowed: an IP address"
        );
        assert!(error(&two("ssh = \"-oProxyCommand=x\"")).starts_with("ha.toml, line 4: [nodes.b] ssh is"));
        assert!(error("[nodes.a]\n").contains("names 1 nodes; allowed: exactly 2"));
        assert!(error(&two("address = 7")).starts_with("ha.toml, line 4: "));
        assert!(error("[nodes.a\n").starts_with("ha.toml, line 1: "));
    }
}
