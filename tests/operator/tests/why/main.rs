//! What `kaiwudb-ha why` names first for faults that are injected one after the other on real nodes, asked on the survivor; what it says where a
//! node is dead or its journal is gone; and what its list remembers.

mod disks;
mod faults;
mod ground;
mod hands;
mod nodes;
mod records;

use operator::Test;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("faults::a_killed_server", faults::killed),
    ("faults::a_hung_server", faults::hung),
    (
        "faults::a_server_that_is_stopped_outside_the_cluster",
        faults::stopped,
    ),
    ("faults::a_server_that_crashes", faults::crashed),
    ("faults::a_server_that_the_kernel_ends", faults::out_of_memory),
    ("faults::an_address_that_is_removed", faults::address),
    ("faults::a_parameter_that_is_wrong", faults::parameter),
    ("faults::a_program_that_is_missing", faults::program),
    ("disks::a_disk_that_is_full", disks::full),
    ("disks::a_disk_that_is_read_only", disks::read_only),
    ("hands::a_planned_standby", hands::standby),
    ("hands::a_resource_that_is_disabled", hands::disabled),
    ("hands::a_resource_that_is_moved", hands::moved),
    ("hands::a_resource_that_is_restarted", hands::restarted),
    (
        "hands::a_server_that_is_killed_in_maintenance",
        hands::maintenance,
    ),
    ("hands::drills", hands::drills),
    ("hands::a_node_that_is_fenced_by_hand", hands::fenced),
    ("nodes::pacemaker_is_stopped", nodes::pacemaker),
    ("nodes::pacemakerd_is_killed", nodes::pacemakerd),
    ("nodes::the_executor_is_killed", nodes::executor),
    ("nodes::corosync_is_killed", nodes::corosync),
    ("nodes::a_cut_link", nodes::link),
    ("nodes::a_node_that_is_rebooted", nodes::rebooted),
    ("nodes::a_node_without_power", nodes::power),
    ("nodes::both_nodes_without_power", nodes::both),
    ("records::a_journal_that_is_gone", records::journal),
    ("records::the_list_remembers", records::list),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("why");
    operator::run(TESTS, operator::running, &logs)
}
