//! `kaiwudb-ha support` on a machine with a secret of each kind in each thing that it reads: none is in the archive, and what stands beside them is.

use contract::machine::{DATA_ROOT, shell};
use contract::on_a_machine;
use contract::programs::Programs;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// In no word of a secret's neighbours.
const SECRET: &str = "s3cr3t";

/// A secret of each kind, in a text of which no program takes more than it knows.
const POISON: &str = r#"harmless SOURCE: KaiwuDB_start_0 on node1 failed: the store is not mounted
password = s3cr3t1 word
    shared-secret "s3cr3t2";
{"token": "s3cr3t3", "host": "neighbour3-SOURCE"}
secret: |
  s3cr3t4
  s3cr3t5
community: s3cr3t6
<nvpair id="f-passwd" name="passwd" value="s3cr3t7"/><nvpair name="ip" value="neighbour7-SOURCE"/>
<nvpair value="s3cr3t8" name="login_password"/>
ran fence_x --password s3cr3t9 -P s3cr3t10 --host neighbour10-SOURCE
run = ["send", "--token", "s3cr3t11", "-p", "s3cr3t12"]
see https://admin:s3cr3t13@node1/status and https://oapi.dingtalk.com/robot/send?access_token=s3cr3t14&sign=s3cr3t15
curl https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cr3t16 -u admin:s3cr3t17
GET /x?host=neighbour17-SOURCE&key=s3cr3t18 HTTP/1.1
Authorization: Basic s3cr3t19
Cookie: session=s3cr3t20
sent 'Bearer s3cr3t21' to neighbour21-SOURCE
snmpwalk -v2c -c s3cr3t22 node1
rocommunity s3cr3t23 127.0.0.1
密码：s3cr3t24
shadow root:$6$salt$s3cr3t25s3cr3t25s3cr3t25:19000:0
ssh AAAAC3NzaC1lZDI1NTE5AAAAIs3cr3t26s3cr3t26s3cr3t26 root@neighbour
API_KEY="s3cr3t27 word"
https://hooks.example.com/services/T000/B000/s3cr3t28
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAs3cr3t29
s3cr3t30
-----END OPENSSH PRIVATE KEY-----
INSERT INTO t VALUES ('s3cr3t31', 'it''s s3cr3t32') RETURNING neighbour32
UPDATE t SET a = $$s3cr3t33$$ WHERE b = E's3cr3t34'

harmless end SOURCE
"#;

/// Files that are read, with the names that they have in the archive.
const FILES: [(&str, &str); 17] = [
    ("/etc/corosync/corosync.conf", "corosync/corosync.conf"),
    ("/etc/default/pacemaker", "settings/default-pacemaker"),
    ("/etc/drbd.conf", "drbd/drbd.conf"),
    ("/etc/drbd.d/r0.res", "drbd/r0.res"),
    ("/etc/fstab", "system/fstab.txt"),
    ("/etc/multipath.conf", "system/multipath.conf.txt"),
    ("/etc/kaiwudb/info/deploy.cfg", "database/deploy.cfg"),
    ("/etc/kaiwudb/script/kaiwudb_env", "database/kaiwudb_env"),
    ("/etc/kaiwudb-ha/ha.toml", "kaiwudb-ha/ha.toml"),
    ("/var/lib/pacemaker/cib/cib.xml", "pacemaker/cib-on-disk.xml"),
    (
        "/var/lib/kaiwudb-ha/incidents.json",
        "kaiwudb-ha/records/incidents.json",
    ),
    (
        "/var/lib/kaiwudb-ha/drills/1/timeline.txt",
        "kaiwudb-ha/records/drills/1/timeline.txt",
    ),
    (
        "/run/kaiwudb-ha/KaiwuDB/note.json",
        "kaiwudb-ha/run/KaiwuDB/note.json",
    ),
    ("/var/log/pacemaker/pacemaker.log", "logs/pacemaker.log"),
    ("/var/log/cluster/corosync.log", "logs/corosync.log"),
    ("/var/lib/kaiwudb/logs/kwbase.log", "database/logs/kwbase.log"),
    (
        "/var/lib/kaiwudb/logs/kwbase-slow.log",
        "database/logs/kwbase-slow.log",
    ),
];

