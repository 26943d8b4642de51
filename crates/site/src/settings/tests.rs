use super::*;
use crate::tables;

fn error(text: &str) -> String {
    Settings::parse(text, "ha.toml", Language::English)
        .unwrap_err()
        .to_string()
}

#[test]
fn settings_are_read() {
    let settings = Settings::parse(
        "[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\nssh = \"root@10.0.0.2\"\n",
        "ha.toml",
        Language::English,
    )
    .unwrap();
    assert_eq!(settings.target("a").as_deref(), Some("10.0.0.1"));
    assert_eq!(settings.target("b").as_deref(), Some("root@10.0.0.2"));
    assert_eq!(
        Settings::parse("", "ha.toml", Language::English).unwrap(),
        Settings::default()
    );
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
    assert_eq!(
        error("[nodes.a]\naddres = \"10.0.0.1\"\n"),
        "ha.toml, line 2: unknown key 'addres'; allowed here: address, ssh, host, disk, replication_address, fencing; did you \
         mean 'address'?"
    );
    assert!(
        error("\n\nzzz = 1\n")
            .starts_with("ha.toml, line 3: unknown key 'zzz'; allowed here: nodes, virtual_ip")
    );
    assert!(error("\n[database]\nsql_prt = 1\n").starts_with("ha.toml, line 3: unknown key 'sql_prt'"));
    assert!(error("[database]\nsql_prt = 1\n").ends_with("did you mean 'sql_port'?"));
}

