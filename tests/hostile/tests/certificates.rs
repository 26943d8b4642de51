//! cert-sync runs as root in directories of the server's account: it gives away and replaces nothing but certificates, wherever the
//! account leads it.

use contract::machine::{CERTS, DATA_ROOT, shell};
use contract::{Call, Machine, on_a_machine};
use hostile::{
    CANARY, SECRET, SERVICE, SOON, as_account, canary_is_untouched, cert_sync, races, start_as, stock_layout,
};
use std::path::Path;

testing::tests![
    an_honest_rotation,
    certs_is_a_link,
    a_parent_is_a_link,
    a_link_that_is_exchanged_all_the_time,
    a_forged_journal_removes_nothing,
    a_forged_journal_writes_nothing,
    a_staging_directory_that_is_exchanged,
    roots_file_under_a_certificates_name,
    a_second_name_of_roots_file,
    twenty_thousand_certificates,
    a_deep_tree_in_place_of_the_journal,
    the_bundle_directory_is_a_link,
    an_authoritys_key_stays_roots,
    an_authoritys_key_by_another_name,
];

/// Certificates, a shared secret, a mounted store; cert-sync is started.
fn prepare(machine: &Machine) {
    stock_layout();
    shell(
        "mkdir -p /etc/corosync; head -c 128 /dev/urandom >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey",
    );
    machine.make_certificates("127.0.0.1 localhost");
    shell(&format!(
        "rm -f {CERTS}/ca.key; mkdir /root/tree; echo {SECRET} >/root/tree/passwd"
    ));
}

fn all_actions() {
    for action in ["start", "monitor", "stop"] {
        cert_sync(action).run().within(SOON);
    }
}

/// Root's tree as `prepare` has left it.
#[track_caller]
fn roots_tree_is_untouched() {
    canary_is_untouched();
    let found = shell("cd /root/tree; stat -c '%n %u %g' . *; cat passwd");
    assert_eq!(found, format!(". 0 0\npasswd 0 0\n{SECRET}\n"));
    assert_eq!(shell("stat -c %u /etc /etc/passwd /root"), "0\n0\n0\n");
}

#[track_caller]
fn it_still_works() {
    cert_sync("start").run().within(SOON).succeeds();
    cert_sync("monitor").run().within(SOON).succeeds();
    // A rotation as root, as an operator does it.
    shell(&format!(
        "chown 0:0 {CERTS}/node.key {CERTS}/node.crt; chmod 600 {CERTS}/node.key"
    ));
    cert_sync("monitor").run().within(SOON).succeeds();
    assert_eq!(
        shell(&format!("stat -c '%u %a' {CERTS}/node.key")),
        format!("{SERVICE} 600\n")
    );
    assert!(
        Path::new(DATA_ROOT)
            .join(".kaiwudb-ha/certificates.bundle")
            .exists()
    );
    cert_sync("stop").run().within(SOON).succeeds();
}

fn an_honest_rotation() {
    on_a_machine(|machine| {
        prepare(machine);
        it_still_works();
    });
}

fn certs_is_a_link() {
    on_a_machine(|machine| {
        prepare(machine);
        for target in ["/root/tree", "/etc", "../../root/tree"] {
            as_account(
                SERVICE,
                &format!("cd /etc/kaiwudb && mv certs kept && ln -s {target} certs"),
            );
            all_actions();
            roots_tree_is_untouched();
            as_account(SERVICE, "cd /etc/kaiwudb && rm certs && mv kept certs");
        }
        it_still_works();
    });
}

fn a_parent_is_a_link() {
    on_a_machine(|machine| {
        prepare(machine);
        shell("mkdir /root/tree/certs; echo x >/root/tree/certs/node.key");
        as_account(SERVICE, "mkdir /etc/kaiwudb/a; ln -s /root/tree /etc/kaiwudb/a/b");
        for action in ["start", "monitor", "stop"] {
            cert_sync(action)
                .set("certs_dir", "/etc/kaiwudb/a/b/certs")
                .run()
                .within(SOON);
        }
        assert_eq!(
            shell("stat -c %u /root/tree/certs /root/tree/certs/node.key"),
            "0\n0\n"
        );
        it_still_works();
    });
}

