//! Root reads what the server's account has written, and says it aloud. What that account cannot read itself it is not told, and
//! nothing that it leaves for root to open keeps root waiting.

use contract::machine::{BINARY, DATA_ROOT, RUN_DIRECTORY, shell};
use contract::on_a_machine;
use hostile::{
    CANARY, SECRET, SERVICE, SOON, as_account, cert_sync, database, keeps_the_secret, races, start_as,
    stock_layout, the_service_goes_on,
};
use std::time::Duration;
use std::{fs, thread};

testing::tests![
    a_link_in_the_store,
    a_link_that_is_exchanged_all_the_time,
    a_log_directory_of_roots,
    a_second_name_of_roots_file,
    a_pipe_for_every_file,
    a_device_for_every_file,
    a_sparse_file_for_every_file,
    a_server_that_never_stops_talking,
];

/// What root's agents read below the account's directories, of which they read the whole.
const FILES: [&str; 4] = [
    "/etc/kaiwudb/info/MODE",
    "/etc/kaiwudb/script/kaiwudb_env",
    "/etc/kaiwudb/certs/ca.crt",
    "/etc/kaiwudb/certs/client.root.key",
];

fn a_link_in_the_store() {
    on_a_machine(|machine| {
        stock_layout();
        let auxiliary = format!("{DATA_ROOT}/auxiliary");
        for made in [
            format!("mkdir -p {auxiliary}; ln -s {CANARY} {auxiliary}/_CRITICAL_ALERT.txt"),
            format!(
                "rm -rf {auxiliary}; mkdir /tmp/aside; ln -s {CANARY} /tmp/aside/_CRITICAL_ALERT.txt; ln -s /tmp/aside {auxiliary}"
            ),
            format!(
                "rm {auxiliary}; mv {DATA_ROOT}/kwbase.start_mode /tmp/mode; ln -s {CANARY} {DATA_ROOT}/kwbase.start_mode"
            ),
        ] {
            assert_eq!(as_account(SERVICE, &made), "");
            let outcome = machine.agent("start").run();
            assert_ne!(outcome.code(), 0, "{made}");
            keeps_the_secret(&outcome, machine);
        }
        as_account(
            SERVICE,
            &format!("rm {DATA_ROOT}/kwbase.start_mode; mv /tmp/mode {DATA_ROOT}/kwbase.start_mode"),
        );
        the_service_goes_on(machine);
    });
}

/// Between a look and an opening there is always a moment. A few of them, or a thousand: see [`races`].
fn a_link_that_is_exchanged_all_the_time() {
    on_a_machine(|machine| {
        stock_layout();
        let alert = format!("{DATA_ROOT}/auxiliary/_CRITICAL_ALERT.txt");
        as_account(SERVICE, &format!("mkdir -p {DATA_ROOT}/auxiliary"));
        let mut racer = start_as(
            SERVICE,
            &format!(
                "exec perl -e 'while (1) {{ open my $f, \">\", \"/tmp/plain\"; print $f \"harmless\"; close $f; rename \"/tmp/plain\", \"/tmp/x\"; \
                 open $f, \">\", \"{alert}.n\"; print $f \"harmless\"; close $f; rename \"{alert}.n\", \"{alert}\"; \
                 symlink \"{CANARY}\", \"{alert}.l\"; rename \"{alert}.l\", \"{alert}\" }}'"
            ),
        );
        for _ in 0..races(60) {
            let outcome = machine.agent("start").run();
            keeps_the_secret(&outcome, machine);
            if outcome.code() == 0 {
                machine.agent("stop").run().succeeds();
            }
        }
        assert!(racer.is_running());
        drop(racer);
        as_account(SERVICE, &format!("rm -r {DATA_ROOT}/auxiliary"));
        the_service_goes_on(machine);
    });
}

fn a_log_directory_of_roots() {
    on_a_machine(|machine| {
        stock_layout();
        shell(&format!("mkdir /root/log; echo {SECRET} >/root/log/auth.log"));
        let broken = "KAIWUDB_START_ARG=\"--log-dir=/root/log --no-such-flag\"";
        as_account(
            SERVICE,
            &format!("echo '{broken}' >/etc/kaiwudb/script/kaiwudb_env"),
        );
        // Root's log grows while the server starts.
        let _writer = start_as(
            0,
            &format!("while :; do echo {SECRET} >>/root/log/auth.log; sleep 0.01; done"),
        );
        let outcome = machine.agent("start").run();
        assert_ne!(outcome.code(), 0);
        keeps_the_secret(&outcome, machine);
        as_account(
            SERVICE,
            "echo 'KAIWUDB_START_ARG=\"\"' >/etc/kaiwudb/script/kaiwudb_env",
        );
        the_service_goes_on(machine);
    });
}

