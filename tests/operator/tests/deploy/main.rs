//! From two nodes with everything installed and nothing configured to a cluster, as the documentation shows it; and what `plan`
//! prints for other tools. The tests build on each other and run in this order.

mod apply;
mod formats;

use operator::Test;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    (
        "apply::without_a_cluster_it_says_how_to_form_one",
        apply::without_a_cluster,
    ),
    ("apply::what_is_missing_is_asked_for", apply::what_is_missing),
    ("apply::without_fencing_it_refuses", apply::without_fencing),
    ("formats::pcs_and_crmsh_make_the_same", formats::pcs_and_crmsh),
    ("apply::what_does_not_run_is_undone", apply::what_does_not_run),
    (
        "apply::what_others_change_while_it_waits_is_kept",
        apply::changed_while_it_waits,
    ),
    ("apply::six_commands_make_a_cluster", apply::six_commands),
    (
        "apply::a_second_time_there_is_nothing_to_do",
        apply::a_second_time,
    ),
    ("apply::what_is_not_ours_stays", apply::what_is_not_ours),
    (
        "apply::what_others_change_before_the_answer_is_kept",
        apply::changed_before_the_answer,
    ),
    (
        "apply::what_somebody_has_stopped_is_no_failure",
        apply::what_somebody_has_stopped,
    ),
    ("formats::ansible_changes_nothing_twice", formats::ansible),
    ("formats::the_wizard_makes_the_same", formats::wizard),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy");
    operator::run(TESTS, operator::bare_ground, &logs)
}
