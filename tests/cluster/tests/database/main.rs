//! What happens to the database in a cluster, insecure mode, and how long its clients wait: one lab for all of them.

mod nodes;

use cluster::{Ground, Test, everywhere};
use std::path::Path;
use std::process::ExitCode;

/// Nodes and Pacemaker's own processes fail.
const LAST: &[Test] = &[
    ("pacemaker_may_die", nodes::pacemaker_may_die),
    ("a_cut_link_leaves_one", nodes::cut_link),
    ("a_node_without_corosync_is_fenced", nodes::corosync_killed),
    ("both_nodes_reboot_at_once", nodes::both_reboot),
    (
        "a_client_that_waits_hangs_with_another_address",
        everywhere::another_address_leaves_them_hanging,
    ),
    ("nobody_is_left_hanging", everywhere::nobody_is_left_hanging),
];

fn main() -> ExitCode {
    cluster::run(
        everywhere::TESTS.iter().chain(LAST),
        Ground::usual,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("database"),
    )
}
