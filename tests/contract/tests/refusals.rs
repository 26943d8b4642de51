//! Starts that must fail, and the sentence that says why.

use contract::machine::{BINARY, CERTS, DATA_ROOT, ENVIRONMENT, Machine};
use contract::programs::Programs;
use contract::{Call, on_a_machine, process};
use std::net::TcpListener;

/// Makes `breaks` on a machine with a good store and expects the start to fail with these words.
#[track_caller]
fn refused<T>(breaks: impl FnOnce(&Machine, Call) -> (Call, T) + Send, code: i32, words: &[&str]) {
    on_a_machine(|machine| {
        let (call, kept) = breaks(machine, machine.agent("start"));
        call.run().fails(code, words);
        assert_eq!(process::servers(), [], "a failed start leaves no server");
        drop(kept);
        machine.probe().run().is_silent(7);
        machine.agent("stop").run().succeeds();
        let left = process::sentinels();
        assert_eq!(left, [], "a failed start leaves no sentinel");
    });
}

/// The common case: a shell command breaks it.
#[track_caller]
fn broken_by(script: &str, code: i32, words: &[&str]) {
    refused(
        |machine, call| {
            machine.shell(&format!("cd {DATA_ROOT}; {script}"));
            (call, ())
        },
        code,
        words,
    );
}

#[test]
fn the_installation() {
    broken_by(&format!("umount {BINARY}; rm {BINARY}"), 5, &[BINARY, "install"]);
    broken_by(
        &format!("umount {BINARY}; chmod 644 {BINARY}"),
        5,
        &[BINARY, "executable"],
    );
    broken_by(
        &format!("umount {BINARY}; rm {BINARY}; mkdir {BINARY}"),
        5,
        &[BINARY, "executable"],
    );
    broken_by(
        &format!("umount {BINARY}; echo nonsense >{BINARY}; chmod 755 {BINARY}"),
        1,
        &[BINARY],
    );
    broken_by(
        &format!("umount {BINARY}; cp /bin/true {BINARY}; chmod 755 {BINARY}"),
        1,
        &["ended with exit status 0"],
    );
    broken_by("sed -i /^kaiwudb:/d /etc/passwd", 5, &["user kaiwudb"]);
    refused(
        |_, call| (call.set("group", "nobody-knows"), ()),
        5,
        &["group nobody-knows"],
    );
    broken_by(
        &format!("rm -f {ENVIRONMENT}; mkdir {ENVIRONMENT}"),
        1,
        &[ENVIRONMENT],
    );
    broken_by("mkdir -p /etc/kaiwudb/info/MODE", 1, &["/etc/kaiwudb/info/MODE"]);
}

#[test]
fn the_store() {
    broken_by("rm CURRENT", 1, &[DATA_ROOT, "CURRENT missing"]);
    broken_by("rm -r tsdb", 1, &[DATA_ROOT, "tsdb missing"]);
    broken_by(
        "rm kwbase.start_mode",
        1,
        &[DATA_ROOT, "kwbase.start_mode missing"],
    );
    broken_by(
        "echo start >kwbase.start_mode",
        1,
        &["'start'", "start_mode=start"],
    );
    refused(
        |_, call| (call.set("start_mode", "start-single-replica"), ()),
        1,
        &["'start-single-node'", "start_mode=start-single-node"],
    );
    broken_by(
        "mkdir -p auxiliary; echo 'node 1 lost its ranges' >auxiliary/_CRITICAL_ALERT.txt",
        1,
        &["_CRITICAL_ALERT.txt", "node 1 lost its ranges"],
    );
    broken_by(
        &format!("mount -o remount,ro {DATA_ROOT}"),
        1,
        &[DATA_ROOT, "read-only"],
    );
    broken_by(
        &format!("chown -R root: {DATA_ROOT}; chmod -R go-rwx {DATA_ROOT}"),
        1,
        &["the service user may not write", "owner of data_root"],
    );
    broken_by(
        "dd if=/dev/zero of=fill bs=1M 2>/dev/null || :",
        1,
        &["disk is full"],
    );
}

#[test]
fn the_ports() {
    let listen = |port: u16| {
        move |_: &Machine, call: Call| {
            let listener = TcpListener::bind(("0.0.0.0", port)).expect("the port is free on this machine");
            (call, listener)
        }
    };
    refused(
        listen(26257),
        1,
        &["another process listens on", "26257", "exit status 1"],
    );
    refused(
        listen(8080),
        1,
        &["another process listens on", "8080", "exit status 1"],
    );
    refused(
        |_, call| (call.set("listen_host", "10.9.8.7"), ()),
        1,
        &["10.9.8.7", "not on this node"],
    );
}

#[test]
fn the_server_itself() {
    refused(
        |_, call| (call.set("extra_args", "--no-such-flag=1"), ()),
        1,
        &["--no-such-flag", "KAIWUDB_START_ARG, extra_args"],
    );
    broken_by(
        &format!("echo KAIWUDB_START_ARG=--join=x >{ENVIRONMENT}"),
        1,
        &["--join"],
    );
    broken_by(
        "mount -t tmpfs none /usr/share/zoneinfo",
        1,
        &["the time zone database is missing; install tzdata"],
    );
    if Programs::get().is_standin {
        for code in [0, 2, 255] {
            let script = format!("echo KWBASE_STANDIN_EXIT_AT_START={code} >{ENVIRONMENT}");
            broken_by(
                &script,
                1,
                &[&format!("the server ended with exit status {code}")],
            );
        }
    }
}

/// Another server has the store open under another name, which no look at command lines can tell.
#[test]
fn the_lock_is_held() {
    on_a_machine(|machine| {
        machine.shell(&format!(
            "mkdir -p /run/alias; mount --bind {DATA_ROOT} /run/alias"
        ));
        let other = machine
            .agent("start")
            .env("OCF_RESOURCE_INSTANCE", "Other")
            .set("data_root", "/run/alias")
            .set("sql_port", "30001")
            .set("http_port", "30002")
            .set("brpc_port", "30003");
        other.run().succeeds();
        let server = process::server();
        machine
            .agent("start")
            .run()
            .fails(1, &["another server uses this store"]);
        assert_eq!(process::server(), server, "the other one runs on");
    });
}

#[test]
fn the_certificates() {
    let tls = |script: &'static str| {
        move |machine: &Machine, call: Call| {
            machine.make_certificates("127.0.0.1 localhost");
            machine.shell(&format!("cd {CERTS}; {script}"));
            (call.set("secure_mode", "tls"), ())
        }
    };
    refused(tls("rm ca.crt"), 5, &["/etc/kaiwudb/certs/ca.crt"]);
    refused(tls("rm node.key"), 5, &["/etc/kaiwudb/certs/node.key"]);
    refused(tls("chmod 640 node.key"), 2, &["node.key", "0640", "chmod 600"]);
    refused(tls("chown root node.key"), 2, &["node.key", "chown"]);
    refused(tls("echo nonsense >node.crt"), 1, &["certificate"]);
    refused(tls(": >node.key"), 1, &["the node's key file is empty or no PEM"]);
    refused(
        tls("openssl genrsa -out other.key 2048 2>/dev/null; cat other.key >node.key"),
        1,
        &["node.key does not belong to node.crt"],
    );
    refused(tls("rm -r ../certs"), 5, &["/etc/kaiwudb/certs/ca.crt"]);
}
