//! Starting: flags, phases, the store, and everything that refuses to start.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Server, Setup, eventually, kwbase, signal_of};

#[test]
fn an_empty_directory_becomes_a_new_cluster_that_keeps_its_identity() {
    let setup = Setup::empty();
    let mut server = setup.serve();
    let id = setup.value("SELECT crdb_internal.cluster_id()");
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(setup.value("SELECT kwdb_internal.cluster_id()"), id);
    assert_eq!(
        fs::read_to_string(setup.store.join("standin.cluster-id"))
            .unwrap()
            .trim(),
        id
    );
    assert_eq!(
        fs::read_to_string(setup.store.join("kwbase.start_mode")).unwrap(),
        "start-single-node"
    );
    for name in [
        "CURRENT",
        "MANIFEST-000001",
        "LOCK",
        "IDENTITY",
        "KWBASEDB_VERSION",
        "tsdb/wal",
        "auxiliary",
    ] {
        assert!(setup.store.join(name).exists(), "{name}");
    }
    let listen = fs::read_to_string(setup.store.join("kwbase.listen-addr")).unwrap();
    assert_eq!(listen, setup.sql_address().to_string());
    assert!(
        setup
            .value("SELECT version()")
            .starts_with("KaiwuDB 3.2.1-standin")
    );
    assert_eq!(server.stop().code(), Some(0));
    let _server = setup.serve();
    assert_eq!(setup.value("SELECT crdb_internal.cluster_id()"), id);
}

#[test]
fn root_may_run_it_too_and_another_user_later() {
    let setup = Setup::empty().run_as_root();
    let mut server = setup.serve();
    assert_eq!(
        setup.value("CREATE TABLE t (i INT); INSERT INTO t VALUES (7); SELECT i FROM t"),
        "7"
    );
    assert_eq!(server.stop().code(), Some(0));
    let mut server = setup.serve();
    assert_eq!(setup.value("SELECT i FROM t"), "7");
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn phases_of_a_start() {
    // On a busy machine a short start may be over before all questions are asked.
    for seconds in ["0.7", "5", "30"] {
        let setup = Setup::existing().with("START_DELAY", seconds);
        let mut server = setup.start();
        let delay = Duration::from_secs_f64(seconds.parse().unwrap());
        if during_a_start(&setup, &server, delay) {
            after_a_start(&setup, &mut server);
            return;
        }
    }
    panic!("no start was longer than its questions");
}

/// Whether all questions were asked before the start was over.
fn during_a_start(setup: &Setup, server: &Server<'_>, delay: Duration) -> bool {
    eventually("the port accepts", || {
        TcpStream::connect(setup.sql_address()).ok()
    });
    eventually("health answers", || {
        (setup.status("/health") == Some(200)).then_some(())
    });
    let (status, text) = setup.http("/health?ready=1").unwrap();
    let others = ["/_admin/v1/health", "/_status/vars"].map(|path| setup.status(path));
    if server.began.elapsed() > delay {
        return false;
    }
    assert_eq!(status, 503);
    assert!(
        text.contains("\"error\": \"node is waiting for cluster initialization\""),
        "{text}"
    );
    assert!(text.contains("\"code\": 14"), "{text}");
    assert_eq!(others, [Some(404), Some(404)]);
    // A query during the start blocks and is answered afterwards.
    assert_eq!(setup.value("SELECT 5"), "5");
    assert!(server.began.elapsed() > delay);
    true
}

fn after_a_start(setup: &Setup, server: &mut Server<'_>) {
    assert_eq!(setup.status("/health?ready=1"), Some(200));
    assert_eq!(setup.status("/_admin/v1/health"), Some(200));
    let (_, metrics) = setup.http("/_status/vars").unwrap();
    assert!(metrics.contains("\nliveness_livenodes 1\n"), "{metrics}");
    assert!(
        metrics.contains("\ncapacity_available{store=\"1\"} "),
        "{metrics}"
    );
    assert!(
        metrics.contains("\nsecurity_certificate_expiration_node 0\n"),
        "{metrics}"
    );
    assert!(server.is_running());
}

#[test]
fn flags_that_do_not_exist_are_errors() {
    for (flag, text) in [
        ("--tlcp", "ERROR: unknown flag: --tlcp"),
        (
            "--store-encryption=path=/x,key=/y,cipher=sm4",
            "ERROR: unknown flag: --store-encryption",
        ),
        (
            "--join=localhost:1",
            "ERROR: cannot use --join with 'kaiwudb start-single-node'",
        ),
        (
            "--max-offset=1",
            "ERROR: invalid argument \"1\" for \"--max-offset\" flag",
        ),
    ] {
        let (code, errors) = Setup::empty().flag(flag).fails();
        assert_eq!(code, Some(1));
        assert!(errors.starts_with(text), "{errors}");
        assert!(
            errors.ends_with("Failed running \"start-single-node\"\n"),
            "{errors}"
        );
    }
    let output = kwbase(true).arg("begin").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown command \"begin\""));
}

