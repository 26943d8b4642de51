//! The command line: words, streams and exit statuses.

use contract::on_a_machine;
use contract::process;
use std::time::Duration;

#[test]
fn every_action_twice() {
    on_a_machine(|machine| {
        machine.agent("validate-all").run().succeeds();
        machine.agent("validate-all").level(10).run().succeeds();
        machine.probe().run().is_silent(7);
        for _ in 0..2 {
            machine.agent("stop").run().succeeds();
        }
        let server = machine.start();
        assert_eq!(machine.start(), server, "a second start is no restart");
        for call in [machine.probe(), machine.monitor(), machine.monitor().level(10)] {
            call.run().succeeds();
            call.run().succeeds();
        }
        for action in ["reload", "reload-agent"] {
            machine.agent(action).run().succeeds();
            machine.agent(action).run().succeeds();
        }
        assert_eq!(process::server(), server, "nothing of this touched the server");
        for _ in 0..2 {
            machine.agent("stop").run().succeeds();
            assert_eq!(process::servers(), []);
        }
        machine.probe().run().is_silent(7);
        machine.monitor().run().fails(7, &["not running"]);
        let _ = Duration::ZERO;
    });
}
