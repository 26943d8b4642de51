//! `kaiwudb-ha` on a real cluster, as an operator meets it: first set up by the KWDB guide, then by us. The tests build on each
//! other and run in this order.

mod guide;
mod migrate;
mod ours;

use operator::Test;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    (
        "guide::the_command_works_before_there_is_a_cluster",
        guide::before,
    ),
    ("guide::every_defect_is_found", guide::every_defect_is_found),
    (
        "guide::what_the_guides_own_commands_make_is_found",
        guide::as_its_commands_make_it,
    ),
    ("guide::fix_mends_what_is_safe", guide::fix_mends_what_is_safe),
    ("migrate::check_names_it", migrate::check_names_it),
    (
        "migrate::it_refuses_what_it_could_not_take_back",
        migrate::it_refuses,
    ),
    (
        "migrate::a_change_by_somebody_else_is_not_overwritten",
        migrate::a_change_by_somebody_else,
    ),
    (
        "migrate::a_failed_step_is_taken_back",
        migrate::a_failed_step_is_taken_back,
    ),
    ("migrate::there_and_back_under_load", migrate::under_load),
    (
        "migrate::afterwards_the_cluster_works",
        migrate::afterwards_the_cluster_works,
    ),
    ("ours::nothing_is_found", ours::nothing_is_found),
    ("ours::looking_changes_nothing", ours::looking_changes_nothing),
    ("ours::status_tells_all", ours::status_tells_all),
    (
        "ours::messages_are_chinese_in_a_chinese_locale",
        ours::messages_are_chinese,
    ),
    (
        "ours::a_wrong_settings_file_is_refused",
        ours::a_wrong_settings_file_is_refused,
    ),
    (
        "ours::a_drill_that_cannot_begin_says_why",
        ours::a_drill_that_cannot_begin,
    ),
    (
        "ours::a_drill_tells_what_it_cost",
        ours::a_drill_tells_what_it_cost,
    ),
    ("ours::no_is_no", ours::no_is_no),
    (
        "ours::a_drill_that_is_killed_is_undone",
        ours::a_killed_drill_is_undone,
    ),
    ("ours::a_link_is_cut_and_healed", ours::a_link_is_cut_and_healed),
    (
        "ours::a_hung_server_does_not_hang_the_command",
        ours::a_hung_server,
    ),
    (
        "ours::a_failure_is_shown_with_its_reason",
        ours::a_failure_is_shown,
    ),
    ("ours::a_silent_node_is_said_to_be_silent", ours::a_silent_node),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("operator");
    operator::run(TESTS, operator::ground, &logs)
}
