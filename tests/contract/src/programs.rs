//! The programs under test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the programs lie on this machine.
#[derive(Debug)]
pub struct Programs {
    /// Directory with the agents: `KAIWUDB_HA_AGENTS`, else what cargo has built.
    pub agents: PathBuf,
    /// The operator's command.
    pub command: PathBuf,
    /// The server: `KWBASE_HOME/bin/kwbase`, else the stand-in `KAIWUDB_HA_STANDIN` where the agents are given, too, else what
    /// cargo has built.
    pub server: PathBuf,
    /// Whether the server is the stand-in, which has the faults `KWBASE_STANDIN_*`.
    pub is_standin: bool,
}

impl Programs {
    /// The programs; builds those that are not given, once.
    pub fn get() -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            install_needs();
            let agents = env::var_os("KAIWUDB_HA_AGENTS").map(PathBuf::from);
            let home = env::var_os("KWBASE_HOME").map(PathBuf::from);
            // Who gives the agents gives the server that was built with them, too.
            let standin = agents.as_ref().and(env::var_os("KAIWUDB_HA_STANDIN"));
            Self {
                is_standin: home.is_none(),
                server: home
                    .map(|home| home.join("bin/kwbase"))
                    .or(standin.map(PathBuf::from))
                    .unwrap_or_else(|| build(&["kwbase-standin".to_owned()]).join("kwbase")),
                command: agents
                    .clone()
                    .unwrap_or_else(|| build(&["kaiwudb-ha".to_owned()]))
                    .join("kaiwudb-ha"),
                agents: agents.unwrap_or_else(|| build(&agent_packages())),
            }
        })
    }

    /// The path of an agent.
    pub fn agent(&self, name: &str) -> PathBuf {
        self.agents.join(name)
    }
}

/// Installs the Debian packages that the tests run, where they are missing; `ocf:heartbeat:Filesystem` runs kmod's and psmisc's programs.
fn install_needs() {
    let need = repository().join("packaging/toolchain/need.sh");
    let status = Command::new(need)
        .args([
            "e2fsprogs",
            "iproute2",
            "kmod",
            "libxml2-utils",
            "openssl",
            "perl",
            "postgresql",
            "procps",
            "prometheus",
            "psmisc",
            "resource-agents",
            "xfsprogs",
        ])
        .status()
        .expect("need.sh can be run");
    assert!(status.success(), "the tests' needs cannot be installed: {status}");
}

/// Names of the agents of this suite: the members of the workspace in `agents/`.
pub fn agents() -> Vec<String> {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).expect("the workspace has a manifest");
    let members = manifest.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("\"agents/")?.strip_suffix("\",")?;
        Some(name.to_owned())
    });
    members.collect()
}

fn agent_packages() -> Vec<String> {
    let package = |agent: String| {
        let manifest = repository().join("agents").join(agent).join("Cargo.toml");
        let text = fs::read_to_string(manifest).expect("a member has a manifest");
        let name = text.lines().find_map(|line| line.strip_prefix("name = "));
        name.expect("a package has a name").trim_matches('"').to_owned()
    };
    agents().into_iter().map(package).collect()
}

/// Builds packages next to this test, so that a test never runs yesterday's program. Returns the directory.
fn build(packages: &[String]) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it lies");
    // TARGET/debug/deps/contract-0123
    let directory = test
        .ancestors()
        .nth(2)
        .expect("cargo puts tests two directories deep");
    let target = directory.parent().expect("a profile's directory has a parent");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--target-dir"])
        .arg(target)
        .args(packages.iter().map(|package| format!("--package={package}")));
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo
        .current_dir(repository())
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "{packages:?} do not build: {status}");
    directory.to_owned()
}

/// The top of the source tree.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/contract lies two directories below the top")
}
