//! An action is over within its timeout by itself, and says why: Pacemaker's SIGKILL is never what ends it.

use contract::machine::eventually;
use contract::{Call, on_a_machine, process};
use std::time::Duration;

/// A timeout that is too short for what the server takes here, and long enough for a busy machine to run the agent.
const SHORT: Duration = Duration::from_secs(5);

#[track_caller]
fn fails_in_time(call: &Call, words: &[&str]) {
    let outcome = call.clone().timeout(SHORT).run();
    outcome.fails(1, words);
    outcome.within(SHORT);
}

#[test]
fn a_server_that_is_stopped_by_a_signal() {
    on_a_machine(|machine| {
        let server = machine.start();
        machine.signal(server, "STOP");
        let words = ["does not", "not served", "ot ready", "nswer"];
        for call in [
            machine.probe(),
            machine.monitor(),
            machine.monitor().level(10),
            machine.agent("start"),
        ] {
            let outcome = call.timeout(SHORT).run();
            outcome.fails(1, &[&server.0.to_string()]);
            outcome.within(SHORT);
            assert!(
                words.iter().any(|word| outcome.reason().contains(word)),
                "{outcome:?}"
            );
        }
        machine.agent("reload").timeout(SHORT).run().within(SHORT);
        machine
            .agent("reload-agent")
            .timeout(SHORT)
            .run()
            .within(SHORT)
            .succeeds();
        let outcome = machine.agent("stop").timeout(SHORT).run();
        outcome.succeeds();
        outcome.within(SHORT);
        assert_eq!(process::servers(), []);
    });
}

#[test]
#[cfg_attr(
    real_server,
    ignore = "needs a fault of the stand-in: it hangs some time after it was ready"
)]
fn a_server_that_hangs() {
    on_a_machine(|machine| {
        // Late enough for the start's question to be answered on a busy machine.
        machine.server_variables(&[("KWBASE_STANDIN_HANG_AFTER_READY", "3")]);
        machine.start();
        eventually("the server hangs", || {
            machine.probe().set("hang_timeout", "1s").run().code() == 1
        });
        for call in [machine.probe(), machine.monitor(), machine.monitor().level(10)] {
            fails_in_time(&call, &["has not served"]);
        }
        // The patience is the parameter's, not the timeout's.
        let outcome = machine
            .monitor()
            .set("hang_timeout", "1s")
            .timeout(Duration::from_secs(30))
            .run();
        outcome.fails(1, &["has not served for 1 s"]);
        outcome.within(Duration::from_secs(15));
        machine.agent("stop").run().succeeds();
    });
}

#[test]
#[cfg_attr(
    real_server,
    ignore = "needs a fault of the stand-in: a start that takes 10 s"
)]
fn a_server_that_takes_too_long_to_start() {
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_START_DELAY", "10")]);
        fails_in_time(&machine.agent("start"), &["does not serve within"]);
        // Recovery may take long and must not begin anew each time: the next start goes on with it.
        let server = process::server();
        machine
            .agent("start")
            .timeout(Duration::from_secs(30))
            .run()
            .succeeds();
        assert_eq!(process::server(), server);
        machine.agent("stop").run().succeeds();
    });
}

#[test]
fn actions_that_have_nothing_to_wait_for() {
    on_a_machine(|machine| {
        for action in ["validate-all", "stop", "reload-agent"] {
            machine
                .agent(action)
                .timeout(SHORT)
                .run()
                .within(SHORT)
                .succeeds();
        }
        let stopped = machine.probe().timeout(SHORT).run();
        stopped.within(SHORT).is_silent(7);
        // Not even a timeout of nothing is a reason to hang or to lie.
        machine.start();
        for timeout in [1, 10, 100] {
            let outcome = machine.monitor().timeout(Duration::from_millis(timeout)).run();
            assert!(matches!(outcome.code(), 0 | 1), "{outcome:?}");
        }
        machine.agent("stop").run().succeeds();
    });
}

/// Two actions that change something wait for each other, and no longer than they may.
#[test]
#[cfg_attr(
    real_server,
    ignore = "needs a fault of the stand-in: a start that takes 15 s"
)]
fn an_action_while_another_one_runs() {
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_START_DELAY", "15")]);
        let first = machine.agent("start").spawn();
        eventually("the server runs", || !process::servers().is_empty());
        fails_in_time(
            &machine.agent("start"),
            &["another start or stop", "still running"],
        );
        first.outcome().succeeds();
        machine.agent("stop").run().succeeds();
    });
}
