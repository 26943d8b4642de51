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

/// Sets an attribute of a node that only the attribute managers know: it never gets into the CIB, so nothing is computed anew, and it is
/// gone when its node is.
pub fn share(node: &str, name: &str, value: &str, deadline: Deadline) -> Result<(), Error> {
    let update = format!("--update={value}");
    updater(node, name)
        .args(["--private", &update])
        .run_ok(deadline)?;
    Ok(())
}

/// Removes what [`share`] has set; success when it is not there.
pub fn stop_sharing(node: &str, name: &str, deadline: Deadline) -> Result<(), Error> {
    remove(updater(node, name), deadline)
}

/// The attribute of every node that has it, as the attribute managers know it, which may be before the CIB does: node and value.
pub fn everywhere(name: &str, deadline: Deadline) -> Result<Vec<(String, String)>, Error> {
    let command = Command::new("attrd_updater").args(["-n", name, "-A", "-Q"]);
    let text = absent(command.run_ok(deadline))?.unwrap_or_default();
    Ok(text.lines().filter_map(host_and_value).collect())
}

/// `name="NAME" host="NODE" value="VALUE"`, since 1.1.13; the value is not quoted further.
fn host_and_value(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once(" host=\"")?;
    let (node, rest) = rest.split_once('"')?;
    let value = rest.strip_prefix(" value=\"")?.strip_suffix('"')?;
    (!value.is_empty()).then(|| (node.to_owned(), value.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_attribute_manager_prints() {
        let line =
            "name=\"failure-reason-KaiwuDB\" host=\"node1\" value=\"the server said \"no\"; restart it\"";
        let (node, value) = host_and_value(line).unwrap();
        assert_eq!(
            (node.as_str(), value.as_str()),
            ("node1", "the server said \"no\"; restart it")
        );
        for nothing in [
            "",
            "name=\"a\" host=\"b\" value=\"\"",
            "Could not query value of a",
        ] {
            assert_eq!(host_and_value(nothing), None, "{nothing}");
        }
    }
}
