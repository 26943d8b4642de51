//! `guard`: makes the directory below the store's mount immutable, or lifts that.

use crate::ui::exit::Exit;
use anyhow::Result;
use site::mount_point;
use std::path::PathBuf;

/// Options of `guard`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Mount point of the store
    directory: PathBuf,
    /// Make it an ordinary directory again
    #[arg(long)]
    lift: bool,
}

/// Guards this node's mount point, or lifts that.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    mount_point::guard(&arguments.directory, arguments.lift)?;
    Ok(Exit::Done)
}
