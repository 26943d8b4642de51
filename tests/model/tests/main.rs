//! What the models show. `MODEL_FAULTS` is the number of faults and mistakes in any order, for the long run.
#![allow(clippy::print_stdout)] // figures that one asks for with --nocapture

use drbd::policy::Scores;
use model::certificates::Certificates;
use model::explore::{Bound, Found, explore};
use model::stack::Stack;
use model::stack::rules::{Fencing, Lift, Rules};

/// How many, unless `MODEL_FAULTS` says so; it takes seconds.
const FAULTS: u8 = 5;

fn told(name: &str, found: &Found) {
    println!(
        "{name}: {} states, {} steps, depth {}, {:.1} s{}",
        found.states,
        found.steps,
        found.depth,
        found.time.as_secs_f64(),
        if found.complete { "" } else { ", not all" }
    );
    if let Some(example) = &found.counter_example {
        println!("{example}");
    }
}

#[test]
fn the_sound_set_up_keeps_every_promise() {
    let env = ocf::Env::snapshot();
    let faults = env.variable("MODEL_FAULTS").map_or(FAULTS, |number| {
        number.parse().expect("MODEL_FAULTS is a number up to 15")
    });
    let found = explore(&Stack::new(Rules::SOUND, faults), Bound::NONE);
    told(&format!("sound, {faults} faults or mistakes"), &found);
    assert!(found.complete && found.counter_example.is_none(), "{found:?}");
    assert!(found.states > 30_000, "everything is gone through");
}

/// A defect, what it breaks, and in how many steps.
type Defect = (&'static str, Rules, &'static str, usize);

const TWO_WRITERS: &str = "two writers";
const LACKS: &str = "serves without an acknowledged row";
const DESTROYED: &str = "is overwritten";
const SHOT: &str = "switched off that serves";
const STUCK: &str = "no way out";

const SOUND: Rules = Rules::SOUND;

/// The guide's, those of people who mean well, and of our own functions. Where only people are to blame, it shows what their step costs.
const DEFECTS: &[Defect] = &[
    (
        "nothing fences: stonith-enabled=false, and no fencing in DRBD",
        Rules {
            stonith: false,
            fencing: Fencing::DontCare,
            ..SOUND
        },
        TWO_WRITERS,
        5,
    ),
    (
        "stonith-enabled=false",
        Rules {
            stonith: false,
            ..SOUND
        },
        TWO_WRITERS,
        7,
    ),
    (
        "fencing dont-care in DRBD",
        Rules {
            fencing: Fencing::DontCare,
            ..SOUND
        },
        LACKS,
        6,
    ),
    (
        "fencing resource-only in DRBD",
        Rules {
            fencing: Fencing::ResourceOnly,
            ..SOUND
        },
        LACKS,
        6,
    ),
    (
        "after-sb-0pri and after-sb-1pri discard one side",
        Rules {
            discards: true,
            ..SOUND
        },
        DESTROYED,
        9,
    ),
    (
        "no-quorum-policy=ignore: a node acts that has not seen the other",
        Rules {
            wait_for_all: false,
            ..SOUND
        },
        SHOT,
        5,
    ),
    (
        "no priority-fencing-delay",
        Rules {
            delay: false,
            ..SOUND
        },
        SHOT,
        2,
    ),
    (
        "a fence-peer handler that is content with everything",
        Rules {
            handler: false,
            ..SOUND
        },
        LACKS,
        8,
    ),
    (
        "no handler that takes the fencing constraint back",
        Rules {
            lift: Lift::Never,
            ..SOUND
        },
        STUCK,
        2,
    ),
    (
        "the script continues with a peer of which nothing is known",
        Rules {
            script_gives_up: true,
            ..SOUND
        },
        LACKS,
        9,
    ),
    (
        "pcs stonith confirm without looking",
        Rules {
            confirms_blindly: true,
            ..SOUND
        },
        SHOT,
        3,
    ),
    (
        "the fencing constraint is removed by hand",
        Rules {
            removes_constraint: true,
            ..SOUND
        },
        LACKS,
        8,
    ),
];

#[test]
fn every_defect_has_a_short_counter_example() {
    let mut wrong = Vec::new();
    for (name, rules, promise, length) in DEFECTS {
        let found = explore(&Stack::new(*rules, 3), Bound::NONE);
        told(name, &found);
        let example = found.counter_example.as_ref();
        if !example.is_some_and(|example| example.promise.contains(promise) && example.steps.len() == *length)
        {
            wrong.push((*name, found.counter_example));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each of these takes one thing away of several that hold the same: nothing breaks by it alone.
#[test]
fn some_defects_are_held_by_something_else() {
    let consistent = Scores {
        only_consistent: 5,
        ..SOUND.scores
    };
    for (name, rules) in [
        (
            "the agent does not refuse stale data",
            Rules {
                refuses: false,
                ..SOUND
            },
        ),
        (
            "a promotion score for data that may be old",
            Rules {
                scores: consistent,
                ..SOUND
            },
        ),
        (
            "the constraint is taken back before the resync is complete",
            Rules {
                lift: Lift::WhenConnected,
                ..SOUND
            },
        ),
    ] {
        let found = explore(&Stack::new(rules, 3), Bound::NONE);
        told(name, &found);
        assert!(
            found.complete && found.counter_example.is_none(),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn certificates_are_never_broken_and_always_agree_again() {
    let found = explore(&Certificates::new(2), Bound::NONE);
    told("certificates, 2 mistakes or damages", &found);
    assert!(found.complete && found.counter_example.is_none(), "{found:?}");
}
