//! `drbdadm` and `drbdsetup` for one resource.

use crate::config::Config;
use crate::kernel;
use crate::resource::Resource;
use crate::state::Role;
use host::{Command, CommandError, Deadline};
use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// Exit status of `drbdsetup` and `drbdadm` when the kernel refuses because there is no good data (drbdsetup(8)).
pub const NO_GOOD_DATA: i32 = 17;
/// Exit status when the kernel answers with an error.
const KERNEL_ERROR: i32 = 10;
/// The kernel's number for a resource that it does not know (`ERR_RES_NOT_KNOWN`), as drbdsetup prints it.
const RESOURCE_NOT_KNOWN: &str = "(158)";

/// The tools, for one resource.
#[derive(Clone, Debug)]
pub struct Tools {
    resource: String,
    configuration: Option<PathBuf>,
    /// Whether drbdadm knows the resource only as a stacked one; found out when it matters.
    stacked: OnceCell<bool>,
}

/// Why the tools gave no answer.
#[derive(Debug)]
pub enum Error {
    /// A tool is missing, did not answer in time or said no.
    Tool(CommandError),
    /// A tool answered something that cannot be read.
    Answer(String),
    /// The configuration does not have the resource for this host; the sentence says what it has.
    NotConfigured(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(f),
            Self::Answer(why) | Self::NotConfigured(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<CommandError> for Error {
    fn from(error: CommandError) -> Self {
        Self::Tool(error)
    }
}

fn adm(configuration: Option<&Path>) -> Command {
    let command = Command::new("drbdadm")
        // Said with every call otherwise, and nothing that can be done about it here.
        .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1");
    match configuration {
        Some(path) => command.arg("-c").arg(path),
        None => command,
    }
}

/// The whole configuration, all files together. Without `-v` drbdadm leaves what `common` says where it stands.
pub fn configuration(path: Option<&Path>, deadline: Deadline) -> Result<Config, Error> {
    let output = adm(path).args(["-v", "dump-xml"]).run_ok(deadline)?;
    Config::parse(&output.text()).map_err(Error::Answer)
}

/// The same without drbdadm's last questions, such as whether this host has its address: what it refuses may still be read.
pub fn configuration_unchecked(path: Option<&Path>, deadline: Deadline) -> Result<Config, Error> {
    let output = adm(path).args(["-d", "dump-xml"]).run_ok(deadline)?;
    Config::parse(&output.text()).map_err(Error::Answer)
}

/// The state of every resource that the kernel knows, by name. The module must be loaded.
pub fn all(deadline: Deadline) -> Result<Vec<Resource>, Error> {
    let output = Command::new("drbdsetup")
        .args(["events2", "--now", "--statistics"])
        .run_ok(deadline)?;
    Resource::all_from_events(&output.text()).map_err(Error::Answer)
}

impl Tools {
    /// The tools for `resource`; `configuration` as for `drbdadm -c`.
    pub fn new(resource: impl Into<String>, configuration: Option<PathBuf>) -> Self {
        Self {
            resource: resource.into(),
            configuration,
            stacked: OnceCell::new(),
        }
    }

    /// Name of the resource.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether both tools are installed; the error names the missing one.
    pub fn installed(&self) -> Result<(), String> {
        ["drbdadm", "drbdsetup"]
            .into_iter()
            .find(|tool| !Command::new(tool).is_installed())
            .map_or(Ok(()), |tool| {
                Err(format!("{tool} is not installed; install drbd-utils"))
            })
    }

    fn adm(&self, words: &[&str]) -> Command {
        adm(self.configuration.as_deref()).args(words)
    }

    /// A drbdadm command on the resource, such as `adjust --skip-net`.
    pub fn drbdadm(&self, words: &[&str], deadline: Deadline) -> Result<(), CommandError> {
        self.on_resource(words, self.is_stacked(deadline))
            .run_ok(deadline)
            .map(drop)
    }

    fn is_stacked(&self, deadline: Deadline) -> bool {
        if self.stacked.get().is_none() {
            // What is wrong, the call that wants to know says as well.
            let _ = self.devices(deadline);
        }
        self.stacked.get() == Some(&true)
    }

    fn on_resource(&self, words: &[&str], stacked: bool) -> Command {
        let option: &[&str] = if stacked { &["-S"] } else { &[] };
        self.adm(option).args(words).arg(&self.resource)
    }

    /// The peers' fencing is lifted: drbdadm calls the `unfence-peer` handler, which reads its arguments from the environment.
    pub fn unfence_peer(&self, arguments: &str, deadline: Deadline) -> Result<(), CommandError> {
        self.on_resource(&["unfence-peer"], self.is_stacked(deadline))
            .env("OCF_RESKEY_unfence_extra_args", arguments)
            .run_ok(deadline)
            .map(drop)
    }

    /// Makes the resource Primary or Secondary, as drbdadm would, but without the configuration. DRBD 9 has a role for the whole
    /// resource, 8.4 one for each volume: there `resource` says which there are.
    pub fn set_role(&self, role: &Role, resource: &Resource, deadline: Deadline) -> Result<(), CommandError> {
        let verb = if *role == Role::Primary {
            "primary"
        } else {
            "secondary"
        };
        let run = |target: &str| {
            Command::new("drbdsetup")
                .args([verb, target])
                .run_ok(deadline)
                .map(drop)
        };
        if kernel::loaded_version().is_none_or(|version| version.major >= 9) {
            return run(&self.resource);
        }
        resource
            .devices
            .values()
            .filter_map(|device| device.minor)
            .try_for_each(|minor| run(&minor.to_string()))
    }

    /// Takes the resource down: links, disks and devices. Needs no configuration.
    pub fn down(&self, deadline: Deadline) -> Result<(), CommandError> {
        Command::new("drbdsetup")
            .args(["down", &self.resource])
            .run_ok(deadline)
            .map(drop)
    }

    /// The module's parameters that the configuration asks for.
    pub fn module_parameters(&self, deadline: Deadline) -> Vec<String> {
        self.adm(&["sh-mod-parms"])
            .run_ok(deadline)
            .map(|output| {
                output
                    .text()
                    .split_ascii_whitespace()
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The state now. The module must be loaded.
    pub fn status(&self, deadline: Deadline) -> Result<Resource, Error> {
        self.status_and_events(deadline).map(|(resource, _)| resource)
    }

    /// The state now, and the events that say it, for [`Resource::from_events`] at another time.
    pub fn status_and_events(&self, deadline: Deadline) -> Result<(Resource, String), Error> {
        let answer = Command::new("drbdsetup")
            .args(["events2", "--now", "--statistics", &self.resource])
            .run_ok(deadline);
        match answer {
            Ok(output) => {
                let events = output.text();
                Resource::from_events(&self.resource, &events)
                    .map(|resource| (resource, events))
                    .map_err(Error::Answer)
            }
            Err(CommandError::Failed(_, output))
                if output.status.code() == Some(KERNEL_ERROR)
                    && is_unknown_resource(&output.last_words()) =>
            {
                Ok((Resource::named(&self.resource), String::new()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The whole configuration.
    pub fn configuration(&self, deadline: Deadline) -> Result<Config, Error> {
        configuration(self.configuration.as_deref(), deadline)
    }

    /// The block devices of the resource on this host, as configured.
    pub fn devices(&self, deadline: Deadline) -> Result<Vec<PathBuf>, Error> {
        let ask = |stacked: bool| self.on_resource(&["sh-dev"], stacked).run_ok(deadline);
        let mut answer = ask(self.stacked.get() == Some(&true));
        if matches!(answer, Err(CommandError::Failed(..)))
            && self.stacked.get().is_none()
            && let Ok(output) = ask(true)
        {
            answer = Ok(output);
            let _ = self.stacked.set(true);
        } else if answer.is_ok() {
            let _ = self.stacked.set(false);
        }
        match answer {
            Ok(output) => Ok(output.text().lines().map(PathBuf::from).collect()),
            Err(CommandError::Failed(..)) => Err(self.why_not_configured(deadline)),
            Err(error) => Err(error.into()),
        }
    }

    fn why_not_configured(&self, deadline: Deadline) -> Error {
        let name = &self.resource;
        let config = match self.configuration(deadline) {
            Ok(config) => config,
            Err(error) => {
                return Error::NotConfigured(format!("the DRBD configuration cannot be read: {error}"));
            }
        };
        let Some(resource) = config.resource(name) else {
            let names: Vec<&str> = config.names().collect();
            return Error::NotConfigured(format!(
                "DRBD resource {name} is not in the configuration; it has {}",
                if names.is_empty() {
                    "none".into()
                } else {
                    names.join(", ")
                }
            ));
        };
        let here = host::host_name();
        Error::NotConfigured(format!(
            "DRBD resource {name} is configured for {}, but this host is called {here} (uname -n)",
            resource.hosts().collect::<Vec<_>>().join(", ")
        ))
    }
}

/// Tells "there is no such resource" from other errors of the kernel with the same exit status.
fn is_unknown_resource(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    lower.contains(RESOURCE_NOT_KNOWN)
        || lower.contains("no such resource")
        || lower.contains("unknown resource")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Needs drbd-utils, which `make unit` installs.
    #[test]
    fn the_real_tools_say_what_is_wrong_with_a_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let soon = Deadline::after(Duration::from_secs(20));
        let path = directory.path().join("drbd.conf");
        std::fs::write(
            &path,
            include_str!("../../../tests/fixtures/drbd-utils-9.22/guide.res"),
        )
        .unwrap();
        let ask = |resource: &str| Tools::new(resource, Some(path.clone())).devices(soon);
        Tools::new("drbd3", None).installed().unwrap();
        let other_host = ask("drbd3").unwrap_err().to_string();
        assert!(
            other_host.contains("configured for kwdb1, kwdb2, but this host"),
            "{other_host}"
        );
        let other_name = ask("nothing").unwrap_err().to_string();
        assert!(other_name.contains("it has drbd3"), "{other_name}");
        // drbdadm's XML of a resource with a template is not well-formed.
        let template = directory.path().join("template");
        std::fs::write(&template, "common { net { protocol C; } }").unwrap();
        let text = include_str!("../../../tests/fixtures/drbd-utils-9.22/template.res")
            .replace("/etc/drbd.d/template.conf", &template.display().to_string());
        std::fs::write(&path, text).unwrap();
        let other_name = ask("nothing").unwrap_err().to_string();
        assert!(other_name.contains("it has kwdb"), "{other_name}");
        std::fs::write(&path, "resource x {").unwrap();
        let broken = ask("x").unwrap_err().to_string();
        assert!(broken.contains("cannot be read"), "{broken}");
    }

    /// Needs drbd-utils as well.
    #[test]
    fn the_configuration_is_what_counts_wherever_it_stands() {
        let directory = tempfile::tempdir().unwrap();
        let soon = Deadline::after(Duration::from_secs(20));
        let path = directory.path().join("drbd.conf");
        let elsewhere = directory.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let host = host::host_name();
        let write = |common: &str, address: &str| {
            let resource = format!(
                "resource kwdb {{ device minor 7; meta-disk internal; on {host} {{ disk /dev/sda3; address {address}:7790; }}\n\
                 on other {{ disk /dev/vg1/kwdb; address 10.0.0.2:7790; }} }}"
            );
            std::fs::write(elsewhere.join("kwdb.anything"), resource).unwrap();
            let include = format!("{common}\ninclude \"{}/*.anything\";\n", elsewhere.display());
            std::fs::write(&path, include).unwrap();
        };
        Tools::new("kwdb", None).installed().unwrap();
        write("common { net { protocol A; allow-two-primaries; } }", "127.0.0.1");
        let config = configuration(Some(&path), soon).unwrap();
        let resource = config.resource("kwdb").unwrap();
        assert_eq!(resource.option("net", "protocol"), Some("A"));
        assert!(resource.allows_two_primaries());
        write("common { net { protocol A; } }", "192.0.2.1");
        let refused = configuration(Some(&path), soon).unwrap_err().to_string();
        assert!(refused.contains("192.0.2.1 not found"), "{refused}");
        let config = configuration_unchecked(Some(&path), soon).unwrap();
        assert_eq!(
            config.resource("kwdb").unwrap().option("net", "protocol"),
            Some("A")
        );
    }

    /// Needs drbd-utils as well.
    #[test]
    fn a_stacked_resource_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let soon = Deadline::after(Duration::from_secs(20));
        let path = directory.path().join("drbd.conf");
        let host = host::host_name();
        let lower = format!(
            "resource lower {{ device /dev/drbd1; disk /dev/sdx1; meta-disk internal;\n\
             on {host} {{ address 10.0.0.1:7788; }} on other {{ address 10.0.0.2:7788; }} }}\n\
             resource upper {{ device /dev/drbd10; meta-disk internal;\n\
             stacked-on-top-of lower {{ address 10.0.0.3:7788; }}\n\
             on third {{ disk /dev/sdx1; address 10.0.0.4:7788; }} }}\n"
        );
        std::fs::write(&path, lower).unwrap();
        let tools = Tools::new("upper", Some(path.clone()));
        tools.installed().unwrap();
        assert_eq!(tools.devices(soon).unwrap(), [PathBuf::from("/dev/drbd10")]);
        // drbdadm would not know the resource without the option that says that it is stacked.
        for fresh in [tools, Tools::new("upper", Some(path))] {
            fresh.drbdadm(&["sh-dev"], soon).unwrap();
        }
    }

    #[test]
    fn an_unknown_resource_is_told_from_other_errors() {
        assert!(is_unknown_resource("r0: Failure: (158) Unknown resource"));
        assert!(is_unknown_resource("r0: No such resource"));
        assert!(!is_unknown_resource(
            "r0: Failure: (127) Device minor not allocated"
        ));
        assert!(!is_unknown_resource(""));
    }
}
