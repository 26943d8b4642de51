//! Stopping: drain, close, second signals, sudden ends, hangs.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Setup, eventually, signal_of};
use crate::raw::RawSession;

/// Waits until the server has taken a first signal. Two that come before are one.
fn is_draining(setup: &Setup) {
    eventually("it drains", || {
        (setup.status("/health?ready=1") == Some(503)).then_some(())
    });
}

fn refused(setup: &Setup) -> bool {
    TcpStream::connect(setup.sql_address()).is_err()
}

#[test]
fn a_graceful_stop_passes_through_its_phases() {
    let setup = Setup::existing().with("DRAIN_SECONDS", "2");
    let mut server = setup.serve();
    setup.value("SET CLUSTER SETTING server.shutdown.query_wait = '120s'");
    // A transaction keeps the drain from its end.
    let mut session = RawSession::open(&setup);
    session.query("BEGIN");
    server.signal(Signal::SIGTERM);
    let text = eventually("it drains", || {
        let (status, text) = setup.http("/health?ready=1").unwrap();
        (status == 503).then_some(text)
    });
    assert!(text.contains("node is shutting down"), "{text}");
    assert_eq!(setup.status("/health"), Some(200));
    assert!(setup.sql("SELECT 1").status.code() == Some(1));
    let began = Instant::now();
    session.query("COMMIT");
    eventually("ports refuse", || refused(&setup).then_some(()));
    assert!(setup.status("/health").is_none());
    assert!(server.is_running(), "ports close before the process ends");
    assert_eq!(server.wait().code(), Some(0));
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1900), "{took:?}");
    assert_eq!(setup.postgres(), []);
    assert_eq!(
        fs::read_to_string(setup.store.join("temp-dirs-record.txt")).unwrap(),
        ""
    );
}

#[test]
fn the_signal_decides_the_exit_code() {
    let setup = Setup::existing();
    for (signal, code) in [(Signal::SIGTERM, 0), (Signal::SIGQUIT, 0), (Signal::SIGINT, 1)] {
        let mut server = setup.serve();
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(code), "{signal}");
    }
}

#[test]
fn a_second_signal_kills_and_loses_nothing() {
    // Much longer than the test waits for any end.
    let setup = Setup::existing().with("DRAIN_SECONDS", "600");
    let mut server = setup.serve();
    setup.value("CREATE TABLE t (i INT); INSERT INTO t SELECT generate_series(1, 1000); SELECT 1");
    for (signal, number) in [(Signal::SIGTERM, 15), (Signal::SIGINT, 2), (Signal::SIGQUIT, 3)] {
        server.signal(Signal::SIGTERM);
        is_draining(&setup);
        assert!(server.is_running());
        server.signal(signal);
        assert_eq!(signal_of(server.wait()), Some(number));
        drop(server);
        server = setup.serve();
        assert_eq!(setup.value("SELECT count(*) FROM t"), "1000");
    }
}

#[test]
fn an_idle_session_ends_at_once() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    let mut session = RawSession::open(&setup);
    assert_eq!(session.query("SELECT 1"), b"TDCZ");
    let began = Instant::now();
    server.signal(Signal::SIGTERM);
    let farewell = session.farewell();
    assert!(
        farewell.contains("57P01") && farewell.contains("server is shutting down"),
        "{farewell}"
    );
    // After query_wait, 10 s by default, it would end in any case.
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_transaction_may_finish_within_query_wait() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    let mut session = RawSession::open(&setup);
    session.query("CREATE TABLE t (i INT)");
    session.query("BEGIN");
    session.query("INSERT INTO t VALUES (1)");
    server.signal(Signal::SIGTERM);
    is_draining(&setup);
    assert!(server.is_running());
    assert_eq!(session.query("COMMIT"), b"CZ");
    assert!(session.farewell().contains("57P01"));
    assert_eq!(server.wait().code(), Some(0));
    drop(server);
    let _server = setup.serve();
    assert_eq!(setup.value("SELECT count(*) FROM t"), "1");
}

#[test]
fn after_query_wait_sessions_are_ended() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    assert_eq!(
        setup.value("SET CLUSTER SETTING server.shutdown.query_wait = '1s'"),
        "SET CLUSTER SETTING"
    );
    let mut open = RawSession::open(&setup);
    open.query("BEGIN");
    let mut busy = RawSession::open(&setup);
    busy.ask("SELECT pg_sleep(60)");
    setup.wait_for_query("SELECT pg_sleep(60)");
    let began = Instant::now();
    server.signal(Signal::SIGTERM);
    assert!(open.farewell().contains("57P01"));
    assert!(busy.farewell().contains("57P01"));
    assert_eq!(server.wait().code(), Some(0));
    let took = began.elapsed();
    // With the default of 10 s it would be 11.
    assert!(
        (Duration::from_secs(2)..Duration::from_secs(11)).contains(&took),
        "{took:?}"
    );
}

