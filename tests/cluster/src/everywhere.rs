//! What holds however the server is run: bare, by systemd, in a container; with and without TLS.

mod clients;
mod failures;
mod sentinel;

use crate::Test;

pub use clients::{another_address_leaves_them_hanging, nobody_is_left_hanging};
pub use failures::{a_killed_server, planned_standby_and_back, power_off};

/// These tests. What leaves traces in the cluster's history comes last.
pub const TESTS: &[Test] = &[
    ("planned_standby_and_back", planned_standby_and_back),
    ("a_killed_server_is_recovered_where_it_was", a_killed_server),
    ("a_hung_server_is_noticed", failures::a_hung_server),
    (
        "a_server_that_fails_again_and_again_moves",
        failures::again_and_again,
    ),
    (
        "a_server_that_fails_on_every_node_serves_in_between",
        failures::on_every_node,
    ),
    ("a_server_that_cannot_start_is_left_alone", failures::cannot_start),
    ("a_killed_sentinel_is_replaced", sentinel::killed),
    ("a_node_without_power_is_fenced", power_off),
];
