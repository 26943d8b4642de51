//! From two nodes with everything installed and nothing configured to a cluster, as the documentation shows it; and what `plan`
//! prints for other tools. The tests build on each other and run in this order.

mod apply;
mod formats;

use anyhow::{Result, anyhow};
use lab::Lab;
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

type Test = (&'static str, fn(&Lab) -> Result<()>);

const TESTS: &[Test] = &[
    (
        "apply::without_a_cluster_it_says_how_to_form_one",
        apply::without_a_cluster,
    ),
    ("apply::what_is_missing_is_asked_for", apply::what_is_missing),
    ("apply::without_fencing_it_refuses", apply::without_fencing),
    ("formats::pcs_and_crmsh_make_the_same", formats::pcs_and_crmsh),
    ("apply::what_does_not_run_is_undone", apply::what_does_not_run),
    ("apply::six_commands_make_a_cluster", apply::six_commands),
    (
        "apply::a_second_time_there_is_nothing_to_do",
        apply::a_second_time,
    ),
    ("apply::what_is_not_ours_stays", apply::what_is_not_ours),
    ("formats::ansible_changes_nothing_twice", formats::ansible),
    ("formats::the_wizard_makes_the_same", formats::wizard),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if !arguments.list && !nix::unistd::geteuid().is_root() {
        eprintln!("the operator's tests start two nodes as containers: run them as root");
        return ExitCode::FAILURE;
    }
    let ground = if arguments.list {
        Err("not started".to_owned())
    } else {
        operator::bare_ground().map_err(|error| format!("{error:#}"))
    };
    let ground = Arc::new(Mutex::new(ground));
    let trials = TESTS.iter().map(|&(name, test)| {
        let ground = Arc::clone(&ground);
        Trial::test(name, move || {
            let ground = ground.lock().unwrap_or_else(PoisonError::into_inner);
            let begun = Instant::now();
            let result = ground
                .as_ref()
                .map_err(|reason| anyhow!(reason.clone()))
                .and_then(test);
            eprintln!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
            if let (Err(_), Ok(lab)) = (&result, ground.as_ref()) {
                let logs = Path::new(env!("CARGO_TARGET_TMPDIR"))
                    .join("deploy")
                    .join(name.replace("::", "-"));
                let _ = lab.cluster().collect_logs(&logs);
            }
            result.map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