#[test]
fn drain_wait_is_paid_twice() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    setup.value("SET CLUSTER SETTING server.shutdown.drain_wait = '500ms'");
    let _session = RawSession::open(&setup);
    let began = Instant::now();
    assert_eq!(server.stop().code(), Some(0));
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn sigkill_takes_postgresql_down_and_keeps_what_was_acknowledged() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    let mut session = RawSession::open(&setup);
    session.query("CREATE TABLE t (i INT)");
    for number in 0..50 {
        assert_eq!(session.query(&format!("INSERT INTO t VALUES ({number})")), b"CZ");
    }
    // One that is not committed.
    session.query("BEGIN");
    session.query("INSERT INTO t VALUES (1000)");
    server.signal(Signal::SIGKILL);
    assert_eq!(signal_of(server.wait()), Some(9));
    eventually("PostgreSQL is gone", || setup.postgres().is_empty().then_some(()));
    let mut server = setup.serve();
    assert_eq!(setup.value("SELECT count(*) FROM t"), "50");
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn lock_files_of_another_machine_are_no_obstacle() {
    let setup = Setup::existing();
    // Process 1 exists on every machine, so PostgreSQL alone would refuse.
    for name in ["postmaster.pid", ".s.PGSQL.5432.lock"] {
        fs::write(setup.store.join("pg").join(name), "1\n/elsewhere\n0\n5432\n\n\n").unwrap();
    }
    let _server = setup.serve();
    assert_eq!(setup.value("SELECT 1"), "1");
}

#[test]
fn the_death_of_the_engine_is_fatal() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    let postmaster = fs::read_to_string(setup.store.join("pg/postmaster.pid")).unwrap();
    let postmaster: i32 = postmaster.lines().next().unwrap().parse().unwrap();
    kill(Pid::from_raw(postmaster), Signal::SIGKILL).unwrap();
    assert_eq!(server.wait().code(), Some(255));
    assert!(setup.log().contains("storage engine ended"));
}

#[test]
fn a_signal_to_every_process_is_one_stop() {
    // What systemd does to a unit's control group.
    let setup = Setup::existing();
    let mut server = setup.serve();
    let mut session = RawSession::open(&setup);
    session.query("SELECT 1");
    for pid in setup.postgres() {
        // A worker may have ended since the list was made.
        let sent = kill(Pid::from_raw(pid), Signal::SIGTERM);
        assert!(matches!(sent, Ok(()) | Err(Errno::ESRCH)), "{sent:?}");
    }
    assert_eq!(server.stop().code(), Some(0), "{}", setup.log());
}

#[test]
fn a_stopped_process_accepts_but_does_not_answer() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    server.signal(Signal::SIGSTOP);
    assert!(TcpStream::connect(setup.sql_address()).is_ok());
    assert!(setup.is_silent());
    let began = Instant::now();
    let output = crate::harness::kwbase(true)
        .args(["sql", "--insecure", "-e", "SELECT 1"])
        .env("KWBASE_HOST", "127.0.0.1")
        .env("KWBASE_PORT", setup.sql_port.to_string())
        .env("KWBASE_CONNECT_TIMEOUT", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    // The default is 15 s.
    assert!((Duration::from_secs(1)..Duration::from_secs(15)).contains(&began.elapsed()));
    server.signal(Signal::SIGCONT);
    assert_eq!(setup.value("SELECT 2"), "2");
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn a_server_that_hangs_by_itself() {
    let setup = Setup::existing().with("HANG_AFTER_READY", "0.5");
    let mut server = setup.start();
    setup.wait_for_log("from now on nothing answers", 1);
    assert!(setup.is_silent());
    assert!(TcpStream::connect(setup.sql_address()).is_ok());
    server.signal(Signal::SIGTERM);
    setup.wait_for_log("received signal 15", 1);
    assert!(server.is_running());
    server.signal(Signal::SIGTERM);
    assert_eq!(signal_of(server.wait()), Some(15));
}

#[test]
fn sigterm_can_be_ignored() {
    let setup = Setup::existing().with("IGNORE_SIGTERM", "1");
    let mut server = setup.serve();
    for times in 1..=2 {
        server.signal(Signal::SIGTERM);
        setup.wait_for_log("SIGTERM is ignored", times);
    }
    assert!(server.is_running());
    assert_eq!(setup.value("SELECT 1"), "1");
}

#[test]
fn sigusr1_writes_backtraces() {
    let setup = Setup::existing();
    let server = setup.serve();
    server.signal(Signal::SIGUSR1);
    let text = eventually("the file exists", || {
        let names = fs::read_dir(&setup.store).unwrap().flatten();
        let mut found = names.filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("goroutine_backtrace.")
        });
        fs::read_to_string(found.next()?.path())
            .ok()
            .filter(|text| !text.is_empty())
    });
    assert!(text.contains("thread "), "{text}");
}
