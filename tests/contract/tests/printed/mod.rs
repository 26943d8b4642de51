//! Every command that is printed (manuals, README, messages of the operator's command, reasons of the agents) is run against the real
//! tools, as far as that goes without a cluster. The commands are taken from where they are printed; one that nobody has classified fails.

mod classes;
mod fill;
mod line;
mod manuals;
mod sources;
mod stage;
mod tools;
mod words;

use contract::on_debian;
use contract::programs::Programs;
use line::Line;
use std::collections::{BTreeMap, BTreeSet};

/// Fewer would mean that the extraction has gone blind.
const AT_LEAST: usize = 150;

#[test]
fn every_printed_command_is_accepted_by_its_tool() {
    let lines: Vec<Line> = manuals::lines().into_iter().chain(sources::lines()).collect();
    let programs = Programs::get();
    let (complaints, counts) = on_debian(|| {
        let stage = stage::Stage::new(programs);
        let mut complaints: Vec<String> = Vec::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for line in &lines {
            // Two languages, and one advice in several places.
            if !known.insert(line.text.as_str()) {
                continue;
            }
            match classes::check(&stage, line) {
                Ok(class) => *counts.entry(class).or_default() += 1,
                Err(why) => complaints.push(format!(
                    "{}: {}\n    {}",
                    line.place,
                    line.text,
                    why.replace('\n', "\n    ")
                )),
            }
        }
        (complaints, counts)
    });
    let total: usize = counts.values().sum();
    for (class, count) in &counts {
        println!("{count:4}  {class}");
    }
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        lines.len(),
        complaints.join("\n")
    );
    assert!(total >= AT_LEAST, "only {total} commands were found");
}
