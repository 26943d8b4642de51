//! `kaiwudb-ha support` as root reads what the server's account and the other node have laid out for it.

use contract::machine::{DATA_ROOT, shell};
use contract::on_a_machine;
use contract::programs::Programs;
use hostile::{CANARY, SECRET, SERVICE, as_account, canary_is_untouched, stock_layout};
use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

testing::tests![
    links_and_second_names_to_roots_files,
    pipes_devices_and_files_without_end,
    mode_names_the_logs_of_another,
    logs_that_command_the_terminal,
    more_logs_than_can_be_counted,
    the_other_node_sends_what_it_likes,
];

/// Longer than it takes where nothing waits, on a busy machine.
const SOON: Duration = Duration::from_secs(100);

/// The text of everything in the archive, each after its name.
fn archive(words: &[&str]) -> String {
    let began = Instant::now();
    shell("rm -rf /run/support; mkdir /run/support; mountpoint -q /var/log || mount -t tmpfs none /var/log");
    let output = Command::new("timeout")
        .args([
            "400",
            "unshare",
            "--uts",
            "sh",
            "-c",
            "hostname node1; exec \"$@\"",
            "sh",
        ])
        .arg(&Programs::get().command)
        .args(["support", "--output", "/run/support/a.tar.gz"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 4)), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    assert!(began.elapsed() < SOON, "{:?}: {said}", began.elapsed());
    let mut text = String::new();
    let names = shell("cd /run/support; tar -xzf a.tar.gz; rm a.tar.gz; find . -type f | sort");
    for name in names.lines() {
        let bytes = fs::read(format!("/run/support/{name}")).unwrap();
        let _ = writeln!(text, "=== {name}\n{}", String::from_utf8(bytes).unwrap());
    }
    assert!(!text.contains(SECRET), "root's secret is in it");
    text
}

fn links_and_second_names_to_roots_files() {
    on_a_machine(|_| {
        stock_layout();
        let logs = format!("{DATA_ROOT}/logs");
        shell(&format!(
            "echo {SECRET} >/root/root.log; echo {SECRET} >{DATA_ROOT}/roots; chmod 600 {DATA_ROOT}/roots"
        ));
        for made in [
            format!("mkdir -p {logs}; ln -s {CANARY} {logs}/link.log; ln -s {CANARY} /etc/kaiwudb/info/deploy.cfg"),
            format!("rm -rf {logs}; ln -s /root {logs}"),
            format!("rm {logs}; mkdir /tmp/aside; ln -s {CANARY} /tmp/aside/kwbase.log; ln -s /tmp/aside {logs}"),
            "mv /etc/kaiwudb/info /etc/kaiwudb/was; ln -s /root /etc/kaiwudb/info".to_owned(),
            "rm /etc/kaiwudb/info; mv /etc/kaiwudb/was /etc/kaiwudb/info; mv /etc/kaiwudb/certs /etc/kaiwudb/c; ln -s /root /etc/kaiwudb/certs".to_owned(),
        ] {
            assert_eq!(as_account(SERVICE, &made), "", "{made}");
            archive(&["--node-only"]);
        }
        // Where the kernel does not protect hard links.
        shell(&format!(
            "rm {logs}; mkdir {logs}; ln {DATA_ROOT}/roots {logs}/kwbase.log; chown kaiwudb: {logs}"
        ));
        archive(&["--node-only"]);
        canary_is_untouched();
    });
}

fn pipes_devices_and_files_without_end() {
    on_a_machine(|_| {
        stock_layout();
        let logs = format!("{DATA_ROOT}/logs");
        let made = format!(
            "mkdir -p {logs}; mkfifo {logs}/a.log; mkfifo /etc/kaiwudb/info/deploy.cfg; truncate -s 10G {logs}/b.log /etc/kaiwudb/info/sparse
             mkfifo /etc/kaiwudb/script/pipe; printf '\\nI261201 12:00:00.000001 1 a.go:1 the end\\n' >>{logs}/b.log"
        );
        assert_eq!(as_account(SERVICE, &made), "");
        shell(&format!(
            "mknod {logs}/zero.log c 1 5; chown kaiwudb: {logs}/zero.log"
        ));
        let text = archive(&["--node-only"]);
        assert!(
            text.contains("a.go:1 the end"),
            "the newest part of a long log is there"
        );
        assert!(text.len() < 80 << 20);
    });
}

