//! A node of namespaces on which the built agent meets tools that behave as DRBD's and Pacemaker's.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which releases the node has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Releases {
    /// Version of the DRBD module.
    pub(crate) drbd: &'static str,
    /// What Pacemaker tells its agents.
    pub(crate) features: &'static str,
    /// Pacemaker's tools that are installed.
    tools: &'static str,
    /// The role words in Pacemaker's status.
    fixture: &'static str,
}

/// The guide's: DRBD 8.4 and Pacemaker 2.0 with `crm_master`.
pub(crate) const OLD: Releases = Releases {
    drbd: "8.4.11",
    features: "3.6.5",
    tools: "attrd_updater crm_node crm_resource crm_mon crm_attribute crm_master",
    fixture: "pacemaker-2.0.5",
};
/// DRBD 9 and Pacemaker 3 without `crm_master`.
pub(crate) const NEW: Releases = Releases {
    drbd: "9.2.8",
    features: "3.20.0",
    tools: "attrd_updater crm_node crm_resource crm_mon crm_attribute",
    fixture: "pacemaker-3.0.0",
};

/// A node; its processes end with it.
pub(crate) struct Node {
    init: Child,
    releases: Releases,
    run: PathBuf,
}

/// How a call of the agent came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Node {
    pub(crate) fn new(releases: Releases) -> Self {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let fixtures = here.join("../../tests/fixtures");
        let mut init = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh"])
            .arg(here.join("tests/process/files/init.sh"))
            .env("FILES", here.join("tests/process/files"))
            .env("FIXTURES", fixtures.join(releases.fixture))
            .env("DUMP", fixtures.join("drbd-utils-9.22/dump-xml-guide.xml"))
            .env("VERSION", releases.drbd)
            .env("CRM_TOOLS", releases.tools)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(init.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n", "the node does not come up");
        // The first process of the namespaces is unshare's child.
        let children = format!("/proc/{0}/task/{0}/children", init.id());
        let first = fs::read_to_string(children).unwrap();
        let run = PathBuf::from(format!("/proc/{}/root/run", first.trim()));
        Self { init, releases, run }
    }

    fn inside(&self, program: &str) -> Command {
        let root = self.run.parent().unwrap().parent().unwrap();
        let pid = root.file_name().unwrap();
        let mut command = Command::new("nsenter");
        command
            .arg("--target")
            .arg(pid)
            .args(["--mount", "--pid", "--", program])
            .stdin(Stdio::null());
        command
    }

    /// Calls the agent as Pacemaker does, with these further variables (parameters without `OCF_RESKEY_`).
    pub(crate) fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Outcome {
        let mut command = self.inside(env!("CARGO_BIN_EXE_drbd-promotable"));
        command
            .arg(action)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("OCF_ROOT", "/usr/lib/ocf")
            .env("OCF_RA_VERSION_MAJOR", "1")
            .env("OCF_RA_VERSION_MINOR", "1")
            .env("OCF_RESOURCE_INSTANCE", "KaiwuData")
            .env("OCF_RESKEY_crm_feature_set", self.releases.features)
            .env("OCF_RESKEY_CRM_meta_timeout", "20000")
            .env("OCF_RESKEY_CRM_meta_on_node", "node1")
            .env("OCF_RESKEY_drbd_resource", "r0");
        for (name, value) in parameters {
            command.env(format!("OCF_RESKEY_{name}"), value);
        }
        let began = Instant::now();
        let output = command.output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        }
    }

    /// A recurring monitor.
    pub(crate) fn monitor(&self) -> Outcome {
        self.call("monitor", &[("CRM_meta_interval", "10000")])
    }

    /// Runs a shell command on the node.
    pub(crate) fn shell(&self, script: &str) -> String {
        let output = self.inside("/bin/sh").args(["-ec", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Starts a process on the node that stays.
    pub(crate) fn background(&self, script: &str) -> Child {
        self.inside("/bin/sh").args(["-ec", script]).spawn().unwrap()
    }

    /// A file below /run of the node; empty when it is not there.
    pub(crate) fn file(&self, path: &str) -> String {
        fs::read_to_string(self.run.join(path))
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.run.join(path), text).unwrap();
    }

    /// Changes DRBD's state and lets it say so.
    pub(crate) fn drbd(&self, file: &str, value: &str, event: &str) {
        self.write(&format!("drbd/{file}"), value);
        self.shell(&format!("echo 'change {event}' >>/run/drbd/changes"));
    }

    /// The link goes down.
    pub(crate) fn lose_peer(&self) {
        self.write("drbd/peer-disk", "DUnknown");
        self.write("drbd/replication", "Off");
        self.write("drbd/peer-role", "Unknown");
        self.drbd(
            "link",
            "Connecting",
            "connection name:r0 peer-node-id:1 conn-name:b connection:Connecting role:Unknown",
        );
        self.shell(
            "echo 'change peer-device name:r0 peer-node-id:1 conn-name:b volume:0 replication:Off peer-disk:DUnknown' \
             >>/run/drbd/changes",
        );
    }

    /// The promotion score that Pacemaker has.
    pub(crate) fn score(&self) -> String {
        self.file("cib/master-KaiwuData")
    }

    /// Why the score is what it is, as an operator sees it.
    pub(crate) fn explanation(&self) -> String {
        self.file("cib/drbd-KaiwuData")
    }

    /// Failures that were reported to Pacemaker.
    pub(crate) fn reports(&self) -> usize {
        self.file("cib/calls").matches("crm_resource --fail").count()
    }

    /// The watcher's pid on the node, without what it forks; empty when there is none.
    pub(crate) fn watcher(&self) -> String {
        self.shell("ps -e -o pid=,sid=,args= | awk '$1 == $2 && /drbd-promotable watcher/ { print $1 }'")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.init.stdin.take());
        let _ = self.init.kill();
        let _ = self.init.wait();
    }
}

impl Outcome {
    /// Asserts this exit status without a word.
    #[track_caller]
    pub(crate) fn is_silent(&self, code: i32) {
        assert!(
            self.code == code && self.stdout.is_empty() && self.stderr.is_empty(),
            "not a silent {code}: {self:?}"
        );
    }

    /// Asserts this exit status and one exit reason with all of these words.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) {
        let reasons = self.stderr.matches("ocf-exit-reason:").count();
        assert!(
            self.code == code && reasons == 1,
            "not {code} with one reason: {self:?}"
        );
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not said: {self:?}");
        }
    }
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "did not happen: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
