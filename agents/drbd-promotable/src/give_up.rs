//! When a Primary should give its role to the other node.

use crate::config::Config;
use crate::run_directory::Wanted;
use crate::score;
use drbd::health;
use drbd::resource::Resource;
use host::Deadline;
use ocf::Env;

/// Why Pacemaker should promote another node, if it should and can.
pub(crate) fn reason(config: &Config, env: &Env, resource: &Resource, deadline: Deadline) -> Option<String> {
    let known_at_promotion = config.run.wanted() == Some(Wanted::PromotedWithoutDisk);
    let give_up =
        health::give_up(resource).filter(|_| config.fail_over_on_disk_loss && !known_at_promotion)?;
    // Without a successor nothing is served here any more; with one the cluster must be able to promote it, or giving up would
    // end a service that still runs.
    (give_up.successor.is_none() || score::is_promotable_elsewhere(config, env, deadline))
        .then_some(give_up.reason)
}
