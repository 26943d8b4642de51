//! DRBD's configuration as it stands in the files, for when `drbdadm` refuses it: an operator wants to know all that is wrong and not
//! only the first thing. drbd-utils 9 without an 8.4 module refuses the files of KWDB's guide. Knows sections, options and `common`, which is enough for what we ask.

use super::configured::{Configured, OPTIONS, judge};
use std::collections::BTreeMap;

/// Values by section and option, and what is said of hosts and disks.
#[derive(Clone, Debug, Default)]
struct Said {
    options: BTreeMap<(String, String), String>,
    hosts: Vec<String>,
    devices: Vec<String>,
    disks: BTreeMap<String, Vec<String>>,
}

/// The resources in the text of all files.
pub fn read(text: &str) -> BTreeMap<String, Configured> {
    let mut common = Said::default();
    let mut resources: BTreeMap<String, Said> = BTreeMap::new();
    let mut path: Vec<Vec<String>> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for token in tokens(text) {
        match token.as_str() {
            "{" => {
                let head = std::mem::take(&mut words);
                if let ([kind, name], []) = (head.as_slice(), path.as_slice())
                    && kind == "resource"
                {
                    resources.entry(name.clone()).or_default();
                }
                if let [kind, name] = head.as_slice()
                    && kind == "on"
                    && let Some(said) = owner(&path, &mut common, &mut resources)
                {
                    said.hosts.push(name.clone());
                }
                path.push(head);
            }
            "}" => {
                words.clear();
                path.pop();
            }
            ";" => {
                let line = std::mem::take(&mut words);
                let section = path
                    .last()
                    .and_then(|head| head.first())
                    .map_or("", String::as_str)
                    .to_owned();
                if let Some(said) = owner(&path, &mut common, &mut resources) {
                    let host = path
                        .iter()
                        .find(|head| matches!(head.as_slice(), [kind, _] if kind == "on"));
                    let host = host.map_or("", |head| head[1].as_str()).to_owned();
                    said.take(&host, &section, &line);
                }
            }
            _ => words.push(token),
        }
    }
    resources
        .into_iter()
        .map(|(name, said)| (name, said.finish(&common)))
        .collect()
}

/// Whose section this is: a resource's, or everybody's.
fn owner<'a>(
    path: &[Vec<String>],
    common: &'a mut Said,
    resources: &'a mut BTreeMap<String, Said>,
) -> Option<&'a mut Said> {
    match path.first()?.as_slice() {
        [kind] if kind == "common" => Some(common),
        [kind, name] if kind == "resource" => resources.get_mut(name),
        _ => None,
    }
}

impl Said {
    fn take(&mut self, host: &str, section: &str, line: &[String]) {
        let Some(option) = line.first() else { return };
        let value = line.get(1).map_or("yes", String::as_str);
        // "no-disk-flushes" is how DRBD 8.3 said "disk-flushes no"; a protocol may stand outside of net.
        let (section, option, value) = match (section, option.strip_prefix("no-")) {
            ("disk", Some(negated)) if line.len() == 1 => ("disk", negated, "no"),
            ("common" | "resource", _) if option == "protocol" => ("net", option.as_str(), value),
            ("on" | "resource" | "volume", _) if option == "disk" => {
                if value != "none" {
                    self.disks
                        .entry(host.to_owned())
                        .or_default()
                        .push(value.to_owned());
                }
                return;
            }
            ("on" | "resource" | "volume", _) if option == "device" => {
                // `device /dev/drbd1;`, `device /dev/drbd_r0 minor 1;`, `device minor 1;`
                self.devices
                    .extend(line.iter().filter(|word| word.starts_with('/')).cloned());
                let minor = line.iter().skip_while(|word| *word != "minor").nth(1);
                self.devices
                    .extend(minor.map(|minor| format!("/dev/drbd{minor}")));
                return;
            }
            _ => (section, option.as_str(), value),
        };
        self.options
            .insert((section.to_owned(), option.to_owned()), value.to_owned());
    }

