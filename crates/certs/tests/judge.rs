//! Sets as operators make them, good and bad.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use certs::{CertificateSet, Expectations, Grade, Severity, Verdict, judge};
use host::{Command, Deadline};
use std::path::Path;
use std::time::Duration;
use support::{Authority, DAY, Days, now, put};

const NAMES: [&str; 4] = ["n1", "n2", "192.0.2.10", "127.0.0.1"];

fn judged_at(set: &CertificateSet, now: i64, required: &[&str]) -> Verdict {
    judge(
        set,
        &Expectations {
            now,
            node_user: "node".into(),
            required_names: required.iter().map(|name| (*name).to_owned()).collect(),
        },
    )
}
fn judged(set: &CertificateSet) -> Verdict {
    judged_at(set, now(), &[])
}

#[test]
fn a_good_set() {
    let verdict = judged_at(
        &Authority::new("CA").set(&NAMES),
        now(),
        &["n1", "n2", "192.0.2.10"],
    );
    assert_eq!((verdict.grade(), verdict.summary().as_str()), (Grade::Good, ""));
    assert_eq!(verdict.authorities.len(), 1);
    assert_eq!(verdict.first_to_expire().unwrap().name, "node.crt");
    assert!((verdict.issued - (now() - DAY)).abs() < 60);
}

#[test]
fn a_name_that_clients_use_is_missing() {
    let verdict = judged_at(
        &Authority::new("CA").set(&NAMES),
        now(),
        &["n1", "192.0.2.99", "db.example.com"],
    );
    assert_eq!(verdict.grade(), Grade::NameMissing);
    assert_eq!(
        verdict.summary(),
        "node.crt is not valid for 192.0.2.99, db.example.com"
    );
    assert!(verdict.server_can_start());
}

#[test]
fn half_a_rotation() {
    let authority = Authority::new("CA");
    let (old, new) = (authority.set(&NAMES), authority.set(&NAMES));
    let mut half = old.clone();
    put(
        &mut half,
        "node.crt",
        std::str::from_utf8(new.contents("node.crt").unwrap()).unwrap(),
    );
    let verdict = judged(&half);
    assert_eq!(
        (verdict.grade(), verdict.server_can_start()),
        (Grade::Broken, false)
    );
    assert_eq!(verdict.summary(), "node.key is not the key of node.crt");

    let mut client = old.clone();
    put(
        &mut client,
        "client.root.key",
        std::str::from_utf8(new.contents("client.root.key").unwrap()).unwrap(),
    );
    let verdict = judged(&client);
    assert_eq!(
        (verdict.grade(), verdict.server_can_start()),
        (Grade::Broken, true)
    );
    assert_eq!(
        verdict.summary(),
        "client.root.key is not the key of client.root.crt"
    );
}

#[test]
fn another_authority() {
    let mut set = Authority::new("CA").set(&NAMES);
    // The same name, another key: the usual case after a second `create-ca`.
    let other = Authority::new("CA");
    put(&mut set, "ca.crt", &other.pem);
    let verdict = judged(&set);
    assert_eq!(
        (verdict.grade(), verdict.server_can_start()),
        (Grade::Broken, true)
    );
    assert!(
        verdict
            .summary()
            .contains("node.crt does not go with ca.crt: it was issued by another CA"),
        "{}",
        verdict.summary()
    );
    // Both authorities in ca.crt, as during a planned change.
    let mine = Authority::new("CA");
    let mut both = mine.set(&NAMES);
    put(&mut both, "ca.crt", &format!("{}{}", other.pem, mine.pem));
    let verdict = judged(&both);
    assert_eq!(
        (verdict.grade(), verdict.authorities.len()),
        (Grade::Good, 2),
        "{}",
        verdict.summary()
    );
}

#[test]
fn an_authority_of_their_own_for_clients() {
    let (main, clients) = (Authority::new("CA"), Authority::new("Client CA"));
    let mut set = main.set(&NAMES);
    put(&mut set, "ca-client.crt", &clients.pem);
    let verdict = judged(&set);
    assert!(
        verdict
            .summary()
            .contains("client.root.crt does not go with ca-client.crt"),
        "{}",
        verdict.summary()
    );
    let root = clients.issue("root", &[], Days(-1, 30));
    put(&mut set, "client.root.crt", &root.certificate);
    put(&mut set, "client.root.key", &root.key);
    assert_eq!(judged(&set).grade(), Grade::Good, "{}", judged(&set).summary());
}

#[test]
fn dates() {
    let authority = Authority::new("CA");
    let set = authority.set_valid(&NAMES, Days(-30, 10));
    assert_eq!(judged_at(&set, now() + 9 * DAY, &[]).grade(), Grade::Good);
    let expired = judged_at(&set, now() + 11 * DAY, &[]);
    assert_eq!(
        (expired.grade(), expired.server_can_start()),
        (Grade::Expired, true)
    );
    assert!(
        expired.summary().starts_with("node.crt expired on 2"),
        "{}",
        expired.summary()
    );
    // A clock that is wrong does not make a set worse: it is told.
    let early = judged_at(&set, now() - 300 * DAY, &[]);
    assert_eq!(early.grade(), Grade::Good);
    assert!(
        early.summary().contains("is the clock of this node right"),
        "{}",
        early.summary()
    );
    assert_eq!(judged_at(&set, 0, &[]).grade(), Grade::Good);
    // A client's certificate is that client's trouble.
    let mut client = authority.set(&NAMES);
    let bob = authority.issue("bob", &[], Days(-30, -10));
    put(&mut client, "client.bob.crt", &bob.certificate);
    let verdict = judged(&client);
    assert_eq!(verdict.grade(), Grade::Good);
    assert!(
        verdict.summary().contains("client.bob.crt expired"),
        "{}",
        verdict.summary()
    );
    let old_authority = Authority::valid("CA", Days(-100, -1));
    assert_eq!(judged(&old_authority.set(&NAMES)).grade(), Grade::Expired);
}