/// Between a look and a change there is always a moment.
fn a_link_that_is_exchanged_all_the_time() {
    on_a_machine(|machine| {
        prepare(machine);
        shell(
            "mkdir /root/tree/deep; for name in node.key node.crt ca.crt; do echo x >/root/tree/deep/$name; done",
        );
        let racer = "cd /etc/kaiwudb; exec perl -e 'symlink \"/root/tree/deep\", \"evil\"; my ($one, $two, $c) = (\"certs\", \"evil\", 0); while (1) { \
                     syscall(316, -100, $one, -100, $two, 2); \
                     if ($c++ % 7 == 0) { rename \"certs/node.key\", \"certs/k\"; symlink \"/root/canary\", \"certs/node.key\"; \
                     unlink \"certs/node.key\"; rename \"certs/k\", \"certs/node.key\" } }'";
        let mut racer = start_as(SERVICE, racer);
        for _ in 0..races(40) {
            all_actions();
            assert_eq!(
                shell("stat -c %u /root/tree /root/tree/deep /root/tree/deep/*"),
                "0\n0\n0\n0\n0\n"
            );
            canary_is_untouched();
        }
        assert!(racer.is_running());
        drop(racer);
        shell(&format!(
            "cd /etc/kaiwudb; [ -L certs ] && {{ rm certs; mv evil certs; }}; rm -rf {CERTS}/k evil; ls -la {CERTS}"
        ));
    });
}

fn journal(removals: &str) -> String {
    format!(
        "cd /etc/kaiwudb && mkdir .certs.pending && echo '{removals}' >.certs.pending/.removals.json && \
         echo evil >.certs.pending/passwd && cp certs/ca.crt .certs.pending/ && echo '{{}}' >.certs.pending/.cert-sync.json"
    )
}

fn a_forged_journal_removes_nothing() {
    on_a_machine(|machine| {
        prepare(machine);
        for removals in [
            "[\"../../../root/canary\",\"/root/tree/passwd\",\"..\",\"\"]",
            "[\"client.x.crt/../../../../root/canary\"]",
        ] {
            as_account(SERVICE, &journal(removals));
            all_actions();
            roots_tree_is_untouched();
        }
        it_still_works();
    });
}

fn a_forged_journal_writes_nothing() {
    on_a_machine(|machine| {
        prepare(machine);
        for target in ["/root/tree", "/etc"] {
            as_account(
                SERVICE,
                &format!("{}; mv certs kept; ln -s {target} certs", journal("[]")),
            );
            all_actions();
            roots_tree_is_untouched();
            assert_eq!(shell("grep -c evil /etc/passwd || true"), "0\n");
            as_account(SERVICE, "cd /etc/kaiwudb && rm certs && mv kept certs");
        }
        // And what is copied is never root's file in the place of the account's.
        as_account(
            SERVICE,
            &format!("{}; ln -s {CANARY} .certs.pending/node.crt", journal("[]")),
        );
        let racer = "cd /etc/kaiwudb; exec perl -e 'while (1) { mkdir \".certs.pending\"; symlink \"/root/canary\", \".certs.pending/ui.crt\"; \
                     open my $f, \">\", \".certs.pending/.removals.json\"; print $f \"[]\"; close $f; unlink \".certs.pending/ui.crt\"; \
                     open $f, \">\", \".certs.pending/ui.crt\"; close $f; unlink \".certs.pending/ui.crt\" }'";
        let racer = start_as(SERVICE, racer);
        for _ in 0..races(40) {
            cert_sync("monitor").run().within(SOON);
            cert_sync("start").run().within(SOON);
            assert_eq!(
                as_account(SERVICE, &format!("grep -rsl {SECRET} /etc/kaiwudb")),
                ""
            );
        }
        drop(racer);
        roots_tree_is_untouched();
        as_account(
            SERVICE,
            "rm -rf /etc/kaiwudb/.certs.pending /etc/kaiwudb/certs/ui.crt",
        );
        it_still_works();
    });
}

