//! DRBD on this node: how it is configured and how it is. Never loads the module, and never tells the shared secret.

mod configured;
mod files;
mod text;

pub use configured::{Configured, Secret};
use configured::{OPTIONS, judge};
pub use text::read as configured_in;
pub(super) use text::tokens;

use drbd::config::{Config, ResourceConfig};
use drbd::kernel;
use drbd::resource::Resource;
use drbd::tools::{self, Tools};
use host::{Command, CommandError, Deadline, file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Where drbdadm begins to read.
const ROOT: &str = "/etc/drbd.conf";

/// What is known of DRBD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Drbd {
    /// Whether the tools are installed.
    pub installed: bool,
    /// Version of the loaded module.
    pub module: Option<String>,
    /// Version of the module that is loaded, else of the one that would be.
    pub kernel: Option<String>,
    /// Version of the tools.
    pub utils: Option<String>,
    /// Installed kernels that are newer than the running one, and the version of the module that each has.
    pub newer_kernels: BTreeMap<String, Option<String>>,
    /// Configured resources by name.
    pub resources: BTreeMap<String, Configured>,
    /// Why `drbdadm` refuses the configuration, if it does; what is known of the resources is then read from the files.
    pub refused: Option<String>,
    /// Files that still have a `syncer` section, which DRBD 8.4 replaced in 2011.
    pub legacy_syncer: Vec<String>,
    /// What `drbdsetup events2 --now --statistics` prints, by resource.
    pub events: BTreeMap<String, String>,
    /// Generations of data, as `drbdadm get-gi` prints them, by resource; an empty line between two volumes.
    pub generations: BTreeMap<String, String>,
}

/// Looks at DRBD.
pub(super) fn gather(deadline: Deadline, unanswered: &mut Vec<String>) -> Drbd {
    let mut found = Drbd {
        installed: Tools::new("", None).installed().is_ok(),
        module: kernel::loaded_version().map(|version| version.to_string()),
        kernel: kernel::version(deadline.slice(super::patience::QUESTION)).map(|version| version.to_string()),
        ..Drbd::default()
    };
    if found.installed {
        found.utils = utils(deadline);
    }
    if found.installed {
        found.newer_kernels = kernel::of_newer_kernels(deadline.slice(super::patience::QUESTION))
            .into_iter()
            .map(|(name, version)| (name, version.map(|version| version.to_string())))
            .collect();
    }
    if Path::new(ROOT).exists() {
        configuration(&mut found, Path::new(ROOT), deadline, unanswered);
    }
    // Without the module drbdsetup would load it.
    if found.module.is_some() {
        for name in found.resources.keys() {
            let answer = Command::new("drbdsetup")
                .args(["events2", "--now", "--statistics", name])
                .run(deadline.slice(super::patience::QUESTION));
            match answer {
                Ok(output) if output.status.success() => {
                    if let Some(generations) = generations(name, &output.text(), deadline) {
                        found.generations.insert(name.clone(), generations);
                    }
                    found.events.insert(name.clone(), output.text());
                }
                // The kernel does not know the resource: it is down.
                Ok(_) => {}
                Err(error) => unanswered.push(error.to_string()),
            }
        }
    }
    found
}

/// Each volume is asked by itself: of all of them the lines do not say which is whose. `None` where one has no disk, and so none.
fn generations(resource: &str, events: &str, deadline: Deadline) -> Option<String> {
    let volumes = Resource::from_events(resource, events).ok()?.devices;
    let of = |volume: &u32| {
        let target = format!("{resource}/{volume}");
        let output = Command::new("drbdadm")
            .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
            .args(["get-gi", &target])
            .run_ok(deadline.slice(super::patience::QUESTION));
        Some(output.ok()?.text().trim().to_owned())
    };
    let volumes: Vec<String> = volumes.keys().map(of).collect::<Option<_>>()?;
    (!volumes.is_empty()).then(|| volumes.join("\n\n"))
}