#[test]
fn missing_and_damaged_files() {
    let authority = Authority::new("CA");
    let whole = authority.set(&NAMES);
    for missing in ["ca.crt", "node.crt", "node.key"] {
        let mut set = CertificateSet::default();
        for (name, file) in whole.files().filter(|(name, _)| *name != missing) {
            set.insert(name, file.mode, file.contents.clone()).unwrap();
        }
        let verdict = judged(&set);
        assert!(
            !verdict.server_can_start() && verdict.summary().contains(&format!("{missing} is missing")),
            "{}",
            verdict.summary()
        );
    }
    for (name, text, words) in [
        ("ca.crt", "", "holds no certificate"),
        (
            "node.crt",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "damaged certificate",
        ),
        ("node.crt", "-----BEGIN CERTIFICATE-----\nMII", "PEM"),
        ("node.key", "not a key", "holds no private key"),
        (
            "node.key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "damaged",
        ),
    ] {
        let mut set = whole.clone();
        put(&mut set, name, text);
        let verdict = judged(&set);
        assert!(
            !verdict.server_can_start() && verdict.summary().contains(words),
            "{name}: {}",
            verdict.summary()
        );
    }
    assert!(!judged(&CertificateSet::default()).server_can_start());
}

#[test]
fn the_wrong_person() {
    let authority = Authority::new("CA");
    let mut set = authority.set(&NAMES);
    let root = authority.issue("root", &["n1"], Days(-1, 30));
    put(&mut set, "client.bob.crt", &root.certificate);
    assert_eq!(judged(&set).findings[0].severity, Severity::Remark);
    put(&mut set, "node.crt", &root.certificate);
    put(&mut set, "node.key", &root.key);
    let verdict = judged(&set);
    assert!(!verdict.server_can_start());
    assert!(
        verdict
            .summary()
            .contains(r#"node.crt is a certificate of "root", not of "node""#),
        "{}",
        verdict.summary()
    );
}

#[test]
fn a_store_key_alone_is_a_set() {
    let mut set = CertificateSet::default();
    set.insert("sm4.key", 0o600, vec![7; 16]).unwrap();
    assert_eq!(judged(&set).grade(), Grade::Good);
}

fn openssl(directory: &Path, line: &str) {
    Command::new("openssl")
        .args(line.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => directory.join(name).to_string_lossy().into_owned(),
            None => word.to_owned(),
        }))
        .run_ok(Deadline::after(Duration::from_secs(60)))
        .unwrap_or_else(|error| panic!("{error}"));
}

/// kwbase makes RSA keys in PKCS#1; openssl makes PKCS#8; both occur, and so do EC keys in SEC1.
#[test]
fn every_form_of_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
    openssl(
        path,
        "req -x509 -newkey rsa:2048 -nodes -keyout @ca.key -out @ca.crt -days 30 -subj /O=KWDB/CN=CA -addext keyUsage=critical,keyCertSign",
    );
    for (kind, make, convert, first_line) in [
        (
            "rsa",
            "genrsa -traditional -out @node.key 2048",
            None,
            "BEGIN RSA PRIVATE KEY",
        ),
        ("rsa8", "genrsa -out @node.key 2048", None, "BEGIN PRIVATE KEY"),
        (
            "ec",
            "ecparam -name prime256v1 -genkey -noout -out @node.key",
            None,
            "BEGIN EC PRIVATE KEY",
        ),
        (
            "ec8",
            "ecparam -name secp384r1 -genkey -noout -out @sec1.key",
            Some("pkcs8 -topk8 -nocrypt -in @sec1.key -out @node.key"),
            "BEGIN PRIVATE KEY",
        ),
        (
            "ed25519",
            "genpkey -algorithm ed25519 -out @node.key",
            None,
            "BEGIN PRIVATE KEY",
        ),
        // Beyond what we can compute with: it passes, because the server may know it.
        (
            "p521",
            "ecparam -name secp521r1 -genkey -noout -out @node.key",
            None,
            "BEGIN EC PRIVATE KEY",
        ),
    ] {
        openssl(path, make);
        if let Some(convert) = convert {
            openssl(path, convert);
        }
        assert!(read("node.key").contains(first_line), "{kind}");
        openssl(
            path,
            "req -new -key @node.key -subj /O=KWDB/CN=node -addext subjectAltName=DNS:n1,IP:192.0.2.10 -addext extendedKeyUsage=serverAuth,clientAuth -out @node.csr",
        );
        openssl(
            path,
            "x509 -req -in @node.csr -CA @ca.crt -CAkey @ca.key -CAcreateserial -copy_extensions copyall -days 20 -out @node.crt",
        );
        let mut set = CertificateSet::default();
        for name in ["ca.crt", "node.crt", "node.key"] {
            put(&mut set, name, &read(name));
        }
        let verdict = judged_at(&set, now() + 60, &["n1", "192.0.2.10"]);
        assert_eq!(
            (verdict.grade(), verdict.summary().as_str()),
            (Grade::Good, ""),
            "{kind}"
        );
        if kind != "p521" {
            put(&mut set, "node.key", &Authority::new("other").key_pem);
            assert!(
                judged(&set).summary().contains("is not the key of node.crt"),
                "{kind}: {}",
                judged(&set).summary()
            );
        }
    }
}