/// The cluster's set is installed while the account exchanges every directory that is made for it.
fn a_staging_directory_that_is_exchanged() {
    on_a_machine(|machine| {
        prepare(machine);
        let start = || cert_sync("start").run();
        start().succeeds();
        cert_sync("stop").run().succeeds();
        shell("mkdir /root/profile.d");
        let racer = "cd /etc/kaiwudb; exec perl -e 'symlink \"/root/profile.d\", \"evil\"; my $evil = \"evil\"; while (1) { for my $name (\".certs.new\", \".certs.previous\", \
                     \".certs.pending\") { my $new = $name; syscall(316, -100, $new, -100, $evil, 2); unlink $new if -l $new; \
                     symlink \"/root/profile.d\", \"evil\" } }'";
        let racer = start_as(SERVICE, racer);
        for round in 0..races(40) {
            // This node has lost its certificates: the bundle has them.
            as_account(
                SERVICE,
                &format!(
                    "mkdir -p {CERTS}; cd {CERTS} && rm -f *.crt *.key .cert-sync.json; echo evil >evil{round}.sh"
                ),
            );
            start();
            cert_sync("stop").run().within(SOON);
            assert_eq!(
                shell("ls /root/profile.d; stat -c '%u %g %a' /root/profile.d"),
                "0 0 755\n"
            );
        }
        drop(racer);
        roots_tree_is_untouched();
        as_account(
            SERVICE,
            "cd /etc/kaiwudb; rm -rf .certs.* evil certs; mkdir certs",
        );
        it_still_works();
    });
}

/// The account can give root's files below its own directories a certificate's name.
fn roots_file_under_a_certificates_name() {
    on_a_machine(|machine| {
        prepare(machine);
        shell(&format!(
            "echo 'password={SECRET}' >/etc/kaiwudb/ha.toml; chmod 600 /etc/kaiwudb/ha.toml"
        ));
        as_account(
            SERVICE,
            "cd /etc/kaiwudb && mv certs/node.key kept && mv ha.toml certs/node.key",
        );
        all_actions();
        assert_eq!(
            as_account(SERVICE, &format!("grep -rs {SECRET} /etc/kaiwudb")),
            ""
        );
        as_account(
            SERVICE,
            "cd /etc/kaiwudb && mv certs/node.key ha.toml && mv kept certs/node.key",
        );
        it_still_works();
    });
}

fn a_second_name_of_roots_file() {
    on_a_machine(|machine| {
        prepare(machine);
        // As an account could where the kernel does not protect hard links.
        shell(&format!(
            "echo '-----BEGIN {SECRET}' >/etc/secret; chmod 600 /etc/secret; ln /etc/secret {CERTS}/client.x.key"
        ));
        all_actions();
        assert_eq!(shell("stat -c '%u %a' /etc/secret"), "0 600\n");
        shell(&format!("rm {CERTS}/client.x.key"));
        it_still_works();
    });
}

fn twenty_thousand_certificates() {
    on_a_machine(|machine| {
        prepare(machine);
        as_account(
            SERVICE,
            &format!(
                "cd {CERTS} && perl -e 'for (1..20000) {{ open F, \">client.u$_.crt\"; truncate F, 1 << 30 }}'"
            ),
        );
        for action in ["start", "monitor", "stop"] {
            let outcome = cert_sync(action).run();
            assert!(outcome.took < SOON, "{outcome:?}");
            assert!(action != "stop" || outcome.code() == 0, "{outcome:?}");
        }
        // Fewer than are refused at once, and as large as a file may be.
        as_account(
            SERVICE,
            &format!("cd {CERTS} && ls | grep client.u | tail -n +500 | xargs rm -f"),
        );
        for action in ["start", "monitor", "stop"] {
            cert_sync(action).run().within(SOON);
        }
        as_account(SERVICE, &format!("cd {CERTS} && rm -f client.u*"));
        it_still_works();
    });
}

