//! What the server, once somebody has broken into it, has to work with.

use contract::machine::shell;
use contract::on_a_machine;
use contract::process::{self, Process};
use hostile::{honest_servers, stock_layout, the_service_goes_on};

testing::tests![
    the_server_gains_nothing_by_exec,
    an_operator_can_let_it,
    keys_are_in_no_core_file
];

fn status(process: Process, name: &str) -> String {
    shell(&format!(
        "sed -n 's/^{name}:[[:space:]]*//p' /proc/{}/status",
        process.0
    ))
    .trim()
    .to_owned()
}

fn the_server_gains_nothing_by_exec() {
    on_a_machine(|machine| {
        stock_layout();
        machine.agent("start").run().succeeds();
        let [server] = honest_servers()[..] else {
            panic!("no server")
        };
        assert_eq!(status(server, "NoNewPrivs"), "1");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(status(server, set), "0000000000000000", "{set}");
        }
        // Root's own helper has to be able to do its work.
        let [sentinel] = process::sentinels()[..] else {
            panic!("no sentinel")
        };
        assert_eq!(status(sentinel, "NoNewPrivs"), "0");
        machine.agent("stop").run().succeeds();
        the_service_goes_on(machine);
    });
}

fn an_operator_can_let_it() {
    on_a_machine(|machine| {
        stock_layout();
        machine
            .agent("start")
            .set("no_new_privileges", "false")
            .run()
            .succeeds();
        let [server] = honest_servers()[..] else {
            panic!("no server")
        };
        assert_eq!(status(server, "NoNewPrivs"), "0");
        assert_ne!(status(server, "CapBnd"), "0000000000000000");
        assert_eq!(status(server, "CapEff"), "0000000000000000");
        machine.agent("stop").run().succeeds();
    });
}

/// A process of which the kernel writes no core file has a /proc that is root's, whoever asks.
fn keys_are_in_no_core_file() {
    on_a_machine(|machine| {
        stock_layout();
        machine.agent("start").run().succeeds();
        let [sentinel] = process::sentinels()[..] else {
            panic!("no sentinel")
        };
        shell(&format!(
            "mkdir /tmp/cores; chmod 777 /tmp/cores; cd /tmp/cores; kill -SEGV {0}; i=0
             while [ -e /proc/{0} ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; ! ls / /tmp/cores | grep -x 'core.*'",
            sentinel.0
        ));
        machine.agent("stop").run().succeeds();
    });
}
