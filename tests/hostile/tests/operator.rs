//! The operator's command as root: what it reads was written by the server's account and by the other node's root, who has no right here.

use contract::machine::{DATA_ROOT, shell};
use contract::programs::Programs;
use contract::{on_a_machine, on_debian};
use hostile::{NEIGHBOUR, SECRET, SERVICE, as_account, canary_is_untouched, start_as, stock_layout};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

testing::tests![
    names_of_keys_are_commands,
    a_key_is_a_link_by_the_time_it_is_mended,
    settings_that_the_servers_account_could_change,
    a_password_script_that_the_servers_account_could_change,
    a_settings_file_is_a_pipe,
    the_name_service_is_given_no_options,
    the_other_node_says_what_drbd_would_run,
    mode_says_what_drbd_would_run,
    nothing_commands_the_terminal,
    a_configuration_without_bottom,
    a_new_plan_leaves_nothing_to_mode,
    crmsh_reads_the_values_that_were_meant,
];

const SETTINGS: &str = "/etc/kaiwudb-ha/ha.toml";
const CERTS: &str = "/etc/kaiwudb/certs";

/// Two nodes, of which the other one is reached by ssh, and everything that a plan needs.
const TWO_NODES: &str = "[nodes.node1]\naddress = \"192.0.2.11\"\ndisk = \"/dev/sdb\"\n\
    [nodes.node2]\naddress = \"192.0.2.12\"\ndisk = \"/dev/sdb\"\n\
    [virtual_ip]\naddress = \"192.0.2.10\"\n[drbd]\nresource = \"kwdb\"\n[storage]\ntype = \"ext4\"\n";

/// A cluster without a resource.
const EMPTY: &str = "<cib validate-with=\"pacemaker-3.0\" crm_feature_set=\"3.0.14\" epoch=\"1\" num_updates=\"0\" admin_epoch=\"0\"><configuration><crm_config/>\
    <nodes><node id=\"1\" uname=\"node1\"/><node id=\"2\" uname=\"node2\"/></nodes><resources/><constraints/></configuration><status/></cib>";

/// The same nodes with a disk that both reach, in place of DRBD.
fn on_a_shared_disk() -> String {
    TWO_NODES
        .replace("[drbd]\nresource = \"kwdb\"\n", "")
        .replace("[storage]\n", "[storage]\ndevice = \"/dev/sdb\"\n")
}

/// What a call of the command said, and how it ended.
struct Said {
    status: Option<i32>,
    /// On standard output.
    document: String,
    /// All of it.
    text: String,
    took: Duration,
}

/// Calls the command in this directory.
fn call_in(directory: &str, arguments: &[&str]) -> Said {
    let began = Instant::now();
    let output = Command::new("unshare")
        .args(["--uts", "sh", "-c", "hostname node1; exec \"$@\"", "sh"])
        .args(["timeout", "120"])
        .arg(&Programs::get().command)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let document = String::from_utf8_lossy(&output.stdout).into_owned();
    Said {
        status: output.status.code(),
        text: document.clone() + &String::from_utf8_lossy(&output.stderr),
        document,
        took: began.elapsed(),
    }
}

fn call(arguments: &[&str]) -> Said {
    call_in("/root", arguments)
}

/// A program of the machine's.
fn program(name: &str, script: &str) {
    let path = format!("/usr/sbin/{name}");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    shell(&format!("chmod 755 {path}"));
}

/// Settings of root's in their place.
fn settings(text: &str) {
    shell("install -d -m 700 /etc/kaiwudb-ha");
    fs::write(SETTINGS, text).unwrap();
    shell(&format!("chmod 600 {SETTINGS}"));
}

/// ssh and sshd as one program: the words are joined, and a shell of root's takes them apart.
fn a_node_behind_ssh() {
    let command = Programs::get().command.display();
    program("kaiwudb-ha", &format!("exec '{command}' \"$@\""));
    program(
        "ssh",
        "while [ \"$1\" != -- ]; do shift; done; shift; exec unshare --uts sh -c \"hostname node2; $*\"",
    );
}

