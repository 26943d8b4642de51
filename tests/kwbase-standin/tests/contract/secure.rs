//! Secure mode: certificates, TLS on both ports, reload.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use nix::sys::signal::Signal;

use crate::harness::{Setup, eventually, kwbase};

fn cert(words: &[&str], certs: &Path) -> Output {
    let key = certs.with_extension("key");
    let mut command = kwbase(true);
    command
        .arg("cert")
        .args(words)
        .arg(format!("--certs-dir={}", certs.display()));
    if words[0] != "list" {
        command.arg(format!("--ca-key={}", key.display()));
    }
    command.output().unwrap()
}

fn must(words: &[&str], certs: &Path) -> String {
    let output = cert(words, certs);
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with everything that a server and `root` need.
fn make_certs(setup: &Setup) -> PathBuf {
    let certs = setup.beside("certs");
    must(&["create-ca"], &certs);
    must(&["create-node", "localhost", "127.0.0.1"], &certs);
    must(&["create-client", "root"], &certs);
    certs
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn certificates_have_the_names_and_modes_of_the_real_ones() {
    let setup = Setup::empty();
    let certs = make_certs(&setup);
    assert_eq!(mode(&certs), 0o700);
    for (name, wanted) in [
        ("ca.crt", 0o644),
        ("node.crt", 0o644),
        ("node.key", 0o600),
        ("client.root.key", 0o600),
    ] {
        assert_eq!(mode(&certs.join(name)), wanted, "{name}");
    }
    let key = fs::read_to_string(certs.join("node.key")).unwrap();
    assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"), "{key}");
    let before = fs::read(certs.join("node.crt")).unwrap();
    let again = cert(&["create-node", "localhost"], &certs);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("node.crt: file exists"),
        "{again:?}"
    );
    assert_eq!(fs::read(certs.join("node.crt")).unwrap(), before);
    must(
        &["create-node", "db1", "10.0.0.5", "--overwrite", "--lifetime=48h"],
        &certs,
    );
    let list = must(&["list"], &certs);
    assert!(list.contains("addresses: db1,10.0.0.5"), "{list}");
    assert!(list.contains("user: root"), "{list}");
    assert_eq!(cert(&["create-node"], &certs).status.code(), Some(1));
    let reuse = cert(&["create-ca"], &certs);
    assert!(
        String::from_utf8_lossy(&reuse.stderr).contains("key reuse is disabled"),
        "{reuse:?}"
    );
    let long = cert(&["create-client", "x", "--lifetime=200000h"], &certs);
    assert!(
        String::from_utf8_lossy(&long.stderr).contains("CA lifetime is "),
        "{long:?}"
    );
    must(&["create-client", "y", "--also-generate-pkcs8-key"], &certs);
    assert!(certs.join("client.y.key.pk8").exists());
}

#[test]
fn tls_on_both_ports() {
    let setup = Setup::existing();
    let certs = make_certs(&setup);
    let setup = setup.secure(&certs);
    let mut server = setup.serve();
    assert_eq!(setup.value("SELECT current_user"), "root");
    // Health in clear, everything else only by https.
    assert_eq!(setup.status("/health"), Some(200));
    let (status, text) = setup.http("/_status/vars").unwrap();
    assert_eq!(status, 307);
    assert!(
        text.contains(&format!(
            "Location: https://localhost:{}/_status/vars\r\n",
            setup.http_port
        )),
        "{text}"
    );
    // A user with a password, without a certificate.
    setup.value("CREATE USER u WITH PASSWORD 'p'");
    let login = |password: &str| {
        let ca = certs.join("ca.crt");
        let url = format!(
            "postgresql://u:{password}@localhost:{}/defaultdb?sslmode=verify-full&sslrootcert={}",
            setup.sql_port,
            ca.display()
        );
        kwbase(true)
            .args(["sql", "--url", &url, "-e", "SELECT current_user"])
            .output()
            .unwrap()
    };
    assert!(login("p").stdout.ends_with(b"\nu\n"));
    let wrong = login("q");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("password authentication failed for user u"));
    // Without TLS only with a password; nobody under another name, nobody with a certificate from elsewhere.
    let plain = kwbase(true)
        .args([
            "sql",
            "--insecure",
            "-e",
            "SELECT 1",
            &format!("--host=127.0.0.1:{}", setup.sql_port),
        ])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&plain.stderr).contains("the server asks for a password"));
    assert_eq!(login_in_the_clear(setup.sql_port, "u", "p"), Some([0, 0, 0, 0]));
    assert_eq!(login_in_the_clear(setup.sql_port, "u", "q"), None);
    let other = setup.beside("other");
    must(&["create-ca"], &other);
    must(&["create-client", "root"], &other);
    fs::copy(certs.join("ca.crt"), other.join("ca.crt")).unwrap();
    let foreign = kwbase(true)
        .args([
            "sql",
            "-e",
            "SELECT 1",
            &format!("--host=localhost:{}", setup.sql_port),
        ])
        .arg(format!("--certs-dir={}", other.display()))
        .output()
        .unwrap();
    assert_eq!(foreign.status.code(), Some(1), "{foreign:?}");
    // Security is not a property of the store.
    assert_eq!(server.stop().code(), Some(0));
    drop(server);
    let setup = setup.insecure();
    let _server = setup.serve();
}

