//! DRBD on this node: how it is configured and how it is. Never loads the module, and never tells the shared secret.

mod text;

use drbd::config::Config;
use drbd::kernel;
use host::{Command, CommandError, Deadline, file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Options that decide about the data.
const OPTIONS: [(&str, &str); 13] = [
    ("net", "protocol"),
    ("net", "after-sb-0pri"),
    ("net", "after-sb-1pri"),
    ("net", "after-sb-2pri"),
    ("net", "allow-two-primaries"),
    ("net", "fencing"),
    ("net", "verify-alg"),
    ("disk", "fencing"),
    ("disk", "disk-flushes"),
    ("disk", "md-flushes"),
    ("disk", "on-io-error"),
    ("handlers", "fence-peer"),
    ("net", "cram-hmac-alg"),
];

/// The secret of the vendor's guide, and of the examples in DRBD's own documentation.
const SAMPLES: [&str; 4] = [
    "justaverificationtest",
    "FooFunFactory",
    "secret",
    "shared-secret",
];

/// What is known of DRBD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Drbd {
    /// Whether the tools are installed.
    pub(crate) installed: bool,
    /// Version of the loaded module.
    pub(crate) module: Option<String>,
    /// Configured resources by name.
    pub(crate) resources: BTreeMap<String, Configured>,
    /// Why `drbdadm` refuses the configuration, if it does; what is known of the resources is then read from the files.
    pub(crate) refused: Option<String>,
    /// Files that still have a `syncer` section, which DRBD 8.4 replaced in 2011.
    pub(crate) legacy_syncer: Vec<String>,
    /// What `drbdsetup events2 --now --statistics` prints, by resource.
    pub(crate) events: BTreeMap<String, String>,
    /// Generations of data, as `drbdadm get-gi` prints them, by resource.
    pub(crate) generations: BTreeMap<String, String>,
}

/// How a resource is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Configured {
    /// `section/option` and its value.
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) secret: Secret,
    /// Hosts that it is for.
    pub(crate) hosts: Vec<String>,
    /// Backing disks of all hosts.
    pub(crate) disks: Vec<String>,
    /// Hosts and the addresses that they replicate over, as far as `drbdadm` tells.
    pub(crate) addresses: Vec<(String, String)>,
}

/// How good the shared secret is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Secret {
    /// Peers are not authenticated.
    #[default]
    Missing,
    /// Printed in a manual.
    Sample,
    /// Somebody's own.
    Own,
}

/// Looks at DRBD.
pub(super) fn gather(deadline: Deadline, unanswered: &mut Vec<String>) -> Drbd {
    let adm = Command::new("drbdadm")
        .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
        .arg("dump-xml");
    let mut found = Drbd {
        installed: adm.is_installed(),
        module: kernel::loaded_version().map(|version| version.to_string()),
        legacy_syncer: files()
            .into_iter()
            .filter(|path| has_section(path, "syncer"))
            .map(|path| path.display().to_string())
            .collect(),
        ..Drbd::default()
    };
    // Without a resource drbdadm has nothing to say, and says that as an error.
    if !found.installed || !files().iter().any(|path| has_section(path, "resource")) {
        return found;
    }
    match adm.run_ok(deadline.slice(super::QUESTION)) {
        Ok(output) => match configured(&output.text()) {
            Ok(resources) => found.resources = resources,
            Err(why) => unanswered.push(why),
        },
        Err(CommandError::Failed(_, output)) => {
            found.refused = Some(output.last_words());
            let texts: Vec<String> = files()
                .iter()
                .filter_map(|path| file::read_text(path).ok().flatten())
                .collect();
            found.resources = text::read(&texts.join("\n"));
        }
        Err(error) => unanswered.push(error.to_string()),
    }
    // Without the module drbdsetup would load it.
    if found.module.is_some() {
        for name in found.resources.keys() {
            let answer = Command::new("drbdsetup")
                .args(["events2", "--now", "--statistics", name])
                .run(deadline.slice(super::QUESTION));
            match answer {
                Ok(output) if output.status.success() => {
                    found.events.insert(name.clone(), output.text());
                    let generations = Command::new("drbdadm")
                        .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
                        .args(["get-gi", name])
                        .run_ok(deadline.slice(super::QUESTION));
                    // A volume without a disk has none.
                    if let Ok(output) = generations {
                        found
                            .generations
                            .insert(name.clone(), output.text().trim().to_owned());
                    }
                }
                // The kernel does not know the resource: it is down.
                Ok(_) => {}
                Err(error) => unanswered.push(error.to_string()),
            }
        }
    }
    found
}