/// Programs that are asked, with one name of each in the archive.
const PROGRAMS: [(&str, &str); 14] = [
    ("cibadmin", "pacemaker/cib.xml"),
    ("crm_mon", "pacemaker/crm_mon.txt"),
    ("crm_verify", "pacemaker/crm_verify.txt"),
    ("crm_simulate", "pacemaker/crm_simulate.txt"),
    ("stonith_admin", "pacemaker/fencing-history.txt"),
    ("corosync-cmapctl", "corosync/corosync-cmapctl.txt"),
    ("corosync-quorumtool", "corosync/corosync-quorumtool.txt"),
    ("drbdsetup", "drbd/drbdsetup-show.txt"),
    ("drbdadm", "drbd/drbdadm-dump.txt"),
    ("journalctl", "journal/cluster.log"),
    ("ps", "system/processes.txt"),
    ("systemctl", "system/unit-files.txt"),
    ("ss", "network/ss-listening.txt"),
    ("nft", "network/nft.txt"),
];

/// Never read, whatever is in them.
const CLOSED: [&str; 4] = [
    "/etc/corosync/authkey",
    "/etc/kaiwudb/certs/node.key",
    "/etc/kaiwudb/info/renamed.key",
    "/var/lib/kaiwudb-ha/mail.key",
];

fn call(words: &[&str]) -> Output {
    Command::new("timeout")
        .arg("300")
        .arg(&Programs::get().command)
        .arg("support")
        .args(words)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("the command is built")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The files of an archive, by their names in it.
fn unpack(archive: &str) -> BTreeMap<String, String> {
    shell(&format!(
        "mkdir -p /run/unpacked; tar -xzf {archive} -C /run/unpacked"
    ));
    let names = shell("cd /run/unpacked; find . -type f -printf '%P\\n'");
    names
        .lines()
        .map(|name| {
            let bytes = fs::read(Path::new("/run/unpacked").join(name)).expect("it was unpacked");
            let below = name.split_once('/').map_or(name, |(_, below)| below);
            (
                below.to_owned(),
                String::from_utf8(bytes).expect("all of it is text"),
            )
        })
        .collect()
}

fn plant(source: &str) {
    let mut poison = POISON.replace("SOURCE", source.rsplit('/').next().unwrap_or_default());
    if source == "/etc/fstab" || source.ends_with("/ps") {
        // A table, of which facts take single lines, and a list of processes: nothing goes on there from one line to the next.
        let is_single = |line: &&str| {
            !["s3cr3t4", "s3cr3t5", "s3cr3t29", "s3cr3t30"]
                .iter()
                .any(|end| line.ends_with(end))
        };
        poison = poison.lines().filter(is_single).collect::<Vec<_>>().join("\n") + "\n";
    }
    let directory = Path::new(source).parent().expect("a file lies in a directory");
    fs::create_dir_all(directory).expect("the machine is private");
    fs::write(source, poison).expect("the machine is private");
}

#[test]
fn no_secret_of_any_kind_is_in_the_archive() {
    on_a_machine(|_| {
        shell("mount -t tmpfs none /var/log; mkdir -p /run/poison");
        for (file, _) in FILES {
            plant(file);
        }
        for file in CLOSED {
            plant(file);
        }
        for (program, _) in PROGRAMS {
            plant(&format!("/run/poison/{program}"));
            shell(&format!(
                "printf '#!/bin/sh\\ncat /run/poison/{program}; echo \"password: s3cr3t99\" >&2\\n' >/usr/sbin/{program}; chmod 755 /usr/sbin/{program}"
            ));
        }
        shell(
            "mkdir -p /var/lib/pacemaker/pengine; bzip2 -c /etc/drbd.conf >/var/lib/pacemaker/pengine/pe-input-7.bz2",
        );
        let began = Instant::now();
        let output = call(&["--node-only", "--output", "/run/a.tar.gz"]);
        let said = text(&output);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{said}");
        assert!(
            began.elapsed() < Duration::from_secs(200),
            "{:?}",
            began.elapsed()
        );
        assert!(said.contains("/run/a.tar.gz") && !said.contains(SECRET), "{said}");
        let mode = fs::metadata("/run/a.tar.gz")
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o600);

        let found = unpack("/run/a.tar.gz");
        for (name, content) in &found {
            let line = content.lines().find(|line| line.contains(SECRET));
            assert_eq!(line, None, "{name}");
        }
        let node = found.keys().find_map(|name| name.strip_suffix("/drbd/drbd.conf"));
        let node = node.expect("a file of the node is in it").to_owned();
        let sources = FILES
            .iter()
            .chain(&PROGRAMS)
            .map(|(source, name)| (source.rsplit('/').next(), *name));
        for (source, name) in sources.chain([(Some("drbd.conf"), "pe-inputs/pe-input-7.xml")]) {
            let source = source.unwrap_or_default();
            let content = found.get(&format!("{node}/{name}"));
            let content = content.unwrap_or_else(|| panic!("{name} is missing: {:?}", found.keys()));
            for neighbour in [
                "harmless",
                "neighbour3-",
                "neighbour7-",
                "neighbour10-",
                "neighbour17-",
                "neighbour21-",
            ] {
                // In the server's own log whatever follows the first statement may be one.
                let neighbour = format!(
                    "{neighbour}{}{source}",
                    if neighbour == "harmless" { " " } else { "" }
                );
                assert!(
                    content.contains(&neighbour),
                    "{neighbour} is gone in {name}:\n{content}"
                );
            }
            assert!(
                content.contains("failed: the store is not mounted"),
                "{name}:\n{content}"
            );
            assert!(
                content.contains(&format!("harmless end {source}")),
                "{name}:\n{content}"
            );
        }
        let readme = &found["README"];
        assert!(
            readme.contains("/var/log/pacemaker/pacemaker.log") && readme.contains("sql "),
            "{readme}"
        );
        let manifest: serde_json::Value = serde_json::from_str(&found["manifest.json"]).expect("it is JSON");
        let files = manifest["nodes"][0]["files"].as_array().expect("it lists files");
        assert_eq!(files.len() + 2, found.len(), "README and manifest aside");
    });
}

