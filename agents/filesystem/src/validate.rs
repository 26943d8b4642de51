//! `validate-all` of level 10: can it work on this host?

use crate::config::Config;
use host::{Command, block};
use ocf::Failure;

pub(crate) fn validate(config: &Config) -> Result<(), Failure> {
    for tool in ["mount", "umount"] {
        if !Command::new(tool).is_installed() {
            return Err(Failure::not_installed(format!("{tool} is not installed")));
        }
    }
    if config.device.exists() && block::number(&config.device).is_none() {
        return Err(config.not_a_block_device());
    }
    if config.directory.exists() && !config.directory.is_dir() {
        return Err(config.not_a_directory());
    }
    Ok(())
}
