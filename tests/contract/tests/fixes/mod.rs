//! Every line that `check` prints as a fix is typed as an operator would, on a node of a cluster whose nodes, resources and paths are
//! called otherwise than the guide's; then the finding must be gone, and no other one have come. `pcs` and Pacemaker's tools work on a
//! configuration in a file, DRBD's on theirs.

mod cases;
mod elsewhere;
mod ground;
mod operator;
mod packages;

use cases::CASES;
use contract::on_debian;
use contract::programs::{Programs, repository};
use elsewhere::ELSEWHERE;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn a_finding_is_gone_when_its_fix_was_typed() {
    let programs = Programs::get();
    let complaints: Vec<String> = CASES
        .iter()
        .filter(|case| ground::has_new_words() || case.finds != ["role-word-old"])
        .flat_map(|case| {
            let said = on_debian(|| {
                ground::make(programs);
                (case.set_up)();
                operator::fix_all(case)
            });
            said.into_iter()
                .map(|complaint| format!("{}: {complaint}", case.name))
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The manual lists every finding, which a unit test holds it to.
#[test]
fn every_finding_is_in_a_case_or_tried_elsewhere() {
    let manual = fs::read_to_string(repository().join("docs/kaiwudb-ha.md")).expect("there is a manual");
    let (_, rules) = manual
        .split_once("<!-- rules -->")
        .expect("it has a list of rules");
    let known: BTreeSet<&str> = rules
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(_, rest)| {
            ["error", "warning", "advice"]
                .iter()
                .any(|word| rest.starts_with(word))
        })
        .map(|(id, _)| id)
        .collect();
    let here: BTreeSet<&str> = CASES.iter().flat_map(|case| case.finds).copied().collect();
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().map(|(id, _)| *id).collect();
    let both: Vec<&&str> = here.intersection(&elsewhere).collect();
    assert!(both.is_empty(), "in both lists: {both:?}");
    let listed: BTreeSet<&str> = here.union(&elsewhere).copied().collect();
    let wrong: Vec<&&str> = listed.symmetric_difference(&known).collect();
    assert!(
        wrong.is_empty(),
        "in the manual and in neither list, or in a list and not in the manual: {wrong:?}"
    );
}