/// Certificates of which the checks have something to say.
fn with_certificates() {
    shell("sed -i 's/^insecure$/tls/' /etc/kaiwudb/info/MODE");
    as_account(
        SERVICE,
        &format!(
            "cd {CERTS} && echo x >ca.crt && echo x >node.crt && echo x >node.key && chmod 600 node.key"
        ),
    );
}

/// F5: names that the server's account gives its files are no words of a shell.
fn names_of_keys_are_commands() {
    on_a_machine(|_machine| {
        stock_layout();
        a_node_behind_ssh();
        settings(TWO_NODES);
        with_certificates();
        as_account(
            SERVICE,
            &format!(
                "cd {CERTS} && for name in 'client.;id>owned-by-id;.key' 'client.$(touch owned-by-touch).key' 'client.a b.key' 'client.`id>owned-by-id`.key'; do \
                      echo k >\"$name\"; chmod 644 \"$name\"; done"
            ),
        );
        let said = call(&["check", "--fix", "--yes"]);
        assert!(said.text.contains("keys-open"), "{}", said.text);
        let made =
            shell("find / -xdev '(' -name owned-by-id -o -name owned-by-touch ')' 2>/dev/null || true");
        assert_eq!(made, "", "{}", said.text);
        // And the finding is fixed all the same.
        let modes = shell(&format!("stat -c %a {CERTS}/client.*.key | sort -u"));
        assert_eq!(modes, "600\n", "{}", said.text);
        canary_is_untouched();
    });
}

/// F5: between the question and the change a key may become a link to root's file.
fn a_key_is_a_link_by_the_time_it_is_mended() {
    on_a_machine(|_machine| {
        stock_layout();
        settings("");
        with_certificates();
        shell("chmod 644 /root/canary; chmod 755 /root");
        let mut racer = start_as(
            SERVICE,
            &format!(
                "cd {CERTS} && exec perl -e 'while (1) {{ \
                   open my $f, \">\", \"n\"; close $f; chmod 0644, \"n\"; rename \"n\", \"client.x.key\"; \
                   symlink \"/root/canary\", \"l\"; rename \"l\", \"client.x.key\" }}'"
            ),
        );
        let command = Programs::get().command.display();
        shell(&format!(
            "for i in $(seq 1000); do '{command}' close-keys >/dev/null 2>&1 || true; done"
        ));
        assert!(racer.is_running());
        drop(racer);
        assert_eq!(
            shell("stat -c '%u %a' /root/canary"),
            "0 644\n",
            "root's file was changed through the key's name"
        );
    });
}

/// F7: settings name programs that root runs.
fn settings_that_the_servers_account_could_change() {
    on_a_machine(|_machine| {
        stock_layout();
        let evil = format!("{TWO_NODES}[database]\\nuser = \\\"root\\\"\\n").replace('"', "\\\"");
        as_account(SERVICE, &format!("printf \"{evil}\" >/etc/kaiwudb/ha.toml"));
        for subcommand in ["plan", "check", "status"] {
            let said = call(&[subcommand]);
            assert_eq!(said.status, Some(2), "{}", said.text);
            assert!(
                said.text.contains("/etc/kaiwudb/ha.toml can be changed by uid"),
                "{}",
                said.text
            );
        }
        // Root's own file in a directory in which others rename.
        shell("chown root: /etc/kaiwudb/ha.toml; chmod 600 /etc/kaiwudb/ha.toml");
        assert_eq!(call(&["plan"]).status, Some(2));
        // Where the directory is root's, the former place is read, with a word about it.
        shell("chown root: /etc/kaiwudb");
        fs::write("/etc/kaiwudb/ha.toml", "").unwrap();
        let said = call(&["plan"]);
        assert!(
            said.status != Some(2)
                && said
                    .text
                    .contains("mv /etc/kaiwudb/ha.toml /etc/kaiwudb-ha/ha.toml"),
            "{}",
            said.text
        );
        // A link leads no further than root has made it.
        shell("chown kaiwudb: /etc/kaiwudb; rm /etc/kaiwudb/ha.toml");
        as_account(
            SERVICE,
            "echo '[database]' >/tmp/evil.toml; ln -s /tmp/evil.toml /etc/kaiwudb/ha.toml",
        );
        let said = call(&["--config", "/etc/kaiwudb/ha.toml", "plan"]);
        assert_eq!(said.status, Some(2), "{}", said.text);
        settings("");
        assert_ne!(call(&["plan"]).status, Some(2));
    });
}

