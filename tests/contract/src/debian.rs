//! The tools of a real Debian, run as a node of a cluster that does not run here; see [`crate::on_debian`].

use crate::programs::{Programs, agents};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Where the agents are installed.
pub const RESOURCE_AGENTS: &str = "/usr/lib/ocf/resource.d/kaiwudb";
/// Longer than any of them takes; what waits for a cluster is given up.
const PATIENCE: &str = "20";

/// Installs the agents and the operator's command.
pub fn install(programs: &Programs) {
    fs::create_dir_all(RESOURCE_AGENTS).expect("the machine is private");
    for agent in agents() {
        fs::copy(programs.agent(&agent), Path::new(RESOURCE_AGENTS).join(agent))
            .expect("the agents are built");
    }
    fs::copy(&programs.command, "/usr/bin/kaiwudb-ha").expect("the command is built");
}

/// Runs it, as a node with this name, with a limit and nothing to read.
pub fn run_as<W: AsRef<OsStr>>(node: &str, words: &[W], variables: &[(&str, &str)]) -> Output {
    Command::new("timeout")
        .args([
            "--kill-after=5",
            PATIENCE,
            "unshare",
            "--uts",
            "sh",
            "-c",
            "hostname \"$0\"; exec \"$@\"",
            node,
        ])
        .args(words)
        .envs(variables.iter().copied())
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/root")
        .stdin(Stdio::null())
        .output()
        .expect("timeout can be run")
}

/// What it said.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
