//! `close-keys`: gives the files of the certificates' directory to the server's account and closes its keys to everybody else.

use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Result, bail};
use certs::authority::{self, AuthorityKeys};
use certs::{Owner, directory};
use host::untrusted::Writers;
use host::{Deadline, user};
use kwdb::installation::{CERTS_DIRECTORY, Mode};
use std::path::Path;
use std::time::Duration;

/// The name service's answer.
const QUESTION: Duration = Duration::from_secs(5);

/// Fixes what it can, and says what that was.
pub(super) fn run() -> Result<Exit> {
    let mode = Mode::read()?;
    let name = mode.user.as_deref().unwrap_or("kaiwudb");
    let Some(account) = user::find(name, Deadline::after(QUESTION)) else {
        bail!("user {name} does not exist on this node");
    };
    let named_by = if mode.user.is_some() {
        mode.writers
    } else {
        Writers::Root
    };
    // Whoever can write MODE names himself and nobody else.
    if account.is_the_systems() || !named_by.may_name(account.uid) {
        bail!("user {name} is not the server's account");
    }
    let path = Path::new(CERTS_DIRECTORY);
    let owner = Owner {
        uid: account.uid,
        gid: account.gid,
    };
    let (mut fixed, mut failed) = directory::repair(
        path,
        owner,
        &mut AuthorityKeys::read(Path::new(authority::MEMORY))?,
    );
    let (closed, open) = directory::close_keys(path)?;
    fixed.extend(closed);
    failed.extend(open);
    for line in &fixed {
        output::line(line);
    }
    if !failed.is_empty() {
        bail!("{}", failed.join("; "));
    }
    Ok(Exit::Done)
}
