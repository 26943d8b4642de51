//! What the commands are run on: a cluster as `kaiwudb-ha plan` makes it, as a file, and DRBD's configuration.

pub(super) use contract::debian::text;
use contract::debian::{self, RESOURCE_AGENTS};
use contract::programs::{Programs, repository};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

const CIB: &str = "/root/cib.xml";
/// The same before it had any resource but a fencing device.
const FENCED: &str = "/root/fenced.xml";

/// The node's name is this machine's: DRBD finds its section by it.
const RESOURCE: &str = "resource kwdb {
    device /dev/drbd0;
    meta-disk internal;
    net { protocol C; }
    on node1 { disk /dev/disk/by-id/scsi-1; address 192.0.2.11:7789; }
    on node2 { disk /dev/disk/by-id/scsi-2; address 192.0.2.12:7789; }
}
";

/// The cluster; the parts between the two comments are all but its fencing.
const CLUSTER: &str = include_str!("../../files/cib.xml");

/// Where the commands run.
#[derive(Debug)]
pub(super) struct Stage {
    /// The word for the promoted role.
    pub(super) promoted: &'static str,
    /// The file on which the next command works.
    copy: &'static str,
    /// The node's name, by which DRBD finds its section.
    node: &'static str,
}

impl Stage {
    /// Installs what is ours and makes the cluster.
    pub(super) fn new(programs: &Programs) -> Self {
        debian::install(programs);
        let wizards = "/usr/share/crmsh/scripts/kaiwudb";
        fs::create_dir_all(wizards).expect("the machine is private");
        fs::copy(
            repository().join("packaging/crmsh/kaiwudb/main.yml"),
            Path::new(wizards).join("main.yml"),
        )
        .expect("there is a wizard");
        // The lab's fence agent has meta-data, as crmsh wants them.
        let fence = "/usr/sbin/fence_lab";
        fs::copy(repository().join("tests/lab/files/fence_lab.py"), fence)
            .expect("the lab has a fence agent");
        fs::set_permissions(fence, fs::Permissions::from_mode(0o755)).expect("our own file");
        fs::write("/etc/drbd.d/kwdb.res", RESOURCE).expect("the machine is private");
        let stage = Self {
            promoted: if env::var("SUITE").is_ok_and(|suite| suite == "bullseye") {
                "Master"
            } else {
                "Promoted"
            },
            copy: "/root/copy.xml",
            node: "node1",
        };
        let schema = if stage.promoted == "Master" {
            "pacemaker-3.0"
        } else {
            "pacemaker-3.9"
        };
        let cluster = CLUSTER
            .replace("@promoted@", stage.promoted)
            .replace("@schema@", schema);
        fs::write(CIB, &cluster).expect("the machine is private");
        let parts = cluster.split("<!-- from here on -->");
        let fenced: String = parts
            .map(|part| {
                part.split_once("<!-- up to here -->")
                    .map_or(part, |(_, rest)| rest)
            })
            .collect();
        fs::write(FENCED, fenced).expect("the machine is private");
        stage
    }

    /// A copy of the cluster for one command, without this resource if one is named, which the command is to make.
    pub(super) fn fresh(&self, without: Option<&str>) -> &'static str {
        fs::copy(CIB, self.copy).expect("our own file");
        if let Some(resource) = without {
            let _ = self.run(
                &["pcs", "-f", self.copy, "resource", "delete", resource, "--force"],
                &[],
            );
        }
        self.copy
    }

    /// A copy of a cluster that has a fencing device and nothing else.
    pub(super) fn fenced(&self) -> &'static str {
        fs::copy(FENCED, self.copy).expect("our own file");
        self.copy
    }

    /// Runs it, as a node that is called node1, with a limit and nothing to read.
    pub(super) fn run<W: AsRef<OsStr>>(&self, words: &[W], variables: &[(&str, &str)]) -> Output {
        debian::run_as(self.node, words, variables)
    }

    /// What is wrong with the values of our agents' parameters in the changed cluster, by the agents themselves.
    pub(super) fn parameters(&self) -> Result<(), String> {
        let read = |path: &str| {
            let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
            pacemaker::cib::parse(&text)
        };
        let (before, after) = (read(CIB)?, read(self.copy)?);
        for primitive in after.primitives() {
            let agent = primitive.agent();
            let Some(name) = agent.strip_prefix("ocf:kaiwudb:") else {
                continue;
            };
            let is_as_before = before
                .primitives()
                .any(|one| one.id == primitive.id && one.parameters().eq(primitive.parameters()));
            if is_as_before {
                continue;
            }
            let program = Path::new(RESOURCE_AGENTS).join(name);
            let variables: Vec<(String, String)> = primitive
                .parameters()
                .map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.to_owned()))
                .collect();
            let mut variables: Vec<(&str, &str)> = variables
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            variables.push(("OCF_ROOT", "/usr/lib/ocf"));
            variables.push(("OCF_RESOURCE_INSTANCE", &primitive.id));
            let output = self.run(&[program.as_os_str(), OsStr::new("validate-all")], &variables);
            if !output.status.success() {
                return Err(text(&output));
            }
        }
        Ok(())
    }
}
