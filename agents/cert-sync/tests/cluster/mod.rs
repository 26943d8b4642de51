//! Two "nodes" on one machine: two certificate directories and two resource ids that share one volume. The agent is the
//! built program, called as Pacemaker calls it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

#[path = "../../../../crates/certs/tests/support/mod.rs"]
pub mod support;

use certs::CertificateSet;
use host::{Command, Deadline};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const AGENT: &str = env!("CARGO_BIN_EXE_cert-sync");
pub const NAMES: [&str; 4] = ["n1", "n2", "192.0.2.10", "127.0.0.1"];

pub struct Cluster {
    directory: TempDir,
    mounted: bool,
}

pub struct Node<'a> {
    cluster: &'a Cluster,
    name: String,
    pub certs: PathBuf,
    extra: Vec<(String, String)>,
}

/// What an action came to.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub reason: String,
    pub elapsed: Duration,
}

impl Cluster {
    /// With a volume of its own where `size` says how large.
    pub fn new(size: Option<&str>) -> Self {
        let cluster = Self {
            directory: tempfile::tempdir().unwrap(),
            mounted: size.is_some(),
        };
        fs::create_dir(cluster.volume()).unwrap();
        if let Some(size) = size {
            let options = format!("size={size}");
            mount(
                Some("tmpfs"),
                &cluster.volume(),
                Some("tmpfs"),
                MsFlags::empty(),
                Some(options.as_str()),
            )
            .unwrap();
        }
        cluster.set_authkey(1);
        cluster
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn volume(&self) -> PathBuf {
        self.path("volume")
    }

    pub fn bundle(&self) -> PathBuf {
        self.volume().join(".kaiwudb-ha/certificates.bundle")
    }

    pub fn generation(&self) -> u64 {
        let bytes = fs::read(self.bundle()).unwrap();
        certs::bundle::parse(&bytes).unwrap().header.generation
    }

    pub fn set_authkey(&self, byte: u8) {
        let path = self.path("authkey");
        fs::write(&path, [byte; 128]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    }

    pub fn node(&self, name: &str) -> Node<'_> {
        let unique = self
            .directory
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        Node {
            cluster: self,
            name: format!("test-{name}-{}", unique.trim_start_matches('.')),
            certs: self.path(name).join("certs"),
            extra: Vec::new(),
        }
    }

    pub fn unmount(&mut self) {
        if std::mem::take(&mut self.mounted) {
            let _ = umount2(&self.volume(), MntFlags::MNT_DETACH);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.unmount();
    }
}

impl Node<'_> {
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.extra
            .push((format!("OCF_RESKEY_{parameter}"), value.to_owned()));
        self
    }

    pub fn command(&self, action: &str) -> Command {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut command = Command::new(AGENT)
            .arg(action)
            .env("OCF_RESOURCE_INSTANCE", &self.name)
            .env("OCF_RA_VERSION_MAJOR", "1")
            .env("OCF_RA_VERSION_MINOR", "1")
            .env("OCF_RESKEY_CRM_meta_timeout", "20000")
            .env("OCF_RESKEY_user", "root")
            .env("OCF_RESKEY_certs_dir", text(&self.certs))
            .env("OCF_RESKEY_data_root", text(&self.cluster.volume()))
            .env("OCF_RESKEY_authkey", text(&self.cluster.path("authkey")))
            .env("OCF_RESKEY_require_mount", self.cluster.mounted.to_string());
        for (name, value) in &self.extra {
            command = command.env(name, value);
        }
        command
    }

    pub fn call(&self, action: &str) -> Answer {
        run(&self.command(action))
    }

    pub fn monitor_at(&self, level: &str) -> Answer {
        let command = self
            .command("monitor")
            .env("OCF_RESKEY_CRM_meta_interval", "30000")
            .env("OCF_CHECK_LEVEL", level);
        run(&command)
    }

    /// A recurring monitor.
    pub fn monitor(&self) -> Answer {
        self.monitor_at("0")
    }

    /// An action that must succeed without a word.
    pub fn ok(&self, action: &str) {
        let answer = self.call(action);
        assert_eq!((answer.code, answer.reason.as_str()), (0, ""), "{action}");
    }

    /// A monitor that finds nothing to tell.
    pub fn healthy(&self) {
        let answer = self.monitor();
        assert_eq!((answer.code, answer.reason.as_str()), (0, ""), "monitor");
    }

    /// A monitor that answers "degraded" with every one of `words` in the reason.
    pub fn degraded(&self, words: &[&str]) -> String {
        let answer = self.monitor();
        assert_eq!(answer.code, 190, "{answer:?}");
        for word in words {
            assert!(
                answer.reason.contains(word),
                "{word:?} is not in {:?}",
                answer.reason
            );
        }
        answer.reason
    }

    pub fn write(&self, set: &CertificateSet) {
        support::write(&self.certs, set);
    }

    pub fn set(&self) -> CertificateSet {
        certs::directory::read(&self.certs, false)
            .unwrap()
            .map(|found| found.set)
            .unwrap_or_default()
    }

    pub fn stop_and_give_way_to(&self, other: &Node<'_>) {
        self.ok("stop");
        other.ok("start");
    }
}

fn run(command: &Command) -> Answer {
    let output = command.run(Deadline::after(Duration::from_secs(30))).unwrap();
    assert_eq!(output.text(), "", "an agent prints nothing");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let reasons: Vec<&str> = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("ocf-exit-reason:"))
        .collect();
    assert!(reasons.len() <= 1, "{stderr}");
    Answer {
        code: output.status.code().unwrap(),
        reason: reasons.first().copied().unwrap_or_default().to_owned(),
        elapsed: output.elapsed,
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        let name = self.name.replace('.', "_");
        let _ = fs::remove_dir_all(Path::new("/run/kaiwudb-ha").join(name));
    }
}