fn utils(deadline: Deadline) -> Option<String> {
    let answer = Command::new("drbdadm")
        .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
        .arg("--version")
        .run_ok(deadline.slice(super::patience::QUESTION))
        .ok()?;
    let text = answer.text();
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("DRBDADM_VERSION="));
    version.map(str::to_owned)
}

/// What stands in `root` and in what it includes, wherever that is.
fn configuration(found: &mut Drbd, root: &Path, deadline: Deadline, unanswered: &mut Vec<String>) {
    let texts: Vec<(String, String)> = files::all(root)
        .into_iter()
        .filter_map(|path| Some((path.display().to_string(), file::read_text(&path).ok().flatten()?)))
        .collect();
    found.legacy_syncer = texts
        .iter()
        .filter(|(_, text)| has_section(text, "syncer"))
        .map(|(path, _)| path.clone())
        .collect();
    if !found.installed {
        return;
    }
    match tools::configuration(Some(root), deadline.slice(super::patience::QUESTION)) {
        Ok(config) => found.resources = configured(&config),
        Err(tools::Error::Tool(CommandError::Failed(_, output))) => {
            // Without a resource some releases have nothing to say, and say that as an error.
            if !texts.iter().any(|(_, text)| has_section(text, "resource")) {
                return;
            }
            found.refused = Some(output.last_words());
            found.resources =
                tools::configuration_unchecked(Some(root), deadline.slice(super::patience::QUESTION))
                    .map_or_else(
                        |_| {
                            let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
                            text::read(&texts.join("\n"))
                        },
                        |config| configured(&config),
                    );
        }
        Err(error) => unanswered.push(error.to_string()),
    }
}

fn configured(config: &Config) -> BTreeMap<String, Configured> {
    config
        .names()
        .filter_map(|name| Some((name.to_owned(), one(config.resource(name)?))))
        .collect()
}

fn one(resource: &ResourceConfig) -> Configured {
    let options = OPTIONS
        .iter()
        .filter_map(|(section, option)| {
            let value = resource.option(section, option)?;
            Some((format!("{section}/{option}"), value.to_owned()))
        })
        .collect();
    let mut disks_by_host: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (host, disk) in resource.disks() {
        let disks = disks_by_host.entry(host.unwrap_or_default().to_owned());
        disks.or_default().push(disk.to_owned());
    }
    Configured {
        options,
        secret: judge(resource.option("net", "shared-secret")),
        hosts: resource.hosts().map(str::to_owned).collect(),
        devices: resource.devices(),
        disks_by_host,
        addresses: resource
            .addresses()
            .map(|(host, address)| (host.to_owned(), address.to_owned()))
            .collect(),
    }
}

