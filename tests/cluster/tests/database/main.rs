//! The database in a cluster, insecure mode: one lab for all of them.

mod administration;
mod degraded;
mod identity;
mod neighbour;
mod nodes;
mod tools;

use cluster::{Ground, Test, everywhere};
use lab::{Installation, Options};
use std::path::Path;
use std::process::ExitCode;

/// The quiet ones first: what leaves traces in the cluster's history comes late.
const FIRST: &[Test] = &[
    (
        "pcs_and_pacemaker_have_no_warning",
        tools::pcs_and_pacemaker_have_no_warning,
    ),
    ("crmsh_has_no_warning", tools::crmsh_has_no_warning),
    ("ocf_tester_has_no_complaint", tools::ocf_tester_has_no_complaint),
    (
        "the_store_is_pinned_after_the_first_start",
        identity::pinned_after_the_first_start,
    ),
    (
        "reload_agent_leaves_the_server_alone",
        administration::reload_agent_leaves_the_server_alone,
    ),
    (
        "another_parameter_restarts_the_server_once",
        administration::another_parameter_restarts_once,
    ),
    ("a_restart_is_no_failure", administration::a_restart_is_no_failure),
    (
        "nothing_happens_in_maintenance",
        administration::nothing_happens_in_maintenance,
    ),
    (
        "nothing_happens_while_unmanaged",
        administration::nothing_happens_while_unmanaged,
    ),
    (
        "a_restart_in_maintenance_is_no_failure",
        administration::a_restart_in_maintenance_is_no_failure,
    ),
    (
        "the_cluster_is_stopped_in_maintenance",
        administration::the_cluster_is_stopped_in_maintenance,
    ),
    (
        "a_server_that_runs_already_is_adopted",
        administration::a_running_server_is_adopted,
    ),
    (
        "an_enabled_unit_is_shown_and_no_failure",
        degraded::an_enabled_unit,
    ),
    ("a_full_disk_is_shown_and_no_failure", degraded::a_full_disk),
    ("an_empty_store_is_refused", identity::an_empty_store_is_refused),
    (
        "a_foreign_store_is_refused_until_accepted",
        identity::a_foreign_store,
    ),
    ("an_unmounted_data_root_is_refused", identity::unmounted),
];

/// Other services on the same nodes.
const NEIGHBOUR: &[Test] = &[("a_neighbour_is_never_touched", neighbour::nothing_touches_it)];

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
    let prepare = |logs: &Path| {
        Ground::prepare(
            &Options::from_environment()?,
            &Installation::from_environment()?,
            logs,
        )
    };
    cluster::run(
        FIRST.iter().chain(NEIGHBOUR).chain(everywhere::TESTS).chain(LAST),
        prepare,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("database"),
    )
}