/// Root's logs are not shown because a file of the account's says that they are the server's.
fn mode_names_the_logs_of_another() {
    on_a_machine(|_| {
        stock_layout();
        shell(&format!(
            "mkdir -p /usr/local/other/logs; echo {SECRET} >/usr/local/other/logs/auth.log"
        ));
        as_account(
            SERVICE,
            &format!("sed -i 's|^{DATA_ROOT}$|/usr/local/other|' /etc/kaiwudb/info/MODE"),
        );
        archive(&["--node-only"]);
    });
}

fn logs_that_command_the_terminal() {
    on_a_machine(|_| {
        stock_layout();
        let made = format!(
            "mkdir -p {DATA_ROOT}/logs; printf 'I261201 12:00:00.1 1 a.go:1 \\033]0;t\\007\\033[2Jbe\\377fore\\302\\233 pass\\033[31mword=hunter2\\n' \
             >{DATA_ROOT}/logs/kwbase.log; touch \"{DATA_ROOT}/logs/$(printf 'x\\033[2J\\n.log')\""
        );
        assert_eq!(as_account(SERVICE, &made), "");
        let text = archive(&["--node-only"]);
        let bad = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(bad, None);
        assert!(
            text.contains("be\u{fffd}fore password=(removed)"),
            "the line is there without its secret"
        );
    });
}

fn more_logs_than_can_be_counted() {
    on_a_machine(|_| {
        stock_layout();
        let made =
            format!("mkdir -p {DATA_ROOT}/logs; cd {DATA_ROOT}/logs; seq -f '%g.log' 1 30000 | xargs touch");
        assert_eq!(as_account(SERVICE, &made), "");
        let text = archive(&["--node-only"]);
        assert!(
            text.contains("more than 20000 entries"),
            "it is said what is missing"
        );
    });
}

/// Another node whose root has no right here: its answer is a name that leads out, more than was asked for, or nothing that can be read.
fn the_other_node_sends_what_it_likes() {
    on_a_machine(|_| {
        stock_layout();
        shell("install -d -m 700 /etc/kaiwudb-ha");
        fs::write(
            "/etc/kaiwudb-ha/ha.toml",
            "[nodes.node1]\naddress = \"192.0.2.11\"\n[nodes.node2]\naddress = \"192.0.2.12\"\n",
        )
        .unwrap();
        for (answer, expected) in [
            (
                "printf '{\"node\":\"node2\",\"entries\":[{\"name\":\"../../../../../root/x\",\"text\":\"x\"},{\"name\":\"ok\",\"text\":\"password=hunter2\\\\u001b[2J\"}]}' | gzip -c",
                "node2/ok",
            ),
            ("printf '{\"node\":\"../../x\"}' | gzip -c", "it has no name"),
            ("head -c 300000000 /dev/zero | gzip -c", "more than was asked for"),
            ("echo x", "node2: nothing could be had"),
            ("head -c 20000000 /dev/zero", "said more than 16 MiB"),
            ("exit 127", "kaiwudb-ha is not installed there"),
        ] {
            fs::write("/usr/sbin/ssh", format!("#!/bin/sh\n{answer}\n")).unwrap();
            shell("chmod 755 /usr/sbin/ssh");
            let text = archive(&["--max-size", "8"]);
            assert!(text.contains(expected), "{answer}: {expected}");
            assert!(!text.contains("hunter2") && !text.contains("root/x"), "{answer}");
        }
    });
}
