//! What an operator has who sits at a node: a way to the other one, and a terminal.

use crate::lab::Lab;
use crate::network::Network;
use crate::node::{Node, Output};
use anyhow::{Context, Result};
use host::Deadline;

const SSH: &str = include_str!("../files/ssh.sh");

/// Types into a terminal when a question stands there.
const TERMINAL: &str = include_str!("../files/terminal.sh");

/// Lets root of each node log in on the other one, as the KWDB guide wants it. The nodes must have openssh-server.
pub fn ssh_between_nodes(lab: &Lab, deadline: Deadline) -> Result<()> {
    let [first, second] = lab.nodes();
    let addresses = [first, second].map(|node| node.address(Network::Cluster).to_string());
    let key = |node: &Node| {
        node.shell(
            "mkdir -p /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && cat /root/.ssh/id_ed25519.pub",
            deadline,
        )
    };
    let keys = [key(first)?, key(second)?];
    for (node, key) in [(first, &keys[1]), (second, &keys[0])] {
        node.exec_ok(
            ["sh", "-c", SSH, "ssh", key.trim(), &addresses[0], &addresses[1]],
            deadline,
        )
        .context("ssh between the nodes")?;
    }
    Ok(())
}

/// Runs a shell command at a terminal of its own. When `question` is on the screen, the shell command `then` is run, and what it prints is
/// typed. What was on the screen is the standard output.
pub fn at_terminal(
    node: &Node,
    command: &str,
    question: &str,
    then: &str,
    deadline: Deadline,
) -> Result<Output> {
    node.exec(
        ["bash", "-c", TERMINAL, "terminal", command, question, then],
        deadline,
    )
}