/// Whether a section of this kind is in the text.
fn has_section(text: &str, kind: &str) -> bool {
    let words = tokens(text);
    let ends = |word: &String| matches!(word.as_str(), "{" | "}" | ";");
    (0..words.len()).any(|at| words[at] == kind && (at == 0 || ends(&words[at - 1])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    #[test]
    fn the_secret_is_judged_and_not_told() {
        let xml = |secret: &str| {
            format!(
                "<config><resource name=\"r\"><host name=\"a\"><volume vnr=\"0\"><device minor=\"1\">/dev/drbd1</device>\
                 <disk>/dev/sde</disk><meta-disk>internal</meta-disk></volume></host><section name=\"net\">{secret}\
                 </section></resource></config>"
            )
        };
        let of = |secret: &str| {
            configured(&Config::parse(&xml(secret)).unwrap())
                .remove("r")
                .unwrap()
        };
        assert_eq!(of("").secret, Secret::Missing);
        let sample = of("<option name=\"shared-secret\" value=\"justaverificationtest\"/>");
        assert_eq!(sample.secret, Secret::Sample);
        assert_eq!(sample.disks_of("a"), ["/dev/sde"]);
        let own = of("<option name=\"shared-secret\" value=\"x7Gh\"/>");
        assert_eq!(own.secret, Secret::Own);
        assert!(!serde_json::to_string(&own).unwrap().contains("x7Gh"));
    }

    #[test]
    fn a_host_is_told_of_its_own_disk() {
        let xml = include_str!("../../../../tests/fixtures/drbd-utils-9.22/dump-xml-common.xml");
        let resource = configured(&Config::parse(xml).unwrap()).remove("kwdb").unwrap();
        assert_eq!(resource.disks_of("kwdb1"), ["/dev/sda3"]);
        assert_eq!(resource.disks_of("kwdb2"), ["/dev/vg1/kwdb"]);
        // Under another name it might be either.
        assert!(resource.disks_of("kwdb1.example").is_empty());
        let same = Configured {
            disks_by_host: BTreeMap::from([
                ("a".into(), vec!["/dev/x".into()]),
                ("b".into(), vec!["/dev/x".into()]),
            ]),
            ..Configured::default()
        };
        assert_eq!(same.disks_of("a.example"), ["/dev/x"]);
    }

    #[test]
    fn a_syncer_section_is_found_and_a_comment_is_not_one() {
        assert!(has_section(
            "common {\n  syncer {\n rate 330M;\n }\n}\n",
            "syncer"
        ));
        assert!(!has_section("common {\n # syncer { rate 1M; }\n}\n", "syncer"));
    }

    /// Needs drbd-utils, which `make check` installs.
    #[test]
    fn resources_are_found_wherever_they_stand() {
        let directory = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (
            directory.path().join("drbd.conf"),
            directory.path().join("var lib"),
        );
        fs::create_dir(&elsewhere).unwrap();
        let host = nix::unistd::gethostname().unwrap();
        let resource = |more: &str, address: &str| {
            format!(
                "resource kwdb {{ {more} device minor 7; meta-disk internal; on {} {{ disk /dev/sda3; address {address}:7790; }}\n\
                 on other {{ disk /dev/vg1/kwdb; address 10.0.0.2:7790; }} }}\n",
                host.to_string_lossy()
            )
        };
        fs::write(
            &root,
            "include \"var lib/*.cfg\";\ncommon { net { protocol A; } disk { disk-flushes no; } }\n",
        )
        .unwrap();
        let of = |text: &str| {
            fs::write(elsewhere.join("r.cfg"), text).unwrap();
            let mut found = Drbd {
                installed: Tools::new("", None).installed().is_ok(),
                ..Drbd::default()
            };
            let mut unanswered = Vec::new();
            configuration(
                &mut found,
                &root,
                Deadline::after(Duration::from_secs(20)),
                &mut unanswered,
            );
            assert_eq!(unanswered, Vec::<String>::new());
            found
        };
        Tools::new("", None).installed().unwrap();
        assert_eq!((of("").resources.len(), of("").refused), (0, None));
        for (text, refusal) in [
            (resource("", "127.0.0.1"), None),
            (resource("", "192.0.2.1"), Some("192.0.2.1 not found")),
            (resource("syncer { rate 1M; }", "127.0.0.1"), Some("syncer")),
        ] {
            let found = of(&text);
            assert_eq!(found.refused.is_some(), refusal.is_some(), "{:?}", found.refused);
            assert!(
                found
                    .refused
                    .unwrap_or_default()
                    .contains(refusal.unwrap_or_default())
            );
            let resource = &found.resources["kwdb"];
            let option = |key: &str| resource.options.get(key).map(String::as_str);
            assert_eq!(
                (option("net/protocol"), option("disk/disk-flushes")),
                (Some("A"), Some("no"))
            );
            assert_eq!(resource.disks_of("other"), ["/dev/vg1/kwdb"]);
            assert_eq!(found.legacy_syncer.is_empty(), !text.contains("syncer"));
        }
    }
}
