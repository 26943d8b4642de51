//! `make drbd-test`: what happens to a database on real DRBD. One pair of virtual machines, put back to a snapshot before each
//! scenario. Arguments choose scenarios by a part of their name; `--list` names them.
#![allow(clippy::print_stdout)] // a test tells its reader

mod alerts;
mod compare;
mod data;
mod faults;
mod hands;
mod nfs;
mod operator;
mod switch;

use anyhow::Result;
use drbd_scenarios::{From, World};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Name, where it begins, what happens. In order of importance.
type Scenario = (&'static str, From, fn(&World) -> Result<()>);

const SCENARIOS: &[Scenario] = &[
    ("switch_back_and_forth", From::Running, switch::back_and_forth),
    (
        "power_off_and_return",
        From::Running,
        switch::power_off_and_return,
    ),
    (
        "cold_start_with_the_stale_node_first",
        From::Running,
        switch::cold_start,
    ),
    (
        "replication_link_cut_and_healed",
        From::Running,
        faults::replication_link,
    ),
    ("disk_lost_on_the_primary", From::Running, faults::disk_lost),
    ("cluster_link_cut", From::Running, faults::cluster_link),
    ("both_links_cut", From::Running, faults::both_links),
    ("promote_refused_on_outdated", From::Installed, data::outdated),
    (
        "initial_sync_and_inconsistent",
        From::Installed,
        data::initial_sync,
    ),
    ("split_brain", From::Installed, data::split_brain),
    (
        "migrate_from_the_guide",
        From::Installed,
        operator::migrate_from_the_guide,
    ),
    (
        "brains_are_chosen_by_name",
        From::Installed,
        operator::split_brain_by_choice,
    ),
    (
        "new_disks_become_a_cluster",
        From::Installed,
        operator::from_new_disks,
    ),
    ("a_lost_disk_is_told", From::Running, alerts::disk_lost),
    ("a_split_brain_is_told", From::Running, alerts::split_brain),
    (
        "demote_names_the_holder",
        From::Installed,
        hands::demote_with_a_shell,
    ),
    (
        "stop_with_a_broken_configuration",
        From::Installed,
        hands::broken_configuration,
    ),
    ("kernel_module_missing", From::Installed, hands::no_kernel_module),
    ("resource_unknown", From::Installed, hands::unknown_resource),
    ("peer_is_primary_already", From::Installed, hands::peer_is_primary),
    ("two_volumes", From::Installed, hands::two_volumes),
    (
        "nfs_switchover_and_power_off",
        From::Installed,
        nfs::switchover_and_power_off,
    ),
    ("score_follows_the_state", From::Running, compare::score),
    ("contract_side_by_side", From::Installed, compare::contract),
    ("monitor_cost", From::Installed, compare::monitor),
    (
        "node_names_are_not_host_names",
        From::InstalledUnderOtherNames,
        switch::other_names,
    ),
    (
        "planned_standby_against_the_guide",
        From::Installed,
        compare::standby,
    ),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        for (name, ..) in SCENARIOS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|word| name.contains(*word)))
        .collect();
    let begun = Instant::now();
    let failed = run(&chosen);
    println!(
        "\n{} min in all\n{} passed, {failed} failed",
        begun.elapsed().as_secs() / 60,
        chosen.len() - failed
    );
    if failed == 0 && !chosen.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How many failed. Machines with other names come when the first ones are gone.
fn run(chosen: &[&Scenario]) -> usize {
    let (mut failed, mut begun) = (0, 0);
    for other_names in [false, true] {
        let of_this_kind = |(_, from, _): &&&Scenario| from.has_other_names() == other_names;
        let scenarios: Vec<&&Scenario> = chosen.iter().filter(of_this_kind).collect();
        if !scenarios.is_empty() {
            let before = begun;
            begun += scenarios.len();
            let progress = |index: usize| format!("[{}/{}]", before + index + 1, chosen.len());
            failed += match World::up(other_names) {
                Ok(mut world) => run_in(&mut world, &scenarios, progress),
                Err(error) => {
                    println!("the machines do not start: {error:#}");
                    scenarios.len()
                }
            };
        }
    }
    failed
}

fn run_in(world: &mut World, scenarios: &[&&Scenario], progress: impl Fn(usize) -> String) -> usize {
    let mut failed = 0;
    for (index, (name, from, scenario)) in scenarios.iter().enumerate() {
        println!("{} {name}", progress(index));
        let begun = Instant::now();
        let result = world.begin(*from).and_then(|()| scenario(world));
        let seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(()) => println!("{name} ... ok, {seconds:.0} s"),
            Err(error) => {
                failed += 1;
                println!("{name} ... FAILED, {seconds:.0} s: {error:#}");
                keep_logs(world, name);
            }
        }
    }
    failed
}

/// For looking at afterwards, where `$KAIWUDB_HA_LOGS` says.
fn keep_logs(world: &World, name: &str) {
    if let Some(directory) = std::env::var_os("KAIWUDB_HA_LOGS") {
        let directory = Path::new(&directory).join(name);
        match world.lab.cluster().collect_logs(&directory) {
            Ok(()) => println!("    logs: {}", directory.display()),
            Err(error) => println!("    no logs: {error:#}"),
        }
    }
}
