//! `validate-all` of level 10: can it work on this host?

use crate::config::Config;
use crate::neighbours::read;
use crate::place;
use agent::Context;
use ocf::{Failure, FailureKind};

pub(crate) fn validate(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let Some(ip) = config.ip else { return Ok(()) };
    let scene = read(cx.deadline)?;
    let place = place::choose(config, ip, &scene)
        // Not now, and not here: a validation knows no "perhaps later".
        .map_err(|failure| Failure::new(FailureKind::InvalidParameter, failure.reason))?;
    place.address(config, true).map(drop)
}
