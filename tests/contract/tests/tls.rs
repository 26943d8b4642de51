//! A server that speaks TLS.

use contract::machine::{BINARY, CERTS};
use contract::{Call, Machine, on_a_machine, process};
use std::time::{Duration, Instant};

fn tls(call: Call) -> Call {
    call.set("secure_mode", "tls").set("advertise_host", "127.0.0.1")
}

/// The server serves whatever its certificates are like, and all levels say the same: all is well, or degraded with these words. The
/// sentinel, whose patience is shorter than this takes, has nothing to report.
#[track_caller]
fn serves(machine: &Machine, concern: &[&str]) {
    let tls = |call| tls(call).set("hang_timeout", "5s");
    tls(machine.agent("start")).run().succeeds();
    let server = process::server();
    let began = Instant::now();
    loop {
        tls(machine.probe()).run().is_silent(0);
        for call in [machine.monitor(), machine.monitor().level(10)] {
            let outcome = tls(call).run();
            if concern.is_empty() {
                outcome.succeeds();
            } else {
                outcome.fails(190, concern);
            }
        }
        if began.elapsed() > Duration::from_secs(7) {
            break;
        }
    }
    let reports = machine.cluster_calls();
    assert!(
        !reports.iter().any(|call| call.contains("crm_resource --fail")),
        "{reports:?}"
    );
    assert_eq!(process::server(), server);
    // One that runs is adopted, as after a restart of the cluster.
    tls(machine.agent("start")).run().succeeds();
    assert_eq!(process::server(), server);
    tls(machine.agent("stop")).run().succeeds();
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
        serves(
            machine,
            &["x509: cannot validate certificate for 127.0.0.1", "SQL is served"],
        );
    });
}

/// A failover comes after the expiry as before: both nodes have the same certificates.
#[test]
fn a_certificate_that_expired_before_the_start() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        machine.expire_certificates();
        serves(machine, &["x509: certificate has expired", "SQL is served"]);
    });
}

/// What the server has open it keeps.
#[test]
fn a_certificate_that_expires_while_the_server_runs() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        tls(machine.agent("start")).run().succeeds();
        tls(machine.monitor()).run().succeeds();
        machine.expire_certificates();
        tls(machine.agent("reload")).run();
        tls(machine.probe()).run().is_silent(0);
        for call in [machine.monitor(), machine.monitor().level(10)] {
            let outcome = tls(call).run();
            // Degraded: no reason for a failover.
            outcome.fails(190, &["node.crt", "expired"]);
        }
        tls(machine.agent("stop")).run().succeeds();
    });
}

/// Nobody has told the server under which address to call itself.
#[test]
fn no_advertised_address() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1 localhost");
        let call = |call: Call| call.set("secure_mode", "tls");
        call(machine.agent("start")).run().succeeds();
        call(machine.probe()).run().is_silent(0);
        for level in [0, 10] {
            call(machine.monitor().level(level))
                .run()
                .fails(190, &["x509", "not 0.0.0.0"]);
        }
        call(machine.agent("stop")).run().succeeds();
    });
}

/// The probe cannot come in, and others can.
#[test]
fn certificates_of_another_authority() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        machine.shell(&format!(
            "mkdir /run/other; {BINARY} cert create-ca --certs-dir=/run/other --ca-key=/run/other/ca.key >/dev/null
             cat /run/other/ca.crt >{CERTS}/ca.crt"
        ));
        let began = Instant::now();
        serves(
            machine,
            &["x509: certificate signed by unknown authority", "SQL is served"],
        );
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it does not wait for what never comes"
        );
    });
}

/// SQL is then asked whether it would take a password.
#[test]
fn no_client_certificate() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        machine.shell(&format!("rm {CERTS}/client.root.*"));
        serves(machine, &[]);
        machine.expire_certificates();
        serves(machine, &["x509: certificate has expired", "SQL is served"]);
    });
}

/// What would get the same answer for ever is not asked again until the time is over.
#[test]
fn what_cannot_heal_ends_at_once() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        machine.start();
        let outcome = tls(machine.agent("start")).run();
        outcome.fails(1, &["does not speak TLS", "insecure"]);
        outcome.within(Duration::from_secs(30));
        // Found by its store, and asked where it does not listen.
        let outcome = machine.agent("start").set("sql_port", "9").run();
        outcome.fails(1, &["takes SQL on port 26257", "sql_port=26257"]);
        outcome.within(Duration::from_secs(30));
        machine.agent("stop").run().succeeds();
    });
}

/// A secure server takes clients without TLS, and asks them for a password: it serves, whatever a parameter says.
#[test]
fn a_secure_server_that_is_called_insecure() {
    on_a_machine(|machine| {
        machine.make_certificates("127.0.0.1");
        tls(machine.agent("start")).run().succeeds();
        let insecure = || machine.monitor().level(10).set("secure_mode", "insecure");
        insecure().run().fails(190, &["set secure_mode=tls"]);
        tls(machine.agent("stop")).run().succeeds();
    });
}