/// F7: what a fence agent is told to run.
fn a_password_script_that_the_servers_account_could_change() {
    on_a_machine(|_machine| {
        stock_layout();
        as_account(
            SERVICE,
            "echo id >/etc/kaiwudb/fence-password; chmod 755 /etc/kaiwudb/fence-password",
        );
        let device = |script: &str| {
            format!(
                "{TWO_NODES}[fencing.device]\nagent = \"fence_ipmilan\"\npassword_script = \"{script}\"\n"
            )
        };
        settings(&device("/etc/kaiwudb/fence-password"));
        let said = call(&["plan"]);
        assert_eq!(said.status, Some(2), "{}", said.text);
        assert!(
            said.text
                .contains("password_script is /etc/kaiwudb/fence-password"),
            "{}",
            said.text
        );
        shell("chown root: /etc/kaiwudb/fence-password");
        assert_eq!(call(&["plan"]).status, Some(2));
        shell("mv /etc/kaiwudb/fence-password /etc/kaiwudb-ha/");
        settings(&device("/etc/kaiwudb-ha/fence-password"));
        assert_ne!(call(&["plan"]).status, Some(2));
    });
}

/// F10: nothing waits for a pipe's other end.
fn a_settings_file_is_a_pipe() {
    on_a_machine(|_machine| {
        stock_layout();
        for made in [
            "mkfifo /etc/kaiwudb/ha.toml",
            "rm /etc/kaiwudb/ha.toml; ln -s /dev/zero /etc/kaiwudb/ha.toml",
            "rm /etc/kaiwudb/ha.toml; ln -s /root/canary /etc/kaiwudb/ha.toml",
        ] {
            as_account(SERVICE, made);
            let said = call(&["plan"]);
            assert_eq!(said.status, Some(2), "{}", said.text);
            assert!(
                said.took < Duration::from_secs(30) && !said.text.contains(SECRET),
                "{}",
                said.text
            );
        }
    });
}

/// F6: `getent` loads a library from the working directory if an account is called `--service=x/evil`.
fn the_name_service_is_given_no_options() {
    on_a_machine(|_machine| {
        stock_layout();
        program(
            "getent",
            "echo \"$(pwd) $*\" >>/run/getent-calls; exec /usr/bin/getent \"$@\"",
        );
        for name in [
            "--service=x/evil",
            "--service=files",
            "-i",
            "nobody-here",
            "../x",
            "0",
        ] {
            shell(&format!("sed -i '7c\\{name}' /etc/kaiwudb/info/MODE"));
            call_in(DATA_ROOT, &["facts"]);
            call_in(DATA_ROOT, &["check"]);
        }
        let calls = fs::read_to_string("/run/getent-calls").unwrap();
        assert!(calls.contains("nobody-here"), "{calls}");
        for call in calls.lines() {
            let mut words = call.split(' ');
            assert_eq!(words.next(), Some("/"), "{call}");
            assert_eq!(words.nth(1), Some("--"), "{call}");
        }
    });
}

/// What DRBD would run as root.
const HANDLER: &str = "x { } handlers { before-resync-target /var/lib/kaiwudb/evil.sh; } on y";

#[track_caller]
fn no_handler_of_anybodys(said: &Said) {
    assert!(!said.text.contains("evil.sh;"), "{}", said.text);
}

