//! What the settings say, section by section, as digests: whether two nodes are set alike shows without a word of it. Passwords are left out:
//! what is short can be guessed from a digest.

use super::model::is_password;
use certs::Digest;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Digests of the sections of a text, by name. Comments and order do not count.
pub(super) fn digests(text: &str) -> Option<BTreeMap<String, String>> {
    let sections: Table = toml::from_str(text).ok()?;
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

    fn of(text: &str) -> BTreeMap<String, String> {
        digests(text).unwrap()
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
}
