//! Fixes of what only a running cluster or systemd shows: each is typed on the nodes of a cluster whose nodes, resources and paths are called
//! otherwise than the guide's, and the finding is gone.

mod cases;
mod ground;

use operator::Test;
use std::path::Path;
use std::process::ExitCode;

/// The later ones restart the database.
const TESTS: &[Test] = &[
    ("nothing_is_found", ground::nothing_is_found),
    ("the_vendors_unit_is_enabled", cases::unit_enabled),
    ("the_cluster_is_not_enabled", cases::cluster_disabled),
    ("the_settings_differ", cases::settings_differ),
    ("no_clock_service_runs", cases::clock_unsynchronised),
    ("sbd_is_not_enabled", cases::sbd_disabled),
    ("multipathd_does_not_run", cases::multipath_disabled),
    ("two_node_is_missing", cases::two_node_missing),
    ("an_address_that_two_nodes_have", cases::address_twice),
    ("the_link_of_an_address_is_down", cases::address_link_dead),
    ("started_by_hand_on_the_standby", cases::started_by_hand),
    ("the_store_is_not_pinned", cases::store_unpinned),
    ("the_virtual_ip_is_advertised", cases::advertises_virtual_ip),
    ("a_server_that_the_cluster_did_not_start", cases::server_outside),
    ("two_servers", cases::two_servers),
    ("the_unit_is_stopped_after_the_cluster", cases::unit_unordered),
    ("the_limits_of_the_unit_are_lost", cases::unit_limits_lost),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixes");
    operator::run(TESTS, ground::make, &logs)
}
