//! SQL through the front, and the client commands.

use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;

use crate::harness::{Setup, kwbase};
use crate::raw::RawSession;

#[test]
fn cluster_settings_are_kept() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    assert_eq!(setup.value("SHOW CLUSTER SETTING ts.wal.wal_level"), "2");
    assert_eq!(
        setup.value("show cluster setting ts.force_sync_file.enabled;"),
        "f"
    );
    assert_eq!(
        setup.value("SHOW CLUSTER SETTING server.shutdown.query_wait"),
        "00:00:10"
    );
    assert_eq!(
        setup.value("SET CLUSTER SETTING ts.wal.wal_level = 1;"),
        "SET CLUSTER SETTING"
    );
    assert_eq!(
        setup.value("SET CLUSTER SETTING ts.force_sync_file.enabled TO true"),
        "SET CLUSTER SETTING"
    );
    let both =
        "set cluster setting log.sync.enabled = 'off'; SELECT ';'; SHOW CLUSTER SETTING log.sync.enabled";
    let output = setup.sql(both);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        text, "SET CLUSTER SETTING\n?column?\n;\nlog.sync.enabled\nf\n",
        "{output:?}"
    );
    let output = setup.sql("SET CLUSTER SETTING ts.wal.wal_levels = 1");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.starts_with("ERROR: unknown cluster setting 'ts.wal.wal_levels'\nSQLSTATE: 22023"),
        "{errors}"
    );
    server.stop();
    drop(server);
    let _server = setup.serve();
    assert_eq!(setup.value("SHOW CLUSTER SETTING ts.wal.wal_level"), "1");
    assert_eq!(
        setup.value("SHOW CLUSTER SETTING ts.force_sync_file.enabled"),
        "t"
    );
}

#[test]
fn settings_work_in_the_extended_protocol_too() {
    let setup = Setup::existing();
    let _server = setup.serve();
    let mut session = RawSession::open(&setup);
    session.send(b'P', b"\0SHOW CLUSTER SETTING ts.wal.wal_level\0\0\0");
    session.send(b'B', b"\0\0\0\0\0\0\0\0");
    session.send(b'E', b"\0\0\0\0\0");
    session.send(b'S', b"");
    let answer = session.until_ready();
    let row = answer.iter().find(|(kind, _)| *kind == b'D').expect("a row");
    assert!(row.1.ends_with(b"2"), "{answer:?}");
}

#[test]
fn a_query_can_be_cancelled() {
    let setup = Setup::existing();
    let _server = setup.serve();
    let mut session = RawSession::open(&setup);
    session.ask("SELECT pg_sleep(60)");
    let mut request = TcpStream::connect(setup.sql_address()).unwrap();
    let packet = [&[0, 0, 0, 16, 4, 210, 22, 46], session.key.as_slice()].concat();
    setup.wait_for_query("SELECT pg_sleep(60)");
    request.write_all(&packet).unwrap();
    let answer = session.until_ready();
    let error = answer.iter().find(|(kind, _)| *kind == b'E').expect("an error");
    assert!(String::from_utf8_lossy(&error.1).contains("57014"));
    assert_eq!(session.query("SELECT 1"), b"TDCZ");
}

#[test]
fn much_data_passes_in_both_directions() {
    let setup = Setup::existing();
    let _server = setup.serve();
    let mut session = RawSession::open(&setup);
    let long = "x".repeat(3_000_000);
    session.ask(&format!("SELECT length('{long}')"));
    let answer = session.until_ready();
    assert!(answer[1].1.ends_with(b"3000000"));
    session.ask("SELECT repeat('y', 1000) FROM generate_series(1, 20000)");
    let rows = session
        .until_ready()
        .iter()
        .filter(|(kind, body)| *kind == b'D' && body.len() == 1006)
        .count();
    assert_eq!(rows, 20_000);
}

#[test]
fn users_come_into_being_in_insecure_mode() {
    let setup = Setup::existing();
    let _server = setup.serve();
    let mut command = kwbase(true);
    command.args([
        "sql",
        "--insecure",
        "--user=bob",
        "-e",
        "SELECT current_user",
        "-e",
        "SELECT 2",
        "--format=csv",
    ]);
    let output = command
        .arg(format!("--host=127.0.0.1:{}", setup.sql_port))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "current_user\nbob\n?column?\n2\n",
        "{output:?}"
    );
}

#[test]
fn sql_reads_standard_input() {
    let setup = Setup::existing();
    let _server = setup.serve();
    let mut client = kwbase(true)
        .args([
            "sql",
            "--insecure",
            &format!("--host=127.0.0.1:{}", setup.sql_port),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    client
        .stdin
        .take()
        .unwrap()
        .write_all(b"CREATE TABLE t (i INT);\nINSERT INTO t\nVALUES (4);\nTABLE t")
        .unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "CREATE TABLE\nINSERT 1\ni\n4\n"
    );
}

#[test]
fn without_a_server_the_client_says_so() {
    let setup = Setup::existing();
    let output = setup.sql("SELECT 1");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.starts_with("ERROR: cannot dial server.\n"), "{errors}");
    assert!(errors.contains("connection refused"), "{errors}");
}

#[test]
fn node_status_drain_and_quit() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    let run = |words: &[&str]| {
        let mut command = kwbase(true);
        command
            .args(words)
            .args(["--insecure", &format!("--host=127.0.0.1:{}", setup.sql_port)]);
        command.output().unwrap()
    };
    let output = run(&["node", "status"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.starts_with("id\taddress\tsql_address\tbuild\t"),
        "{output:?}"
    );
    assert!(
        text.contains(&format!("\n1\t127.0.0.1:{}\t", setup.sql_port)),
        "{text}"
    );
    let output = run(&["node", "drain"]);
    assert!(
        output.status.success() && output.stdout.ends_with(b"ok\n"),
        "{output:?}"
    );
    assert!(server.is_running());
    assert_eq!(setup.status("/health"), Some(200));
    assert_eq!(setup.status("/health?ready=1"), Some(503));
    let refused = setup.sql("SELECT 1");
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("57P01"),
        "{refused:?}"
    );
    assert_eq!(
        run(&["quit"]).status.code(),
        Some(1),
        "a drained server takes no session"
    );
    assert_eq!(server.stop().code(), Some(0));
    drop(server);
    let mut server = setup.serve();
    let output = run(&["quit"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n");
    assert_eq!(server.wait().code(), Some(0));
}