    /// A disk that stands outside of the hosts is that of every host.
    fn disks_by_host(&self) -> BTreeMap<String, Vec<String>> {
        let mut disks = self.disks.clone();
        if let Some(shared) = disks.remove("") {
            for host in &self.hosts {
                disks.entry(host.clone()).or_default().extend(shared.clone());
            }
        }
        disks
    }

    fn finish(&self, common: &Self) -> Configured {
        let get = |section: &str, option: &str| {
            let key = (section.to_owned(), option.to_owned());
            self.options
                .get(&key)
                .or_else(|| common.options.get(&key))
                .map(String::as_str)
        };
        Configured {
            options: OPTIONS
                .iter()
                .filter_map(|(section, option)| {
                    Some((format!("{section}/{option}"), get(section, option)?.to_owned()))
                })
                .collect(),
            secret: judge(get("net", "shared-secret")),
            hosts: self.hosts.clone(),
            devices: self.devices.clone(),
            disks_by_host: self.disks_by_host(),
            addresses: Vec::new(),
        }
    }
}

/// Words, quoted or not, and the characters `{`, `}` and `;`. A comment ends with its line.
pub(in crate::facts) fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let (token, after) = match first {
                '#' => break,
                '{' | '}' | ';' => rest.split_at(1),
                '"' => {
                    let inner = &rest[1..];
                    let end = inner.find('"').unwrap_or(inner.len());
                    (&inner[..end], inner.get(end + 1..).unwrap_or(""))
                }
                _ => rest.split_at(
                    rest.find(|c: char| c.is_whitespace() || "{};\"#".contains(c))
                        .unwrap_or(rest.len()),
                ),
            };
            found.push(token.to_owned());
            rest = after.trim_start();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Secret;

    #[test]
    fn the_guides_files_are_read_although_drbdadm_refuses_them() {
        let resources = read(
            "common { protocol C; # comment }\n disk { on-io-error detach; no-disk-flushes; }\n\
             net { shared-secret \"justaverificationtest\"; after-sb-1pri discard-secondary; }\n\
             syncer { rate 330M; } }\n\
             resource drbd3 { on ha-node01 { device /dev/drbd3; disk /dev/sde; address 10.0.0.1:7789; }\n\
             on ha-node02 { device /dev/drbd3; disk /dev/sde; } net { after-sb-1pri disconnect; } }",
        );
        let found = &resources["drbd3"];
        let option = |key: &str| found.options.get(key).map(String::as_str);
        assert_eq!(option("disk/disk-flushes"), Some("no"));
        assert_eq!(option("disk/on-io-error"), Some("detach"));
        assert_eq!(option("net/protocol"), Some("C"));
        // The resource's own word counts.
        assert_eq!(option("net/after-sb-1pri"), Some("disconnect"));
        assert_eq!(found.secret, Secret::Sample);
        assert_eq!(found.hosts, ["ha-node01", "ha-node02"]);
        assert_eq!(found.devices, ["/dev/drbd3", "/dev/drbd3"]);
        for host in ["ha-node01", "ha-node02"] {
            assert_eq!(found.disks_of(host), ["/dev/sde"]);
        }
        let other = read(
            "resource r { disk /dev/shared; on a { volume 1 { disk /dev/own; } } on b { } on c { disk none; } }",
        )["r"]
            .clone();
        assert_eq!(other.disks_of("a"), ["/dev/own", "/dev/shared"]);
        assert_eq!(other.disks_of("b"), ["/dev/shared"]);
    }

    #[test]
    fn a_damaged_file_does_not_stop_us() {
        for text in [
            "",
            "}}}",
            "resource x {",
            "resource { on \"a",
            "common { ; ; }",
            "resource r { disk }",
        ] {
            let _ = read(text);
        }
        assert!(read("resource \"é\" { on é {").contains_key("é"));
    }
}
