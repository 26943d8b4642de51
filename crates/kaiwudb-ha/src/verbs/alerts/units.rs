//! The delivery on this node: the places it needs, and the units of systemd that start it.

use crate::context::Context;
use crate::texts::alerts as texts;
use crate::ui::exit::Exit;
use crate::ui::output;
use alerts::spool;
use anyhow::{Result, anyhow};
use host::{Command, Deadline};
use site::settings::AlertSettings;
use std::path::Path;
use std::time::Duration;

/// Where systemd runs.
const SYSTEMD: &str = "/run/systemd/system";
/// One call of systemd's tools.
const CALL: Duration = Duration::from_secs(20);

/// Switches it on, and prints whom this node would tell, without secrets: the other node's must be the same.
pub(super) fn enable(context: &Context, settings: &AlertSettings) -> Result<Exit> {
    if Path::new(SYSTEMD).exists() {
        call(&["systemd-tmpfiles", "--create", "kaiwudb-ha.conf"])?;
        call(&[
            "systemctl",
            "enable",
            "--now",
            "kaiwudb-ha-alerts.path",
            "kaiwudb-ha-alerts.timer",
        ])?;
    } else if !Path::new(spool::DIRECTORY).exists() {
        output::note(texts::NO_SYSTEMD.of(context.language));
    }
    let whom = format!("{:?} {:?}", settings.channels(), settings.heartbeat());
    output::line(&format!("{:016x}", fingerprint(&whom)));
    Ok(Exit::Done)
}

/// Switches it off. What waits is not delivered any more.
pub(super) fn disable() -> Result<Exit> {
    if Path::new(SYSTEMD).exists() {
        call(&[
            "systemctl",
            "disable",
            "--now",
            "kaiwudb-ha-alerts.path",
            "kaiwudb-ha-alerts.timer",
        ])?;
    }
    Ok(Exit::Done)
}

fn call(words: &[&str]) -> Result<()> {
    let (program, arguments) = words.split_first().unwrap_or((&"", &[]));
    let command = Command::new(program).args(arguments);
    command
        .run_ok(Deadline::after(CALL))
        .map(drop)
        .map_err(|error| anyhow!("{error}"))
}

/// FNV-1a: the same on both nodes.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
