//! What `kaiwudb-ha why` names first for faults that are injected one after the other on real nodes, asked on the survivor; what it says where a
//! node is dead or its journal is gone; and what its list remembers.

mod faults;
mod records;

use anyhow::Result;
use lab::{Lab, cib};
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
    ("faults::a_planned_standby", faults::planned),
    ("faults::an_address_that_is_removed", faults::address),
    ("faults::a_parameter_that_is_wrong", faults::parameter),
    ("faults::pacemaker_is_stopped", faults::pacemaker),
    ("faults::corosync_is_killed", faults::corosync),
    ("faults::a_cut_link", faults::link),
    ("faults::a_node_without_power", faults::power),
    ("records::a_journal_that_is_gone", records::journal),
    ("records::the_list_remembers", records::list),
];

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("why");
    operator::run(TESTS, ground, &logs)
}

fn ground() -> Result<Lab> {
    let lab = operator::ground()?;
    let names = lab.nodes().each_ref().map(|node| node.cluster_name().to_owned());
    lab::activate(&lab, &cib::ocf().cluster_names(&names))?;
    Ok(lab)
}
