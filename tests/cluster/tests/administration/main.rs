//! What administrators do with the database in a cluster, insecure mode, and what the cluster says of it: one lab for all of them. Nothing
//! here has a bound on time, so other suites may run beside it.

mod administration;
mod degraded;
mod identity;
mod neighbour;
mod tools;

use cluster::{Ground, Test};
use std::path::Path;
use std::process::ExitCode;

/// The quiet ones first: what leaves traces in the cluster's history comes late.
const TESTS: &[Test] = &[
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
    ("a_neighbour_is_never_touched", neighbour::nothing_touches_it),
];

fn main() -> ExitCode {
    cluster::run(
        TESTS,
        Ground::usual,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("administration"),
    )
}