#[test]
fn version_says_that_it_is_a_stand_in() {
    let output = kwbase(true).arg("version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.starts_with("KaiwuDB Version:  3.2.1-standin\n"), "{text}");
    assert!(text.contains("\nDistribution:     stand-in "), "{text}");
}

#[test]
fn a_port_in_use_is_named() {
    let setup = Setup::existing();
    for (port, flag) in [(setup.http_port, "http-addr"), (setup.sql_port, "listen-addr")] {
        let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (code, errors) = setup.fails();
        assert_eq!(code, Some(1));
        let text = format!(
            "consider changing the port via --{flag}: listen tcp 127.0.0.1:{port}: bind: address already in use"
        );
        assert!(errors.contains(&text), "{errors}");
        assert!(setup.log().contains(&text));
    }
}

#[test]
fn a_second_server_on_the_store_is_refused() {
    let setup = Setup::existing();
    let mut first = setup.serve();
    let second = Setup::empty().store_at(&setup.store);
    let (code, errors) = second.fails();
    assert_eq!(code, Some(1));
    assert!(errors.contains("could not lock temporary directory "), "{errors}");
    assert!(
        errors.contains("TEMP_DIR.LOCK: Resource temporarily unavailable"),
        "{errors}"
    );
    // Without the record of temporary directories the engine's own lock is what holds.
    fs::write(setup.store.join("temp-dirs-record.txt"), "").unwrap();
    let (code, errors) = second.fails();
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("failed to create engines: IO error: While lock file: "),
        "{errors}"
    );
    assert!(first.is_running());
    assert_eq!(setup.value("SELECT 1"), "1");
}

#[test]
fn stores_that_are_not_right_are_refused() {
    let setup = Setup::existing();
    let mode = setup.store.join("kwbase.start_mode");
    fs::write(&mode, "start").unwrap();
    let (code, errors) = setup.fails();
    let text = "check start mode failed! Node start mode is start-single-node, should be start";
    assert!(code == Some(1) && errors.contains(text), "{errors}");
    fs::remove_file(&mode).unwrap();
    let (code, errors) = setup.fails();
    assert!(
        code == Some(1) && errors.contains("cluster start mode file does not exist"),
        "{errors}"
    );
    fs::write(&mode, "start-single-node").unwrap();
    let current = setup.store.join("CURRENT");
    fs::rename(&current, setup.store.join("aside")).unwrap();
    let (code, errors) = setup.fails();
    assert!(
        code == Some(1) && errors.contains("cannot verify empty engine for bootstrap"),
        "{errors}"
    );
    fs::rename(setup.store.join("aside"), &current).unwrap();
    let alert = setup.store.join("auxiliary/_CRITICAL_ALERT.txt");
    fs::write(&alert, "ask the operator").unwrap();
    let (code, errors) = setup.fails();
    assert!(
        code == Some(255) && errors.contains("ask the operator"),
        "{errors}"
    );
    fs::remove_file(&alert).unwrap();
    // A store that lost its time series starts as if nothing were wrong.
    fs::remove_dir_all(setup.store.join("tsdb")).unwrap();
    let _server = setup.serve();
    assert!(setup.store.join("tsdb/wal").exists());
}

