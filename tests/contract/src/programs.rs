//! The programs under test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the programs lie on this machine.
#[derive(Debug)]
pub struct Programs {
    /// Directory with the agents: `KAIWUDB_HA_AGENTS`, else what cargo has built.
    pub agents: PathBuf,
    /// The server: `KWBASE_HOME/bin/kwbase`, else the stand-in.
    pub server: PathBuf,
    /// Whether the server is the stand-in, which has the faults `KWBASE_STANDIN_*`.
    pub is_standin: bool,
}

impl Programs {
    /// The programs; builds those that are not given, once.
    pub fn get() -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            let agents = env::var_os("KAIWUDB_HA_AGENTS").map(PathBuf::from);
            let home = env::var_os("KWBASE_HOME").map(PathBuf::from);
            Self {
                is_standin: home.is_none(),
                server: home.map_or_else(
                    || build("kwbase-standin").join("kwbase"),
                    |home| home.join("bin/kwbase"),
                ),
                agents: agents.unwrap_or_else(|| build("kaiwudb-agent")),
            }
        })
    }

    /// The path of an agent.
    pub fn agent(&self, name: &str) -> PathBuf {
        self.agents.join(name)
    }
}

/// Builds a package next to this test, so that a test never runs yesterday's program. Returns the directory.
fn build(package: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it lies");
    // TARGET/debug/deps/contract-0123
    let directory = test
        .ancestors()
        .nth(2)
        .expect("cargo puts tests two directories deep");
    let target = directory.parent().expect("a profile's directory has a parent");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--package", package, "--target-dir"])
        .arg(target);
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo
        .current_dir(repository())
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "{package} does not build: {status}");
    directory.to_owned()
}

/// The top of the source tree.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/contract lies two directories below the top")
}