/// F8: a hostile peer tells a host's name, an address and a mount point.
fn the_other_node_says_what_drbd_would_run() {
    on_a_machine(|_machine| {
        stock_layout();
        settings(TWO_NODES);
        let facts = |host: &str, address: &str, root: &str| {
            format!(
                "{{\"name\": \"node2\", \"host\": \"{host}\", \"database\": {{\"installed\": true, \"data_root\": \"{root}\", \"address\": \"{address}\", \
                 \"user\": \"root\", \"mount\": {{\"source\": \"{HANDLER}\", \"kind\": \"{HANDLER}\"}}}}, \"drbd\": {{\"resources\": {{\"{HANDLER}\": {{}}}}}}}}"
            )
        };
        for (host, address, root) in [
            (HANDLER, "192.0.2.12", DATA_ROOT),
            ("node2", HANDLER, DATA_ROOT),
            ("node2", "192.0.2.12", HANDLER),
            ("node2", "192.0.2.12", "/"),
            ("node2\\u2028- hosts: all", "192.0.2.12", "/etc\\n#"),
        ] {
            program(
                "ssh",
                &format!("cat <<'END'\n{}\nEND", facts(host, address, root)),
            );
            for format in [
                &["plan", "--format", "drbd"][..],
                &["plan", "--format", "ansible"],
                &["plan", "--init"],
                &["plan"],
            ] {
                let said = call(format);
                no_handler_of_anybodys(&said);
                assert!(!said.text.contains('\u{2028}'), "{}", said.text);
            }
        }
    });
}

/// F8: and so does the server's account, in MODE.
fn mode_says_what_drbd_would_run() {
    on_a_machine(|_machine| {
        stock_layout();
        a_node_behind_ssh();
        settings(
            &TWO_NODES
                .replace("address = \"192.0.2.11\"\n", "")
                .replace("address = \"192.0.2.12\"\n", ""),
        );
        shell(&format!("sed -i '10c\\{HANDLER}' /etc/kaiwudb/info/MODE"));
        no_handler_of_anybodys(&call(&["plan", "--format", "drbd"]));
        shell(&format!("sed -i '4c\\/x {HANDLER}' /etc/kaiwudb/info/MODE"));
        no_handler_of_anybodys(&call(&["plan", "--format", "drbd"]));
        no_handler_of_anybodys(&call(&["plan", "--init"]));
    });
}

/// F19: an archive's name, MODE and the peer's facts are shown, not obeyed.
fn nothing_commands_the_terminal() {
    on_a_machine(|_machine| {
        stock_layout();
        settings(TWO_NODES);
        with_certificates();
        as_account(
            SERVICE,
            &format!(
                "cd {CERTS} && touch \"$(printf 'kw\\033]0;owned\\007.tar')\" \"$(printf 'kw\\342\\200\\256.zip')\" 'kw;id.tar'"
            ),
        );
        program(
            "ssh",
            "cat >/dev/null; printf '{\"name\": \"node2\", \"host\": \"a\\\\u001b[2Jb\", \"unanswered\": [\"\\\\u001b]0;owned\\\\u0007 \\\\u009b2J\"]}'",
        );
        for arguments in [
            &["check"][..],
            &["--json", "check"],
            &["status"],
            &["--json", "status"],
            &["facts"],
        ] {
            let said = call(arguments);
            let bad = said
                .text
                .chars()
                .find(|&c| (c.is_control() && c != '\n') || c == '\u{202e}');
            assert_eq!(bad, None, "{}", said.text);
        }
        program("ssh", "printf '\\033]0;owned\\007 no\\n' >&2; exit 255");
        let said = call(&["check"]);
        assert!(
            !said.text.contains('\u{1b}') && said.text.contains("no"),
            "{}",
            said.text
        );
        // What is to be pasted can be.
        assert!(
            said.text.contains("mv '/etc/kaiwudb/certs/kw;id.tar' SAFE_PLACE"),
            "{}",
            said.text
        );
    });
}

/// F21: XML nested deeper than any configuration is refused and does not overflow the stack.
fn a_configuration_without_bottom() {
    on_a_machine(|_machine| {
        stock_layout();
        settings("");
        program(
            "cibadmin",
            "perl -e 'print \"<cib>\" . (\"<a>\" x 150000) . (\"</a>\" x 150000) . \"</cib>\"'",
        );
        let _neighbour = start_as(NEIGHBOUR, "sleep 600");
        for subcommand in ["status", "check", "plan"] {
            let said = call(&[subcommand]);
            assert!(
                said.status.is_some_and(|status| status < 100),
                "{:?} {}",
                said.status,
                said.text
            );
        }
    });
}