#[test]
fn what_is_there_is_not_overwritten_and_a_full_disk_keeps_nothing() {
    on_a_machine(|_| {
        shell(
            "mount -t tmpfs none /var/log; echo mine >/run/a.tar.gz; mkdir /run/full; mount -t tmpfs -o size=8k none /run/full",
        );
        let output = call(&["--node-only", "--output", "/run/a.tar.gz"]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains("is not overwritten"), "{}", text(&output));
        assert_eq!(
            fs::read_to_string("/run/a.tar.gz").expect("it is there"),
            "mine\n"
        );
        // Room for a part of it.
        let output = call(&["--node-only", "--output", "/run/full"]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains("No space left"), "{}", text(&output));
        assert_eq!(shell("ls -A /run/full"), "");
    });
}

#[test]
fn it_is_no_larger_than_it_may_be_and_logs_keep_their_end() {
    on_a_machine(|_| {
        shell(&format!(
            "mount -t tmpfs none /var/log; mkdir -p /var/log/pacemaker {DATA_ROOT}/logs
             seq -f 'Dec 01 12:00:00 node1 pacemakerd [1] (main) notice: line %g' 1 200000 >/var/log/pacemaker/pacemaker.log
             seq -f 'I261201 12:00:00.000001 1 a.go:1 [n1] line %g' 1 200000 >{DATA_ROOT}/logs/kwbase.log"
        ));
        let output = call(&["--node-only", "--max-size", "1", "--output", "/run/a.tar.gz"]);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{}", text(&output));
        let found = unpack("/run/a.tar.gz");
        let size: usize = found
            .iter()
            .filter(|(name, _)| name.contains('/'))
            .map(|(_, text)| text.len())
            .sum();
        assert!(size <= 1 << 20, "{size}");
        let log = found
            .iter()
            .find(|(name, _)| name.ends_with("logs/pacemaker.log"));
        let (_, log) = log.expect("some of the log is there");
        assert!(
            log.starts_with("Dec 01 ") && log.ends_with("line 200000\n"),
            "{log:.200}"
        );
    });
}

#[test]
fn without_root_it_says_what_is_missing() {
    on_a_machine(|_| {
        fs::copy(&Programs::get().command, "/usr/local/bin/kaiwudb-ha-copy").expect("the machine is private");
        shell("mount -t tmpfs none /var/log; mount -t tmpfs -o mode=1777 none /tmp");
        shell("chmod 755 /usr/local/bin/kaiwudb-ha-copy");
        let output = Command::new("setpriv")
            .args([
                "--reuid=4712",
                "--regid=4712",
                "--clear-groups",
                "/usr/local/bin/kaiwudb-ha-copy",
                "support",
                "--node-only",
            ])
            .args(["--output", "/tmp/a.tar.gz"])
            .env("LC_ALL", "zh_CN.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("setpriv is part of util-linux");
        assert_eq!(output.status.code(), Some(4), "{}", text(&output));
        assert!(
            text(&output).contains("不是以 root 身份执行"),
            "{}",
            text(&output)
        );
        let found = unpack("/tmp/a.tar.gz");
        assert!(
            found["README"].contains("不是以 root 身份执行"),
            "{}",
            found["README"]
        );
    });
}