/// Where the kernel does not protect hard links, everybody gives root's files names of his own.
fn a_second_name_of_roots_file() {
    on_a_machine(|machine| {
        stock_layout();
        shell(&format!(
            "echo {SECRET} >{DATA_ROOT}/root-only; chmod 600 {DATA_ROOT}/root-only; mkdir -p {DATA_ROOT}/auxiliary
             ln {DATA_ROOT}/root-only {DATA_ROOT}/auxiliary/_CRITICAL_ALERT.txt; chown kaiwudb: {DATA_ROOT}/auxiliary"
        ));
        let outcome = machine.agent("start").run();
        assert_ne!(outcome.code(), 0);
        keeps_the_secret(&outcome, machine);
        shell(&format!("rm -r {DATA_ROOT}/root-only {DATA_ROOT}/auxiliary"));
        the_service_goes_on(machine);
    });
}

/// Every action with every file replaced in this way: none waits, none grows, and those that must not fail do not.
fn with_every_file(replace: &str) {
    on_a_machine(|machine| {
        stock_layout();
        shell(
            "mkdir -p /etc/corosync; head -c 128 /dev/zero | tr '\\0' x >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey",
        );
        for file in FILES {
            let kept = "/etc/kaiwudb/kept";
            as_account(
                SERVICE,
                &format!(
                    "[ ! -e {file} ] || mv {file} {kept}; {}",
                    replace.replace("FILE", file)
                ),
            );
            for action in ["start", "monitor", "stop"] {
                for call in [database(action), cert_sync(action)] {
                    let call = call.set(
                        "secure_mode",
                        if file.contains("certs") { "tls" } else { "insecure" },
                    );
                    let outcome = call.run();
                    assert!(outcome.took < SOON * 2, "{file} {action}: {outcome:?}");
                    assert!(action != "stop" || outcome.code() == 0, "{file}: {outcome:?}");
                    keeps_the_secret(&outcome, machine);
                }
            }
            machine.probe().run().within(SOON).is_silent(7);
            as_account(
                SERVICE,
                &format!("rm -f {file}; [ ! -e {kept} ] || mv {kept} {file}"),
            );
        }
        the_service_goes_on(machine);
    });
}

fn a_pipe_for_every_file() {
    with_every_file("mkfifo FILE");
}

fn a_device_for_every_file() {
    with_every_file("ln -s /dev/zero FILE");
}

fn a_sparse_file_for_every_file() {
    with_every_file("truncate -s 1T FILE || truncate -s 1G FILE");
}

/// F15: /run is memory, and everybody's. What the server says there is cut.
fn a_server_that_never_stops_talking() {
    on_a_machine(|machine| {
        stock_layout();
        // The account owns the program: this one talks before it becomes the server.
        let program = "/usr/local/kaiwudb/talks/kwbase";
        fs::create_dir("/usr/local/kaiwudb/talks").unwrap();
        fs::write(
            program,
            format!(
                "#!/bin/sh\n(while :; do head -c 4M /dev/zero; sleep 0.2; done) &\necho $! >/tmp/talker\nexec {BINARY} \"$@\"\n"
            ),
        )
        .unwrap();
        shell("chmod 755 /usr/local/kaiwudb/talks/kwbase; chown -R kaiwudb: /usr/local/kaiwudb/talks");
        machine.agent("start").set("binary", program).run();
        let output = format!("{RUN_DIRECTORY}/output");
        let mut largest = 0;
        for _ in 0..50 {
            largest = largest.max(fs::metadata(&output).unwrap().len());
            thread::sleep(Duration::from_millis(200));
        }
        // 200 MiB were said.
        assert!(largest > 0 && largest < 64 << 20, "{largest}");
        shell("kill $(cat /tmp/talker) || true");
        let stop = machine.agent("stop").set("binary", program);
        stop.run().within(SOON * 2).succeeds();
    });
}
