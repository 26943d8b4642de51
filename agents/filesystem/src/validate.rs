//! `validate-all` of level 10: can it work on this host?

use crate::config::{Config, number};
use host::Command;
use ocf::Failure;

pub(crate) fn validate(config: &Config) -> Result<(), Failure> {
    for tool in ["mount", "umount"] {
        if !Command::new(tool).is_installed() {
            return Err(Failure::not_installed(format!("{tool} is not installed")));
        }
    }
    let device = config.device.display();
    if config.device.exists() && number(&config.device).is_none() {
        return Err(Failure::invalid_here(format!(
            "parameter device=\"{device}\": not a block device; allowed: a block device, such as /dev/drbd0"
        )));
    }
    let directory = config.directory.display();
    if config.directory.exists() && !config.directory.is_dir() {
        return Err(Failure::invalid_here(format!(
            "parameter directory=\"{directory}\": not a directory; allowed: a directory, or none yet"
        )));
    }
    Ok(())
}
