//! What the settings say, section by section, as digests: whether two nodes are set alike shows without a word of it. Passwords are left out:
//! what is short can be guessed from a digest.

use super::{Settings, is_password, locate};
use crate::language::Language;
use certs::Digest;
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// Digests of the sections of a file, by name; none where there is no file, `None` where it cannot be read. Comments and order do not count.
pub fn sections(path: &Path) -> Option<BTreeMap<String, String>> {
    let settings = Settings::read(&locate(path), Language::English).ok()?;
    let sections: Table = toml::from_str(&settings.text).ok()?;
    let digest = |(name, mut value): (String, Value)| {
        without_passwords(&mut value);
        let text = serde_json::to_vec(&value).ok()?;
        Some((name, Digest::of(&text).short()))
    };
    sections.into_iter().map(digest).collect()
}

fn without_passwords(value: &mut Value) {
    match value {
        Value::Table(table) => {
            table.retain(|name, _| !is_password(name));
            table.iter_mut().for_each(|(_, value)| without_passwords(value));
        }
        Value::Array(values) => values.iter_mut().for_each(without_passwords),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn of(text: &str) -> BTreeMap<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ha.toml");
        fs::write(&path, text).unwrap();
        sections(&path).unwrap()
    }

    #[test]
    fn only_what_is_said_counts() {
        let one = of(
            "resource = \"DB\"\n[metrics]\npair = \"p\"\n[virtual_ip]\naddress = \"10.0.0.9\"\nprefix = 24\n",
        );
        let other = of(
            "# the same\nresource = 'DB'\n[virtual_ip]\nprefix = 24\naddress = \"10.0.0.9\"\n\n[metrics]\npair = \"p\"\n",
        );
        assert_eq!(one, other);
        assert_eq!(one.len(), 3);
        let third = of("resource = \"DB\"\n[metrics]\npair = \"q\"\n");
        assert_eq!(one["resource"], third["resource"]);
        assert_ne!(one["metrics"], third["metrics"]);
        assert_eq!(sections(Path::new("/nowhere/ha.toml")), Some(BTreeMap::new()));
    }

    #[test]
    fn a_password_is_in_no_digest() {
        let device = |address: &str, password: &str| {
            of(&format!(
                "[fencing.device]\nagent = \"fence_ipmilan\"\nip = \"{address}\"\npassword = \"{password}\"\n"
            ))
        };
        let one = device("10.0.0.1", "a");
        assert_eq!(one, device("10.0.0.1", "b"));
        assert_ne!(one, device("10.0.0.2", "a"));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ha.toml");
        fs::write(&path, "[metrics\n").unwrap();
        assert_eq!(sections(&path), None);
    }
}