fn configured(xml: &str) -> Result<BTreeMap<String, Configured>, String> {
    // Nothing configured: drbdadm prints an empty element, or nothing at all.
    if !xml.contains("<resource") {
        return Ok(BTreeMap::new());
    }
    let config = Config::parse(xml)?;
    Ok(config
        .names()
        .filter_map(|name| {
            let resource = config.resource(name)?;
            let options = OPTIONS
                .iter()
                .filter_map(|(section, option)| {
                    let value = resource.option(section, option)?;
                    Some((format!("{section}/{option}"), value.to_owned()))
                })
                .collect();
            let secret = judge(resource.option("net", "shared-secret"));
            Some((
                name.to_owned(),
                Configured {
                    options,
                    secret,
                    hosts: resource.hosts().map(str::to_owned).collect(),
                    disks: resource.disks().map(str::to_owned).collect(),
                    addresses: resource
                        .addresses()
                        .map(|(host, address)| (host.to_owned(), address.to_owned()))
                        .collect(),
                },
            ))
        })
        .collect())
}

fn judge(secret: Option<&str>) -> Secret {
    match secret {
        None | Some("") => Secret::Missing,
        Some(secret) if SAMPLES.contains(&secret) => Secret::Sample,
        Some(_) => Secret::Own,
    }
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("/etc/drbd.d")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "conf" || ending == "res")
        })
        .collect();
    files.push(PathBuf::from("/etc/drbd.conf"));
    files.sort();
    files
}

/// Whether a line that is no comment begins a section of this kind.
fn has_section(path: &Path, kind: &str) -> bool {
    file::read_text(path).ok().flatten().is_some_and(|text| {
        text.lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim())
            .filter_map(|line| line.strip_prefix(kind))
            .any(|rest| rest.starts_with([' ', '\t', '{']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_judged_and_not_told() {
        let xml = |secret: &str| {
            format!(
                "<config><resource name=\"r\"><host name=\"a\"><volume vnr=\"0\"><device minor=\"1\">/dev/drbd1</device>\
                 <disk>/dev/sde</disk><meta-disk>internal</meta-disk></volume></host><section name=\"net\">{secret}\
                 </section></resource></config>"
            )
        };
        let of = |secret: &str| configured(&xml(secret)).unwrap().remove("r").unwrap();
        assert_eq!(of("").secret, Secret::Missing);
        let sample = of("<option name=\"shared-secret\" value=\"justaverificationtest\"/>");
        assert_eq!(
            (sample.secret, sample.disks),
            (Secret::Sample, vec!["/dev/sde".to_owned()])
        );
        let own = of("<option name=\"shared-secret\" value=\"x7Gh\"/>");
        assert_eq!(own.secret, Secret::Own);
        assert!(!serde_json::to_string(&own).unwrap().contains("x7Gh"));
    }

    #[test]
    fn a_comment_is_no_syncer_section() {
        let directory = tempfile::tempdir().unwrap();
        let with = |text: &str| {
            let path = directory.path().join("x.conf");
            fs::write(&path, text).unwrap();
            has_section(&path, "syncer")
        };
        assert!(with("common {\n  syncer {\n rate 330M;\n }\n}\n"));
        assert!(!with("common {\n # syncer { rate 1M; }\n}\n"));
    }
}
