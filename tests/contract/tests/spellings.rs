//! One store under several names, and strangers who look like the server's own.

use contract::machine::{DATA_ROOT, eventually};
use contract::programs::Programs;
use contract::{Lan, on_a_machine, process};
use serde_json::Value;
use std::time::Duration;

/// A data directory that is a link to the mount point, as on hosts where the disks have a place of their own.
#[test]
fn the_data_root_is_a_link() {
    on_a_machine(|machine| {
        machine.shell(&format!("ln -s {DATA_ROOT} /var/lib/link; ln -s /var /run/var"));
        for (started_as, managed_as) in [
            ("/var/lib/link", "/var/lib/link"),
            ("/var/lib/link", DATA_ROOT),
            (DATA_ROOT, "/run/var/lib/kaiwudb/"),
        ] {
            let call = |action: &str, path: &str| machine.agent(action).set("data_root", path);
            call("start", started_as).run().succeeds();
            let server = process::server();
            machine.shell("rm -r /run/kaiwudb-ha");
            call("monitor", managed_as).run().is_silent(0);
            call("start", managed_as).run().succeeds();
            machine.monitor().set("data_root", managed_as).run().is_silent(0);
            assert_eq!(process::server(), server, "adopted, not doubled");
            call("stop", managed_as).run().succeeds();
            assert_eq!(process::servers(), []);
        }
        machine.shell(&format!("umount {DATA_ROOT}"));
        let start = machine.agent("start").set("data_root", "/var/lib/link").run();
        start.fails(1, &["/var/lib/link", "not mounted"]);
    });
}

/// What is known of a node is asked where its server listens, and nowhere else.
#[test]
fn a_server_that_listens_on_one_address() {
    on_a_machine(|machine| {
        let _lan = Lan::new();
        for host in ["10.0.0.1", "2001:db8::1", "[2001:db8::1]"] {
            let call = |action: &str| machine.agent(action).set("listen_host", host);
            call("start").run().succeeds();
            let command = Programs::get().command.display();
            let health = |order: &str| {
                let facts = machine.shell(&format!("echo '{order}' | {command} order"));
                let facts: Value = serde_json::from_str(&facts).expect("facts are JSON");
                facts["database"]["health"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            assert_eq!(
                health(&format!(r#"{{"facts":{{"listen_host":"{host}"}}}}"#)),
                "ready"
            );
            let elsewhere = health(r#"{"facts":null}"#);
            assert_ne!(elsewhere, "ready", "{host}: nothing listens on 127.0.0.1");
            call("stop").run().succeeds();
        }
    });
}

/// Somebody else's process is nobody of ours, whatever it is called and wherever it has a directory of that name.
#[test]
fn a_stranger_with_our_name_in_the_store() {
    on_a_machine(|machine| {
        machine.shell("cp /bin/sleep /usr/local/sbin/kaiwudb-dump");
        machine.start();
        machine.shell(&format!(
            "(cd {DATA_ROOT} && exec kaiwudb-dump 601) </dev/null >/dev/null 2>&1 &
             unshare --mount sh -c 'mount -t tmpfs own {DATA_ROOT}; cd {DATA_ROOT}; exec kaiwudb-dump 602' </dev/null >/dev/null 2>&1 &"
        ));
        let strangers = || process::all(|words| words.first().is_some_and(|word| word == "kaiwudb-dump"));
        eventually("both are there", || strangers().len() == 2);
        machine.log();
        machine
            .agent("stop")
            .run()
            .within(Duration::from_secs(15))
            .succeeds();
        assert_eq!(strangers().len(), 2, "they are the file system agent's business");
        let told: Vec<String> = machine
            .log()
            .into_iter()
            .filter(|line| line.contains("still in use"))
            .collect();
        assert!(
            told.len() == 1 && told[0].matches("kaiwudb-dump").count() == 1,
            "{told:?}"
        );
        machine.agent("stop").run().succeeds();
    });
}