#[test]
fn an_impossible_value_is_named_with_its_line() {
    let two = |second: &str| format!("[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\n{second}\n");
    assert_eq!(
        error(&two("address = \"10.0.0\"")),
        "ha.toml, line 4: [nodes.b] address is '10.0.0'; allowed: an IP address"
    );
    assert!(error("[nodes.a]\n").contains("the number of nodes in [nodes] is 1; allowed: exactly 2"));
    assert!(error(&two("address = 7")).starts_with("ha.toml, line 4: "));
    assert!(error("[nodes.a\n").starts_with("ha.toml, line 1: "));
    for (text, expected) in [
        (two("ssh = \"-oProxyCommand=x\""), "line 4: [nodes.b] ssh is"),
        (two("address = \"10.0.0.1\""), "an address that no other node has"),
        (
            two("disk = \"sdb\""),
            "[nodes.b] disk is 'sdb'; allowed: a path below /dev",
        ),
        (
            two("[virtual_ip]\naddress = \"10.0.0.1\""),
            "line 5: [virtual_ip] address is '10.0.0.1'; allowed: an address that no node has; this one is a's own",
        ),
        (
            "[virtual_ip]\naddress = \"10.0.0.9/24\"\n".to_owned(),
            "line 2: [virtual_ip] address is '10.0.0.9/24'; allowed: an IP address without prefix length",
        ),
        (
            "[virtual_ip]\naddress = \"10.0.0.9\"\nprefix = 64\n".to_owned(),
            "line 3: [virtual_ip] prefix is '64'; allowed: 1 to 32",
        ),
        (
            "[storage]\ndirectory = \"/var/\"\n".to_owned(),
            "line 2: [storage] directory is '/var/'",
        ),
        (
            "[storage]\ntype = \"ext5\"\n".to_owned(),
            "line 2: [storage] type is 'ext5'; allowed: ext4, xfs",
        ),
        (
            "[drbd]\nresource = \"r\"\nprotocol = \"A\"\n".to_owned(),
            "line 3: [drbd] protocol is 'A'; allowed: C",
        ),
        (
            "[drbd]\nresource = \"r\"\nport = 70000\n".to_owned(),
            "line 3: [drbd] port is '70000'; allowed: 1 to 65535",
        ),
        (
            "[storage]\ndevice = \"/dev/sdb\"\n[drbd]\nresource = \"r\"\ndevice = \"/dev/drbd1\"\n"
                .to_owned(),
            "line 2: [storage] device is '/dev/sdb'; allowed: /dev/drbd1",
        ),
        ("[drbd]\nport = 1\n".to_owned(), "missing field `resource`"),
        (
            "[fencing]\ndelay = \"1h\"\n".to_owned(),
            "line 2: [fencing] delay is '1h'",
        ),
        (
            "[fencing.device]\nip = \"10.0.0.3\"\n".to_owned(),
            "line 1: [fencing.device] has no agent",
        ),
        (
            "[fencing.device]\nagent = \"ipmilan\"\n".to_owned(),
            "line 2: [fencing.device] agent is 'ipmilan'",
        ),
        (
            "[fencing.device]\nagent = \"fence_x\"\npassword = \"a\\nb\"\n".to_owned(),
            "line 3: [fencing.device] password has a character that a terminal does not show",
        ),
        (
            two("[nodes.b.fencing]\nagent = \"fence_x\""),
            "line 4: only one node has a fencing device",
        ),
        (
            "[database]\nsecure_mode = \"ssl\"\n".to_owned(),
            "line 2: [database] parameter secure_mode=\"ssl\": unknown; allowed: insecure, tls, tlcp",
        ),
        (
            "[database]\ndrain_timeout = \"soon\"\n".to_owned(),
            "line 2: [database] parameter drain_timeout=\"soon\": ",
        ),
        (
            "[database]\nsql_port = 99999\n".to_owned(),
            "line 2: [database] parameter sql_port=\"99999\": not valid; allowed: a whole number from 1 to 65535",
        ),
        (
            "[certificates]\nnames = [\"a b\"]\n".to_owned(),
            "line 2: [certificates] names is 'a b'",
        ),
    ] {
        let error = error(&text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// What a manual prints will be copied.
#[test]
fn the_sample_in_the_manuals_is_valid_and_advises_the_defaults() {
    for manual in [
        include_str!("../../../../docs/kaiwudb-ha.md"),
        include_str!("../../../../docs/kaiwudb-ha.zh-CN.md"),
    ] {
        let sample = manual.split("```toml\n").nth(1).unwrap();
        let sample = sample.split("```").next().unwrap();
        // Two devices in one sample, of which a file has one.
        let device = sample.find("[fencing.device]").unwrap();
        let end = device + sample[device..].find("\n\n").unwrap();
        let text = format!("{}{}", &sample[..device], &sample[end..])
            .replace("[nodes.ha-node01.fencing]", "[fencing.device]");
        let settings = Settings::parse(&text, "ha.toml", Language::English).unwrap();
        for (name, value) in &settings.database {
            let parameter = tables::parameters(crate::roles::DATABASE)
                .iter()
                .find(|known| known.name() == name)
                .unwrap();
            assert_eq!(
                Some(value.get_ref().to_string().as_str()),
                parameter.default_value()
            );
        }
    }
}

#[test]
fn values_may_be_words_numbers_and_truths() {
    let settings = Settings::parse(
        "[database]\nsql_port = 26258\nrequire_mount = true\ndrain_timeout = \"1s\"\n",
        "ha.toml",
        Language::English,
    )
    .unwrap();
    let shown: Vec<String> = settings
        .database
        .values()
        .map(|value| value.get_ref().to_string())
        .collect();
    assert_eq!(shown, ["1s", "true", "26258"]);
}

/// `kaiwudb-ha --config ha.toml`, in the directory of that file. Cargo's own file is at hand, and is refused for what it says.
#[test]
fn a_path_may_be_relative() {
    let error = Settings::read(Path::new("Cargo.toml"), Language::English).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error:#}");
}

/// Row by row what is printed can be pasted into the file.
#[test]
fn a_name_with_dots_is_one_key() {
    for name in ["db-a.example.org", "alpha", "node_1", "10.0.0.1"] {
        let text = format!(
            "[nodes.{}]\naddress = \"192.0.2.1\"\n[nodes.zeta]\naddress = \"192.0.2.2\"\n",
            key(name)
        );
        let settings = Settings::parse(&text, "ha.toml", Language::English).unwrap();
        assert_eq!(
            settings.nodes.keys().collect::<Vec<_>>(),
            [name, "zeta"],
            "{text}"
        );
    }
}

const ALERTS: &str = r#"
[alerts]
name = "站点 7"
language = "zh"
heartbeat = "https://hc.example/x"
[[alerts.mail]]
server = "mail.example"
user = "ha"
password_file = "/etc/kaiwudb-ha/mail"
from = "KWDB <ha@example.com>"
to = ["dba@example.com"]
[[alerts.mail]]
server = "127.0.0.1"
from = "ha@example.com"
to = ["dba@example.com"]
[[alerts.webhook]]
url = "http://[::1]:8080/hook"
[[alerts.wecom]]
key_file = "/etc/kaiwudb-ha/wecom"
[[alerts.dingtalk]]
token_file = "/etc/kaiwudb-ha/token"
secret_command = ["/usr/bin/printf", "SEC"]
[[alerts.command]]
run = ["/usr/bin/logger", "-t", "kwdb"]
"#;

#[test]
fn channels_are_read() {
    use alerts::channel::{Encryption, Way};
    let settings = Settings::parse(ALERTS, "ha.toml", Language::English).unwrap();
    let alerts = settings.alerts.unwrap();
    assert_eq!(alerts.language(Language::English), Language::Chinese);
    assert!(alerts.heartbeat().is_some());
    let channels = alerts.channels();
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "mail-1",
            "mail-2",
            "webhook-1",
            "wecom-1",
            "dingtalk-1",
            "command-1"
        ]
    );
    let mails: Vec<_> = (channels.iter())
        .filter_map(|channel| match &channel.way {
            Way::Mail(mail) => Some((mail.port, mail.encryption, mail.account.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(
        mails,
        [(587, Encryption::StartTls, true), (25, Encryption::None, false)]
    );
}

#[test]
fn impossible_channels_are_named_with_their_line() {
    let changed = |old: &str, new: &str| {
        assert!(ALERTS.contains(old), "{old}");
        error(&ALERTS.replacen(old, new, 1))
    };
    for (old, new, expected) in [
        (
            "\"zh\"",
            "\"fr\"",
            "line 4: [alerts] language is 'fr'; allowed: en or zh",
        ),
        ("https://hc", "hc", "line 5: [alerts] heartbeat is"),
        (
            "server = \"mail",
            "server = \"-mail x",
            "line 7: [[alerts.mail]] server is",
        ),
        ("user = \"ha\"\n", "", "[[alerts.mail]] is incomplete"),
        (
            "user = \"ha\"",
            "user = \"ha\"\nencryption = \"none\"",
            "without encryption",
        ),
        (
            "\"/etc/kaiwudb-ha/mail\"",
            "\"mail\"",
            "line 9: [[alerts.mail]] password_file is 'mail'",
        ),
        (
            "[\"dba@example.com\"]",
            "[\"dba\"]",
            "line 11: [[alerts.mail]] to is 'dba'",
        ),
        ("[\"dba@example.com\"]", "[]", "[[alerts.mail]] is incomplete"),
        (
            "KWDB <ha@example.com>",
            "KWDB",
            "line 10: [[alerts.mail]] from is",
        ),
        (
            "url = ",
            "url_file = \"/a\"\nurl = ",
            "[[alerts.webhook]] is incomplete or says something twice",
        ),
        (
            "key_file = \"/etc/kaiwudb-ha/wecom\"",
            "",
            "[[alerts.wecom]] is incomplete",
        ),
        (
            "secret_command",
            "secret_file = \"/a\"\nsecret_command",
            "both secret_file and secret_command",
        ),
        (
            "/usr/bin/logger",
            "logger",
            "[[alerts.command]] run is 'logger'; allowed: an absolute path",
        ),
        (
            "key_file",
            "key",
            "unknown key 'key'; allowed here: url, key_file",
        ),
    ] {
        let error = changed(old, new);
        assert!(error.contains(expected), "{old} -> {new}: {error}");
    }
}

#[test]
fn no_file_says_nothing_and_a_broken_one_is_not_known() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ha.toml");
    assert_eq!(Settings::digests(&path).unwrap().len(), 0);
    std::fs::write(&path, "[metrics]\npair = \"p\"\n").unwrap();
    assert_eq!(Settings::digests(&path).unwrap().len(), 1);
    std::fs::write(&path, "[metrics\n").unwrap();
    assert_eq!(Settings::digests(&path), None);
}
