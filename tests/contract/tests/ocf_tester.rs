//! The `ocf-tester` of the resource-agents project.

use contract::machine::{AGENT, BINARY, DATA_ROOT};
use contract::{on_a_machine, process};

/// What the tester must have said of an agent.
#[track_caller]
pub(crate) fn has_no_complaint(said: &str, agent: &str) {
    assert!(said.contains(&format!("{agent} passed all tests")), "{said}");
    // A complaint is "* rc=…" even where it does not fail the run.
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("rc=") || line.contains("WARN"))
        .collect();
    assert_eq!(complaints, Vec::<&str>::new(), "{said}");
}

#[test]
fn the_real_ocf_tester_has_no_complaint() {
    on_a_machine(|machine| {
        // A stock host: in no cluster, as where the tester is usually run.
        machine.leave_cluster();
        let said = machine.shell(&format!(
            "ocf-tester -n KaiwuDB -o data_root={DATA_ROOT} -o binary={BINARY} {AGENT} 2>&1"
        ));
        has_no_complaint(&said, "kaiwudb");
        assert_eq!(process::servers(), []);
    });
}