#[test]
fn sighup_loads_new_certificates_and_keeps_the_old_when_they_are_bad() {
    let setup = Setup::existing();
    let certs = make_certs(&setup);
    let setup = setup.secure(&certs).flag("--unencrypted-localhost-http");
    let server = setup.serve();
    let expiry = || {
        let (_, text) = setup.http("/_status/vars").unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("security_certificate_expiration_node "))
            .unwrap();
        line.split(' ').nth(1).unwrap().parse::<i64>().unwrap()
    };
    let first = expiry();
    must(
        &[
            "create-node",
            "localhost",
            "127.0.0.1",
            "--overwrite",
            "--lifetime=240h",
        ],
        &certs,
    );
    server.signal(Signal::SIGHUP);
    let second = eventually("the new certificate is loaded", || {
        Some(expiry()).filter(|now| *now != first)
    });
    assert!(second < first);
    fs::set_permissions(certs.join("node.key"), fs::Permissions::from_mode(0o640)).unwrap();
    server.signal(Signal::SIGHUP);
    eventually("the reload fails", || {
        setup
            .log()
            .contains("could not reload certificates: ")
            .then_some(())
    });
    assert!(
        setup
            .log()
            .contains("node.key has permissions -rw-r-----, exceeds -rwx------")
    );
    assert_eq!(expiry(), second);
    assert_eq!(setup.value("SELECT 1"), "1");
}

#[test]
fn certificates_that_cannot_be_used_refuse_the_start() {
    let setup = Setup::existing();
    let certs = make_certs(&setup);
    let setup = setup.secure(&certs);
    let refuses = |text: &str| {
        let (code, errors) = setup.fails();
        assert_eq!(code, Some(1));
        assert!(
            errors.starts_with("ERROR: cannot load certificates.\n"),
            "{errors}"
        );
        assert!(errors.contains(text), "{errors}");
        assert!(setup.log().contains("cannot load certificates."));
    };
    fs::set_permissions(certs.join("node.key"), fs::Permissions::from_mode(0o640)).unwrap();
    refuses("node.key has permissions -rw-r-----, exceeds -rwx------");
    fs::set_permissions(certs.join("node.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::copy(certs.join("client.root.key"), certs.join("node.key")).unwrap();
    refuses("tls: private key does not match public key");
    fs::write(certs.join("node.key"), "").unwrap();
    refuses("tls: failed to find any PEM data in key input");
    fs::remove_file(certs.join("node.crt")).unwrap();
    refuses("node.crt: not found");
    fs::remove_file(certs.join("ca.crt")).unwrap();
    refuses("problem with CA certificate");
}

/// Under TLS the server answers for its health by calling its own advertised address.
#[test]
fn a_server_that_cannot_call_itself() {
    let setup = Setup::existing();
    let certs = make_certs(&setup);
    let setup = setup.secure(&certs);
    let ready = || setup.http("/health?ready=1");
    let refused = || {
        ready().filter(|(code, text)| {
            *code == 503
                && text.contains(
                    "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
                )
        })
    };
    // A connection that stands survives what becomes of the certificates.
    let server = setup.serve();
    must(&["create-node", "db.example", "--overwrite"], &certs);
    server.signal(Signal::SIGHUP);
    setup.wait_for_log("successfully reloaded certificates", 1);
    assert_eq!(ready().unwrap().0, 200);
    drop(server);
    let _server = setup.start();
    eventually("a new one is not made", refused);
    assert_eq!(setup.status("/health"), Some(200));
}

/// The code of the answer to a password that is sent without TLS (0 is "come in"), `None` for an error.
fn login_in_the_clear(port: u16, user: &str, password: &str) -> Option<[u8; 4]> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let parameters = format!("user\0{user}\0database\0defaultdb\0\0");
    let length = |text: &str, head: usize| u32::try_from(text.len() + head).unwrap().to_be_bytes();
    let startup = [
        &length(&parameters, 8)[..],
        &196_608u32.to_be_bytes(),
        parameters.as_bytes(),
    ]
    .concat();
    server.write_all(&startup).unwrap();
    let mut answer = [0; 9];
    server.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"R\0\0\0\x08\0\0\0\x03", "it asks for a password");
    let password = format!("{password}\0");
    server
        .write_all(&[b"p", &length(&password, 4)[..], password.as_bytes()].concat())
        .unwrap();
    server.read_exact(&mut answer).unwrap();
    let [kind, _, _, _, _, code @ ..] = answer;
    (kind == b'R').then_some(code)
}