/// Pebble, when it is asked for by name, finds its own files without.
#[test]
fn a_store_without_current_starts_with_pebble() {
    let setup = Setup::existing().flag("--storage-engine=pebble");
    fs::remove_file(setup.store.join("CURRENT")).unwrap();
    let _server = setup.serve();
    assert!(setup.log().contains("restarted pre-existing node"));
}

/// Go's fatal errors and the engine's last words are where the log is.
#[test]
fn standard_error_is_in_the_log_once_it_serves() {
    let setup = Setup::existing();
    let server = setup.serve();
    let target = fs::read_link(format!("/proc/{}/fd/2", server.pid())).unwrap();
    assert_eq!(target, setup.store.join("logs/kwbase.log"));
}

#[test]
fn the_cluster_start_command_refuses_a_single_node_store() {
    let setup = Setup::existing();
    let mut command = kwbase(true);
    command.args([
        "start",
        "--insecure",
        "--join=localhost:1",
        "--listen-addr=127.0.0.1:0",
    ]);
    command
        .arg("--http-addr=127.0.0.1:0")
        .arg(format!("--store={}", setup.store.display()));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("Node start mode is start, should be start-single-node"),
        "{errors}"
    );
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let setup = Setup::existing().run_as_root();
    let mut server = setup.serve();
    server.stop();
    drop(server);
    let stranger = Setup::empty().store_at(&setup.store);
    fs::set_permissions(&setup.store, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(&setup.store, Some(0), Some(0)).unwrap();
    let (code, errors) = stranger.fails();
    assert!(
        code == Some(1) && errors.contains("permission denied"),
        "{errors}"
    );
}

#[test]
fn signals_during_the_start() {
    let setup = Setup::existing().with("START_DELAY", "20");
    // No handler is installed yet, unless this test was not run for a moment.
    let unhandled = (0..20).any(|_| {
        let mut server = setup.start();
        server.signal(Signal::SIGTERM);
        let status = server.wait();
        assert!(
            signal_of(status) == Some(15) || status.code() == Some(0),
            "{status}"
        );
        signal_of(status).is_some()
    });
    assert!(unhandled);
    let mut server = setup.start();
    eventually("health answers", || setup.status("/health"));
    assert_eq!(server.stop().code(), Some(0));
    assert!(server.began.elapsed() < Duration::from_secs(20));
    assert!(
        setup
            .log()
            .contains("too early to drain; used hard shutdown instead")
    );
}

#[test]
fn the_faults_are_checked() {
    let (code, _) = Setup::existing().with("EXIT_AT_START", "7").fails();
    assert_eq!(code, Some(7));
    let (code, errors) = Setup::existing().with("START_DELAY", "long").fails();
    assert!(
        code == Some(1) && errors.contains("KWBASE_STANDIN_START_DELAY=long is not valid"),
        "{errors}"
    );
}

#[test]
fn the_pid_file_is_written_and_stays() {
    let setup = Setup::existing();
    let path = setup.beside("pid");
    let setup = setup.flag(format!("--pid-file={}", path.display()));
    let mut server = setup.serve();
    let written = || fs::read_to_string(&path).unwrap().trim().to_owned();
    assert_eq!(written(), server.pid().to_string());
    let pid = server.pid();
    assert_eq!(server.stop().code(), Some(0));
    assert_eq!(written(), pid.to_string());
}

#[test]
fn in_the_background_it_returns_when_the_ports_are_open() {
    let setup = Setup::existing();
    let path = setup.beside("pid");
    let setup = setup
        .flag("--background")
        .flag(format!("--pid-file={}", path.display()));
    assert_eq!(setup.command().status().unwrap().code(), Some(0));
    let pid: i32 = fs::read_to_string(&path).unwrap().trim().parse().unwrap();
    assert_eq!(setup.value("SELECT 1"), "1");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    eventually("it ends", || fs::read_link(format!("/proc/{pid}/exe")).err());
    assert_eq!(setup.postgres(), []);
}
