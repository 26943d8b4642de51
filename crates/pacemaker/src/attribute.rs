//! Node attributes and cluster-wide attributes, through `crm_attribute` and `attrd_updater`.

use crate::Error;
use host::{Command, CommandError, Deadline};
use std::time::Duration;

/// Exit status "no such object" of every Pacemaker tool since 2.0 (`CRM_EX_NOSUCH`).
const NO_SUCH_OBJECT: i32 = 105;

/// Where an attribute is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Of a node, until Pacemaker stops there.
    Transient(&'a str),
    /// Of a node, for ever.
    Permanent(&'a str),
    /// Of the cluster, for ever, in a property set of our own: crmsh takes what it does not know in `cib-bootstrap-options` for a
    /// mistake of the operator.
    Cluster,
}

fn command(scope: Scope<'_>, name: &str) -> Command {
    let command = Command::new("crm_attribute").args(["-n", name]);
    match scope {
        Scope::Transient(node) => command.args(["-N", node, "-l", "reboot"]),
        Scope::Permanent(node) => command.args(["-N", node, "-l", "forever"]),
        Scope::Cluster => command.args(["-t", "crm_config", "-s", "kaiwudb-ha"]),
    }
}

/// The value; `None` when there is none.
pub fn get(scope: Scope<'_>, name: &str, deadline: Deadline) -> Result<Option<String>, Error> {
    read(command(scope, name), deadline)
}

/// Sets the value. Setting the same value again writes nothing to the CIB when the attribute is transient.
pub fn set(scope: Scope<'_>, name: &str, value: &str, deadline: Deadline) -> Result<(), Error> {
    // "-v VALUE" would take a value that starts with a dash for an option.
    command(scope, name)
        .arg(format!("--update={value}"))
        .run_ok(deadline)?;
    Ok(())
}

/// Removes it; success when it is not there.
pub fn delete(scope: Scope<'_>, name: &str, deadline: Deadline) -> Result<(), Error> {
    remove(command(scope, name), deadline)
}

/// Sets a transient attribute that is for people only. It is written `delay` after the last change: every write makes the cluster
/// compute anew, which must not happen in the middle of a failover.
pub fn explain(
    node: &str,
    name: &str,
    value: &str,
    delay: Duration,
    deadline: Deadline,
) -> Result<(), Error> {
    updater(node, name)
        .arg(format!("--update-both={value}"))
        .args(["-d", &format!("{}s", delay.as_secs())])
        .run_ok(deadline)?;
    Ok(())
}

/// Removes an attribute that [`explain`] has set, after the same delay.
pub fn stop_explaining(node: &str, name: &str, deadline: Deadline) -> Result<(), Error> {
    remove(updater(node, name), deadline)
}

/// The same, but the tool is not waited for: in a stop it was a third of the agent's time (measured in an emulated machine).
pub fn stop_explaining_unwaited(node: &str, name: &str) -> Result<(), Error> {
    updater(node, name).arg("-D").start_unwaited()?;
    Ok(())
}

/// The tool that asks the attribute manager itself, about an attribute of a node.
pub(crate) fn updater(node: &str, name: &str) -> Command {
    Command::new("attrd_updater").args(["-N", node, "-n", name])
}

/// Asks a tool with the options of `crm_attribute` for the value it was given the name of.
pub(crate) fn read(command: Command, deadline: Deadline) -> Result<Option<String>, Error> {
    match absent(command.args(["-G", "-q"]).run_ok(deadline))? {
        // A transient attribute that was deleted stays as an empty value until the node leaves.
        Some(text) => Ok(Some(text.trim_end().to_owned()).filter(|value| !value.is_empty())),
        None => Ok(None),
    }
}

/// As [`read`], but deletes.
pub(crate) fn remove(command: Command, deadline: Deadline) -> Result<(), Error> {
    absent(command.arg("-D").run_ok(deadline)).map(drop)
}

fn absent(answer: Result<host::Output, CommandError>) -> Result<Option<String>, Error> {
    match answer {
        Ok(output) => Ok(Some(output.text())),
        Err(CommandError::Failed(_, output)) if output.status.code() == Some(NO_SUCH_OBJECT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
