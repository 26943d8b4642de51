//! A server that speaks TLS.

use contract::machine::CERTS;
use contract::{Call, Machine, on_a_machine, process};

fn tls(call: Call) -> Call {
    call.set("secure_mode", "tls")
}

#[track_caller]
fn serves(machine: &Machine) {
    tls(machine.agent("start")).run().succeeds();
    tls(machine.probe()).run().is_silent(0);
    for call in [machine.monitor(), machine.monitor().level(10)] {
        let outcome = tls(call).run();
        assert!(matches!(outcome.code(), 0 | 190), "{outcome:?}");
    }
}

#[test]
fn certificates_of_a_stock_installation() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1 localhost");
        tls(machine.agent("validate-all")).level(10).run().succeeds();
        tls(machine.agent("start")).run().succeeds();
        let server = process::server();
        for call in [
            machine.probe(),
            machine.monitor(),
            machine.monitor().level(10),
            machine.agent("start"),
        ] {
            tls(call).run().succeeds();
        }
        assert!(
            server.arguments().contains(&format!("--certs-dir={CERTS}")),
            "{:?}",
            server.arguments()
        );

        tls(machine.agent("reload")).run().succeeds();
        machine.shell(&format!("chmod 644 {CERTS}/node.key"));
        tls(machine.agent("reload"))
            .run()
            .fails(1, &["node.key", "chmod 600", "old certificates"]);
        tls(machine.monitor()).level(10).run();
        machine.shell(&format!("chmod 600 {CERTS}/node.key"));
        tls(machine.agent("reload")).run().succeeds();
        assert_eq!(process::server(), server);
        tls(machine.agent("stop")).run().succeeds();
    });
}

/// The certificate of the other node, or one made before the virtual IP was: clients may mind, the cluster must not.
#[test]
fn a_certificate_without_this_nodes_name() {
    on_a_machine(|machine| {
        machine.make_certificates("db.example");
        serves(machine);
        tls(machine.agent("stop")).run().succeeds();
    });
}

#[test]
fn an_expired_certificate() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        serves(machine);
        machine.expire_certificates();
        tls(machine.agent("reload")).run();
        tls(machine.probe()).run().is_silent(0);
        for call in [machine.monitor(), machine.monitor().level(10)] {
            let outcome = tls(call).run();
            // Degraded: no reason for a failover.
            outcome.fails(190, &["expired"]);
        }
        tls(machine.agent("stop")).run().succeeds();
    });
}

/// Readiness is then judged by /health.
#[test]
fn no_client_certificate() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        machine.shell(&format!("rm {CERTS}/client.root.*"));
        serves(machine);
        tls(machine.agent("stop")).run().succeeds();
    });
}