/// F1, F22: what decides about rights is in the cluster's configuration from the beginning, and a program on the disk has none of its own.
fn a_new_plan_leaves_nothing_to_mode() {
    on_a_machine(|_machine| {
        stock_layout();
        a_node_behind_ssh();
        settings(&on_a_shared_disk());
        program("cibadmin", &format!("echo '{EMPTY}'"));
        let said = call(&["plan"]);
        for expected in [
            "options=nosuid,nodev",
            "data_root=/var/lib/kaiwudb runtime=bare user=kaiwudb binary=/usr/local/kaiwudb/bin/kwbase",
        ] {
            assert!(said.text.contains(expected), "{expected}: {}", said.text);
        }
        for account in ["root", "daemon", "--service=files"] {
            shell(&format!("sed -i '7c\\{account}' /etc/kaiwudb/info/MODE"));
            let said = call(&["plan"]);
            assert!(
                said.text.contains("KaiwuDB") && !said.text.contains(" user="),
                "{}",
                said.text
            );
        }
    });
}

/// F8: what a fence agent is told, a password above all, may be any text on one line; crmsh's own parser has to read it as it was meant.
fn crmsh_reads_the_values_that_were_meant() {
    let mut values: BTreeMap<String, String> =
        (0..).map(|number| format!("p{number}")).zip(values()).collect();
    let all = values.len();
    let changes = on_a_machine(|_machine| {
        stock_layout();
        a_node_behind_ssh();
        program("cibadmin", &format!("echo '{EMPTY}'"));
        loop {
            let parameters: Vec<String> = values
                .iter()
                .map(|(name, value)| {
                    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                    format!("{name} = \"{escaped}\"\n")
                })
                .collect();
            settings(&format!(
                "{}[fencing.device]\nagent = \"fence_ipmilan\"\n{}",
                on_a_shared_disk(),
                parameters.concat()
            ));
            let said = call(&["plan", "--format", "crmsh"]);
            if said.status == Some(0) {
                return said.document;
            }
            // What crmsh cannot be told is named; one after the other is left out.
            let name = said.text.split_once("the value of ").expect(&said.text).1;
            let name = name.split_once(',').expect(&said.text).0;
            assert!(values.remove(name).is_some(), "{}", said.text);
        }
    });
    assert!(
        values.len() > all / 3,
        "{} of {all} were refused",
        all - values.len()
    );
    let (said, cib) = on_debian(|| {
        fs::write("/root/cib.xml", EMPTY).unwrap();
        fs::write("/root/changes", &changes).unwrap();
        let said = shell("CIB_file=/root/cib.xml crm -F configure load update /root/changes 2>&1 || :");
        (said, fs::read_to_string("/root/cib.xml").unwrap())
    });
    let cib = pacemaker::cib::parse(&cib).unwrap();
    let device = cib
        .primitives()
        .find(|one| one.agent() == "stonith:fence_ipmilan")
        .unwrap_or_else(|| panic!("{changes}\n{said}"));
    let read: BTreeMap<&str, &str> = device.parameters().collect();
    for (name, value) in &values {
        assert_eq!(read.get(name.as_str()), Some(&value.as_str()), "{said}");
    }
}

/// As settings may have them.
fn values() -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let is_taken = |c: char| host::is_printable(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let value = prop_oneof![
        any::<String>().prop_map(move |value| value.replace(|c| !is_taken(c), "")),
        "[ -~]{1,20}",
        "['\"\\\\ ;#$`=]{1,6}",
        Just("\u{6570}\u{636e} it's \"$x\"".to_owned()),
    ];
    let values = (0..300).map(|_| value.new_tree(&mut runner).unwrap().current());
    values.filter(|value| !value.is_empty()).collect()
}
