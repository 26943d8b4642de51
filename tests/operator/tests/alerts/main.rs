//! Who is told of what, when, and how often: each fault is made on real nodes, and what two real sinks get is counted. What needs DRBD is
//! tested where there is one, in `tests/drbd`.

mod ground;
mod incidents;
mod trouble;

use operator::Test;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("apply::the_plan_has_the_alert_and_apply_places_it", ground::apply),
    ("apply::a_test_message_arrives_everywhere", ground::a_test_message),
    ("incidents::a_killed_server", incidents::kill),
    ("incidents::a_hung_server", incidents::hang),
    ("incidents::a_lost_standby", incidents::standby_lost),
    ("incidents::a_node_without_power", incidents::power_off),
    ("incidents::a_cut_link", incidents::link_cut),
    ("incidents::a_disk_that_fills_up", incidents::disk_full),
    ("incidents::a_certificate_that_expires", incidents::certificate),
    (
        "incidents::a_program_that_is_missing_on_the_standby",
        incidents::missing_program,
    ),
    ("incidents::planned_work_is_not_told", incidents::planned_work),
    ("trouble::a_dead_sink_delays_nothing", trouble::dead_sink),
    (
        "trouble::the_agent_is_quick_and_cannot_be_filled_up",
        trouble::agent,
    ),
    ("trouble::nothing_can_be_written", trouble::read_only),
    ("apply::it_is_taken_away_cleanly", ground::remove),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alerts");
    operator::run(TESTS, operator::ground, &logs)
}
