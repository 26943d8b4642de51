//! A cluster that has another service already, a web server with a file system and an address of its own: nothing that we do touches it.
//! The tests build on each other and run in this order.

mod beside;
mod fencing;
mod web;

use operator::Test;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("beside::the_database_is_added", beside::the_database_is_added),
    (
        "beside::only_the_databases_resources_are_looked_at",
        beside::only_ours_is_looked_at,
    ),
    (
        "beside::what_is_bound_below_the_mount_point_stays_theirs",
        beside::bound_below,
    ),
    ("beside::a_drill_is_the_databases_alone", beside::a_drill),
    (
        "beside::services_that_are_tied_together_stay_two",
        beside::tied_together,
    ),
    ("beside::other_words_for_the_same_are_known", beside::other_words),
    (
        "beside::a_second_database_must_be_named",
        beside::a_second_database,
    ),
    (
        "fencing::a_watchdog_is_never_switched_off",
        fencing::a_watchdog_is_never_switched_off,
    ),
    (
        "fencing::the_new_names_are_known",
        fencing::the_new_names_are_known,
    ),
    (
        "beside::migrate_exchanges_the_databases_agents_only",
        beside::migrate,
    ),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("neighbour");
    operator::run(TESTS, operator::ground, &logs)
}
