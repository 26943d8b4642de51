//! The name of this node in the cluster, which need not be the host name.

use crate::Error;
use host::{Command, Deadline};
use ocf::Env;

/// This node's name: what Pacemaker told the agent (since 2.0; every action has it), else what `crm_node` answers.
pub fn name(env: &Env, deadline: Deadline) -> Result<String, Error> {
    if let Some(name) = env.on_node() {
        return Ok(name.to_owned());
    }
    let answer = Command::new("crm_node").arg("-n").run_ok(deadline)?.text();
    match answer.trim() {
        "" => Err(Error::Answer("crm_node -n", "it is empty".into())),
        name => Ok(name.to_owned()),
    }
}