fn a_deep_tree_in_place_of_the_journal() {
    on_a_machine(|machine| {
        prepare(machine);
        as_account(
            SERVICE,
            "cd /etc/kaiwudb && perl -e 'for (\".certs.pending\", \".certs.new\") { mkdir; chdir; mkdir(\"d\"), chdir(\"d\") for 1..2000; chdir \"/etc/kaiwudb\" }'",
        );
        all_actions();
        roots_tree_is_untouched();
        as_account(SERVICE, "cd /etc/kaiwudb && rm -rf .certs.pending .certs.new");
        it_still_works();
    });
}

fn the_bundle_directory_is_a_link() {
    on_a_machine(|machine| {
        prepare(machine);
        as_account(SERVICE, &format!("ln -s /root/tree {DATA_ROOT}/.kaiwudb-ha"));
        all_actions();
        roots_tree_is_untouched();
        as_account(SERVICE, &format!("rm {DATA_ROOT}/.kaiwudb-ha"));
        it_still_works();
    });
}

/// The account gives the authority's key another name, and every name that the server's own files have.
fn an_authoritys_key_by_another_name() {
    on_a_machine(|machine| {
        prepare(machine);
        shell(&format!("rm -r {CERTS}"));
        machine.make_certificates("127.0.0.1 localhost");
        shell(&format!("chown root: {CERTS}/ca.key; chmod 600 {CERTS}/ca.key"));
        let with_key = |action: &str| -> Call { cert_sync(action).set("include_ca_key", "true") };
        assert_eq!(with_key("start").run().code(), 0);
        shell(&format!(
            "cp {CERTS}/ca.key /root/ca.key; cp -a {CERTS} /root/certs"
        ));
        for name in [
            "client.evil.key",
            "client.root.key",
            "node.key",
            "client.evil.crt",
            "tlcp_x.key",
            "sm4.key",
        ] {
            assert_eq!(
                as_account(
                    SERVICE,
                    &format!("cd {CERTS}; rm -f {name}; mv ca.key {name}; cp ca.crt /tmp/kept; echo >ca.crt")
                ),
                ""
            );
            for action in ["monitor", "stop", "start", "monitor"] {
                with_key(action).run();
                cert_sync(action).run();
            }
            let given = shell(&format!(
                "find /etc/kaiwudb {DATA_ROOT} -user {SERVICE} -type f -exec cmp -s {{}} /root/ca.key ';' -print"
            ));
            assert_eq!(given, "", "{name}");
            shell(&format!("rm -rf {CERTS}; cp -a /root/certs {CERTS}"));
        }
        with_key("stop").run();
    });
}

/// On the node that receives the set the key that makes certificates is not the server's.
fn an_authoritys_key_stays_roots() {
    on_a_machine(|machine| {
        prepare(machine);
        shell(&format!("rm -r {CERTS}"));
        machine.make_certificates("127.0.0.1 localhost");
        let with_key = |action: &str| -> Call { cert_sync(action).set("include_ca_key", "true") };
        assert_eq!(with_key("start").run().code(), 0);
        with_key("stop").run().succeeds();
        as_account(SERVICE, &format!("rm {CERTS}/*"));
        assert_eq!(with_key("start").run().code(), 0);
        assert_eq!(shell(&format!("stat -c '%u %a' {CERTS}/ca.key")), "0 600\n");
        assert_eq!(
            shell(&format!("stat -c '%u %a' {CERTS}/node.key")),
            format!("{SERVICE} 600\n")
        );
        with_key("stop").run().succeeds();
    });
}
