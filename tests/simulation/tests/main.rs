//! Sequences of up to four events on every planned configuration. `SIMULATION_SEQUENCES` of them for each; `SUITE` is the Debian release
//! whose Pacemaker decides.
#![allow(clippy::print_stdout)] // figures that one asks for with --nocapture

use simulation::events::{Event, settle};
use simulation::promises;
use simulation::scheduler::Scheduler;
use simulation::world::{DATABASE, World};
use std::path::Path;
use std::time::Instant;

/// The plans, as `kaiwudb-ha` renders them; a test there sees to it that they are up to date.
const PLANS: [(&str, &str); 7] = [
    (
        "drbd-without-fencing",
        include_str!("../cibs/drbd-without-fencing.xml"),
    ),
    (
        "drbd-fencing-of-each",
        include_str!("../cibs/drbd-fencing-of-each.xml"),
    ),
    (
        "drbd-one-fencing-device",
        include_str!("../cibs/drbd-one-fencing-device.xml"),
    ),
    (
        "drbd-certificates-ipv6",
        include_str!("../cibs/drbd-certificates-ipv6.xml"),
    ),
    (
        "drbd-beside-another",
        include_str!("../cibs/drbd-beside-another.xml"),
    ),
    ("disk", include_str!("../cibs/disk.xml")),
    (
        "disk-certificates-ipv6",
        include_str!("../cibs/disk-certificates-ipv6.xml"),
    ),
];

/// For each plan, unless `SIMULATION_SEQUENCES` says so.
const SEQUENCES: u64 = 4;
const EVENTS: u64 = 4;

/// The same numbers every time, spread well (Steele, Lea and Flood's `SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).expect("it is below a usize")
    }
}

fn scheduler(scratch: &Path) -> Scheduler {
    let env = ocf::Env::snapshot();
    let suite = env.variable("SUITE").map_or(lab::Suite::default(), |suite| {
        suite.parse().expect("SUITE is a release")
    });
    Scheduler::of(&lab::ensure_image(suite).expect("the image is there"), scratch)
}

/// What breaks on this plan in sequences of these numbers, and how many events there were.
fn broken(name: &str, plan: &str, seeds: u64) -> (Vec<String>, u64) {
    let scratch = tempfile::tempdir().expect("there is a temporary directory");
    let scheduler = scheduler(scratch.path());
    let (mut events, mut wrong) = (0, Vec::new());
    let world = World::new(plan).expect("the plan is XML");
    let calm = settle(&world, &scheduler, Vec::new()).expect("the scheduler answers");
    assert!(!calm.instances(DATABASE).is_empty(), "{name}: the database runs");
    for seed in 0..seeds {
        let mut numbers = Numbers(seed);
        let (mut world, mut told) = (calm.clone(), Vec::new());
        for _ in 0..EVENTS {
            let all = Event::all(&world);
            let event = &all[numbers.next(all.len())];
            told.push(event.to_string());
            let after = event.happen(&world, &scheduler).expect("the scheduler answers");
            events += 1;
            if let Some(promise) = promises::broken(&world, event, &after) {
                wrong.push(format!("{name}: {}: {promise}", told.join(", then ")));
                break;
            }
            world = after;
        }
    }
    (wrong, events)
}

#[test]
fn whatever_fails_in_whatever_order() {
    let begin = Instant::now();
    let env = ocf::Env::snapshot();
    let sequences = env.variable("SIMULATION_SEQUENCES").map_or(SEQUENCES, |number| {
        number.parse().expect("SIMULATION_SEQUENCES is a number")
    });
    let found: Vec<(Vec<String>, u64)> = std::thread::scope(|all| {
        let each = PLANS.map(|(name, plan)| all.spawn(move || broken(name, plan, sequences)));
        each.map(|one| one.join().expect("no plan fails otherwise"))
            .into()
    });
    println!(
        "{} sequences on {} plans, {} events, {:.0} s",
        sequences * PLANS.len() as u64,
        PLANS.len(),
        found.iter().map(|(_, events)| events).sum::<u64>(),
        begin.elapsed().as_secs_f64()
    );
    let wrong: Vec<&String> = found.iter().flat_map(|(wrong, _)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// That what must hold can be seen not to.
#[test]
fn a_plan_with_a_defect_is_found_out() {
    let sound = PLANS[1].1;
    let prefers = "<rsc_location id=\"p\" rsc=\"KaiwuDBGrp\" node=\"a\" score=\"INFINITY\"/></constraints>";
    for (defect, plan, promise) in [
        (
            "two may be promoted",
            sound.replace(
                "name=\"promoted-max\" value=\"1\"",
                "name=\"promoted-max\" value=\"2\"",
            ),
            "two instances are promoted",
        ),
        (
            "the database is put where DRBD is not promoted",
            sound.replace("with-rsc-role=\"Promoted\"", "with-rsc-role=\"Unpromoted\""),
            "away from its disk",
        ),
        (
            "it goes back to a node as soon as that returns",
            sound.replace("</constraints>", prefers),
            "has nothing to do",
        ),
    ] {
        assert_ne!(plan, sound, "{defect}");
        let found = (1..=4).find_map(|round| {
            let (wrong, _) = broken(defect, &plan, round * 4);
            wrong.into_iter().find(|wrong| wrong.contains(promise))
        });
        println!("{}", found.as_deref().unwrap_or(defect));
        assert!(found.is_some(), "{defect} is not found");
    }
}
