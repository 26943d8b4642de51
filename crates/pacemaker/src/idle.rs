//! Waiting until the cluster has nothing left to do.

use crate::{Error, status};
use host::{Command, Deadline};
use std::time::Duration;

/// Between two looks at a controller that is busy, or while an election leaves nobody who could tell.
const LOOK_INTERVAL: Duration = Duration::from_millis(300);
/// `crm_resource` counts in whole seconds and is to end by itself.
const OWN_END: Duration = Duration::from_secs(5);

/// Returns when nothing is planned and nothing is on its way any more. An error says what the last look found when the deadline is
/// over, which counts in whole seconds, at least one; a tool that does not answer may take some seconds more.
pub fn wait(deadline: Deadline) -> Result<(), Error> {
    loop {
        let error = match nothing_planned(deadline).and_then(|()| controller_is_idle(deadline)) {
            Ok(true) => return Ok(()),
            Ok(false) => Error::Answer("crmadmin", "the controller is still at work".into()),
            Err(error) => error,
        };
        if !deadline.pause(LOOK_INTERVAL) {
            return Err(error);
        }
    }
}

/// Whether the controller has nothing on its way now: what is written then aborts no transition. False during an election.
pub fn is_now(deadline: Deadline) -> Result<bool, Error> {
    controller_is_idle(deadline)
}

fn nothing_planned(deadline: Deadline) -> Result<(), Error> {
    let left = Duration::from_secs(deadline.remaining().as_secs().max(1));
    Command::new("crm_resource")
        .args(["--wait", &format!("--timeout={}s", left.as_secs())])
        .run_ok(Deadline::after(left + OWN_END))?;
    Ok(())
}

/// `crm_resource --wait` (2.1.5) also returns while a start that it has seen planned is still on its way.
fn controller_is_idle(deadline: Deadline) -> Result<bool, Error> {
    let limit = Deadline::after(deadline.remaining().max(OWN_END));
    // During an election nobody can tell.
    let Some(controller) = status::get(limit)?.controller else {
        return Ok(false);
    };
    let answer = Command::new("crmadmin")
        .args(["--status", &controller])
        .run_ok(limit)?;
    Ok(answer.text().contains("S_IDLE"))
}
