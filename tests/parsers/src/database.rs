//! What the server and its installer have written, and what the server answers.

use certs::{CertificateSet, Expectations, bundle, judge};
use host::Deadline;
use kwdb::installation::Mode;
use kwdb::sql::{Connection, Target};
use kwdb::{environment, health};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::time::Duration;

/// No answer of ours takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// `/etc/kaiwudb/info/MODE`.
pub(crate) fn mode_file(bytes: &[u8]) {
    let _ = Mode::parse(&String::from_utf8_lossy(bytes));
}

/// `/etc/kaiwudb/script/kaiwudb_env`.
pub(crate) fn environment_file(bytes: &[u8]) {
    let _ = environment::parse(&String::from_utf8_lossy(bytes));
}

/// What `/health` answers.
pub(crate) fn http_reply(bytes: &[u8]) {
    let _ = health::read_answer(bytes).to_string();
}

/// What comes back from the port for SQL. Over a real connection: the length of what is still to come is a part of it.
pub(crate) fn sql_reply(bytes: &[u8]) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let target = Target {
        address,
        user: "root".to_owned(),
        database: "defaultdb".to_owned(),
        certs_directory: None,
    };
    std::thread::scope(|both| {
        both.spawn(|| {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let _ = stream.write_all(bytes);
            let _ = stream.shutdown(Shutdown::Write);
            // Until the other end is closed: a reset would take what it has not read.
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let deadline = Deadline::after(PATIENCE);
        if let Ok(mut connection) = Connection::open(&target, deadline) {
            let _ = connection.query("SELECT 1", deadline);
        }
        assert!(!deadline.is_over(), "what has ended needs no waiting");
    });
}

/// Three files of a set, with an empty line between.
pub(crate) fn certificates(bytes: &[u8]) {
    let mut set = CertificateSet::default();
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split("\n\n");
    for name in ["ca.crt", "node.crt", "node.key"] {
        let contents = parts.next().unwrap_or_default();
        let _ = set.insert(name, 0o600, contents.as_bytes().to_vec());
    }
    let expected = Expectations {
        now: 1_800_000_000,
        node_user: "node".to_owned(),
        required_names: vec!["192.0.2.100".to_owned(), "node1".to_owned()],
    };
    let verdict = judge(&set, &expected);
    let _ = (verdict.grade(), verdict.summary(), certs::describe(bytes));
}

/// A sealed bundle.
pub(crate) fn bundle(bytes: &[u8]) {
    if let Ok(sealed) = bundle::parse(bytes) {
        let _ = sealed.open(&[]).is_ok();
    }
}
