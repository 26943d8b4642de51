//! What start leaves running, and what later calls make of it.

use contract::call::Call;
use contract::machine::{AGENT, BINARY, DATA_ROOT, RUN_DIRECTORY, SERVICE_ID, eventually};
use contract::process::{self, Process};
use contract::programs::Programs;
use contract::{on_a_bare_machine, on_a_machine, store};
use std::fs;

#[test]
fn the_server_is_on_its_own() {
    on_a_machine(|machine| {
        // Descriptor 9 is one that the caller forgot to close: whoever reads its other end waits for the last holder.
        let outcome = machine.agent("start").redirect("9>&1 >/dev/null").run();
        outcome.succeeds();
        let server = process::server();
        let [sentinel] = process::sentinels()[..] else {
            panic!("not one sentinel")
        };
        assert_eq!(server.parent(), i64::from(sentinel.0));
        for process in [server, sentinel] {
            assert_eq!(process.session(), i64::from(process.0), "a session of its own");
            // A pipe of its own has both ends here.
            let held = process.descriptors();
            let pipes = || held.iter().filter(|(_, target)| target.starts_with("pipe:"));
            assert!(
                pipes().all(|(_, target)| pipes().filter(|(_, other)| other == target).count() > 1),
                "{held:?}"
            );
        }
        assert_eq!(server.user(), SERVICE_ID);
        assert_eq!(sentinel.user(), 0);
        let target = |number| {
            let held = server.descriptors();
            held.into_iter()
                .find(|(found, _)| *found == number)
                .map(|(_, target)| target)
        };
        let output = format!("{RUN_DIRECTORY}/output");
        assert_eq!(target(0).as_deref(), Some("/dev/null"));
        assert_eq!(target(1).as_ref(), Some(&output));
        // Once it serves it writes its errors to its log.
        eventually("standard error is in the log", || {
            target(2).is_some_and(|target| target.starts_with(&format!("{DATA_ROOT}/logs/")))
        });
        let here = fs::read_link(format!("/proc/{}/cwd", server.0)).expect("root may look");
        assert_eq!(Some(here.as_path()), std::path::Path::new(BINARY).parent());
        assert_eq!(server.variable("HOME").as_deref(), Some("/nonexistent"));
        assert_eq!(
            server.variable("OCF_ROOT"),
            None,
            "the agent's variables are not the server's"
        );
        let arguments = server.arguments();
        for expected in [
            "--insecure",
            "--listen-addr=0.0.0.0:26257",
            "--http-addr=0.0.0.0:8080",
            "--store=/var/lib/kaiwudb",
        ] {
            assert!(
                arguments.iter().any(|argument| argument == expected),
                "{arguments:?}"
            );
        }
        let raised = fs::read_to_string("/proc/sys/vm/max_map_count").expect("a file of /proc");
        assert_eq!(raised.trim(), "10000000", "as the vendor's unit does");
        machine.agent("stop").run().succeeds();
    });
}

/// Pacemaker kills the whole process group of an action that is over its timeout.
#[test]
fn the_server_survives_the_agent() {
    on_a_machine(|machine| {
        machine.server_variables(&[("KWBASE_STANDIN_START_DELAY", "1.5")]);
        let start = machine.agent("start").spawn();
        eventually("the server runs", || !process::servers().is_empty());
        start.kill_group();
        assert_eq!(start.outcome().code(), -9);
        let server = process::server();
        assert_eq!(process::sentinels().len(), 1);
        assert_eq!(machine.start(), server, "the next start goes on with it");
        machine.monitor().run().succeeds();
        machine.agent("stop").run().succeeds();
    });
}

#[test]
fn an_empty_file_system_becomes_a_store() {
    on_a_bare_machine(|machine| {
        store::mount(&store::empty());
        machine.start();
        machine.monitor().level(10).run().succeeds();
        machine.agent("stop").run().succeeds();
        // The cluster owns a store from now on: no new one is begun.
        machine.shell(&format!("rm -r {DATA_ROOT}/*"));
        machine.agent("start").run().fails(
            1,
            &[
                "is empty",
                "start over: crm_attribute",
                "kaiwudb-store-KaiwuDB -D",
            ],
        );
        assert_eq!(process::servers(), []);
        let left = fs::read_dir(DATA_ROOT).expect("it is mounted").count();
        assert_eq!(left, 0, "nothing was made in the empty file system");
    });
}

/// The cluster remembers which store it owns, and another one is not taken for it, however soon it takes its place.
#[test]
fn a_foreign_store_is_refused() {
    on_a_machine(|machine| {
        machine.start();
        machine.agent("stop").run().succeeds();
        let image = |name: &str| format!("umount {DATA_ROOT}; mount -o loop /run/{name}.img {DATA_ROOT}");
        machine.shell(&format!(
            "umount {DATA_ROOT}; cp --sparse=always /run/store-1.img /run/foreign.img; {{ e2fsck -fp /run/foreign.img || :; }} >/dev/null; tune2fs -U random /run/foreign.img
             mount -o loop /run/store-1.img {DATA_ROOT}"
        ));
        for _ in 0..2 {
            machine.shell(&image("foreign"));
            machine.agent("start").run().fails(
                1,
                &[
                    "wrong store",
                    "accept it: crm_attribute",
                    "kaiwudb-store-KaiwuDB -D",
                ],
            );
            assert_eq!(process::servers(), []);
            machine.shell(&image("store-1"));
            machine.start();
            machine.agent("stop").run().succeeds();
        }
        machine.leave_cluster();
        machine.agent("start").by_hand().run().succeeds();
        machine.agent("stop").by_hand().run().succeeds();
    });
}

/// A server that somebody else started is managed without a restart.
#[test]
fn a_server_started_by_hand_is_adopted() {
    on_a_machine(|machine| {
        machine.shell(&format!(
            "setpriv --reuid=kaiwudb --regid=kaiwudb --clear-groups {BINARY} start-single-node --insecure \
             --listen-addr=0.0.0.0:26257 --http-addr=0.0.0.0:8080 --store={DATA_ROOT} >/dev/null 2>&1 </dev/null &"
        ));
        eventually("a probe sees it", || machine.probe().run().code() == 0);
        let server = process::server();
        assert_eq!(machine.start(), server);
        assert_eq!(process::sentinels().len(), 1);
        machine.monitor().level(10).run().succeeds();
        machine.agent("stop").run().succeeds();
        assert_eq!(process::servers(), []);
        eventually("the sentinel goes", || process::sentinels().is_empty());
    });
}

/// Somebody starts a server while the store is not mounted, and then the cluster mounts it: what runs below is another store. Where
/// the mount point is immutable (`kaiwudb-ha guard`) nothing begins there at all.
#[test]
fn a_server_below_the_mount_is_not_adopted() {
    on_a_machine(|machine| {
        machine.start();
        machine.agent("stop").run().succeeds();
        let flags = std::env::var("KWBASE_EXTRA_ARGS").unwrap_or_default();
        let by_hand = format!(
            "{BINARY} start-single-node --insecure --listen-addr=0.0.0.0:26257 --http-addr=0.0.0.0:8080 --store={DATA_ROOT} {flags}"
        );
        machine.shell(&format!("umount {DATA_ROOT} && test -z \"$(ls -A {DATA_ROOT})\""));
        let guarded = machine.shell(&format!("chattr +i {DATA_ROOT} && echo yes || echo no"));
        if guarded.trim() == "yes" {
            machine.shell(&format!(
                "! timeout 20 {by_hand} >/dev/null 2>&1 </dev/null && test -z \"$(ls -A {DATA_ROOT})\"; chattr -i {DATA_ROOT}"
            ));
        } else {
            eprintln!("not tried: no directory can be made immutable here");
        }
        machine.shell(&format!(
            "chown kaiwudb: {DATA_ROOT}; setpriv --reuid=kaiwudb --regid=kaiwudb --clear-groups {by_hand} >/dev/null 2>&1 </dev/null &"
        ));
        let health = "curl -sf http://127.0.0.1:8080/health?ready=1 >/dev/null && echo ready || true";
        eventually("it serves", || machine.shell(health).contains("ready"));
        let stray = process::server();
        machine.shell(&format!("mount -o loop /run/store-1.img {DATA_ROOT}"));
        let stray_pid = format!("pid {}", stray.0);
        machine
            .agent("start")
            .run()
            .fails(1, &["was running already, below what is mounted", &stray_pid]);
        assert!(stray.is_running(), "somebody else's server is left to him");
        machine.signal(stray, "KILL");
        eventually("it ends", || !stray.is_running());
        machine.start();
    });
}

/// A record of a process that is not our server: after a pid was used again, or a file that somebody else wrote.
#[test]
fn a_foreign_process_is_left_alone() {
    on_a_machine(|machine| {
        machine.shell("sleep 1000 >/dev/null 2>&1 </dev/null &");
        let find = || process::all(|arguments| arguments.first().is_some_and(|name| name == "sleep"));
        eventually("it sleeps", || !find().is_empty());
        let foreign = find()[0];
        fs::create_dir_all(RUN_DIRECTORY).expect("/run can be written");
        for start_time in [foreign.start_time() - 1, foreign.start_time()] {
            let record = serde_json::json!({"pid": foreign.0, "start_time": start_time}).to_string();
            fs::write(format!("{RUN_DIRECTORY}/server.json"), &record).expect("/run can be written");
            machine.probe().run().is_silent(7);
            machine.monitor().run().fails(7, &["not running"]);
            machine.agent("stop").run().succeeds();
            assert!(
                foreign.is_running(),
                "stop ended a process that is not the server: {record}"
            );
        }
        let server = machine.start();
        assert_ne!(server, foreign);
        machine.agent("stop").run().succeeds();
        assert!(foreign.is_running());
        fs::write(format!("{RUN_DIRECTORY}/server.json"), "not JSON").expect("/run can be written");
        machine.probe().run().is_silent(7);
        machine.agent("stop").run().succeeds();
    });
}

/// A program that passes for a second server of the store, because no second one would get the lock.
fn second_server(machine: &contract::Machine) -> Process {
    let before = process::servers();
    machine.shell(&format!(
        "mkdir -p /run/second; cd /run/second; cp /bin/bash kwbase; echo 'while :; do sleep 1; done' >start-single-node
         ./kwbase start-single-node --store={DATA_ROOT} >/dev/null 2>&1 </dev/null &"
    ));
    let mut found = None;
    eventually("a second server runs", || {
        found = process::servers()
            .into_iter()
            .find(|server| !before.contains(server));
        found.is_some()
    });
    found.expect("just seen")
}

#[test]
fn two_servers_on_one_store() {
    on_a_machine(|machine| {
        let first = machine.start();
        let second = second_server(machine);
        let pids = [first.0.to_string(), second.0.to_string()];
        let words = ["2 servers", DATA_ROOT, &pids[0], &pids[1]];
        machine.monitor().level(10).run().fails(1, &words);
        machine.agent("start").run().fails(1, &words);
        assert!(first.is_running() && second.is_running(), "nothing is touched");
        // Stop has one meaning: afterwards none of them uses the store.
        machine.agent("stop").run().succeeds();
        assert_eq!(process::servers(), []);
    });
}

/// The installation's own description is enough: no parameter is given.
#[test]
fn a_stock_installation() {
    on_a_machine(|machine| {
        machine.shell(&format!(
            "umount {DATA_ROOT}; mkdir -p /etc/kaiwudb/info /var/lib/elsewhere; mount -o loop /run/store-1.img /var/lib/elsewhere
             printf 'bare\\nsingle\\n/usr/local/kaiwudb\\n/var/lib/elsewhere\\n30257\\n30080\\nkaiwudb\\ninsecure\\nfalse\\n127.0.0.1\\n' \
             >/etc/kaiwudb/info/MODE"
        ));
        let server = machine.start();
        let arguments = server.arguments();
        for expected in [
            "--store=/var/lib/elsewhere",
            "--advertise-addr=127.0.0.1:30257",
            "--http-addr=0.0.0.0:30080",
        ] {
            assert!(
                arguments.iter().any(|argument| argument == expected),
                "{arguments:?}"
            );
        }
        machine.monitor().level(10).run().succeeds();
        machine.agent("stop").run().succeeds();
        if Programs::get().is_standin {
            // Stopped and started again it is the same database.
            machine.start();
            machine.agent("stop").run().succeeds();
        }
    });
}

/// An operator's shell or an old Corosync may hand on limits, priorities and signals: none of them reaches server and sentinel.
#[test]
fn a_start_is_a_clean_slate() {
    const SPOILT: &str = "#!/bin/sh\ntrap '' TERM HUP\numask 077\nulimit -S -n 256; ulimit -S -f 2000000; ulimit -S -t 600\n\
                          exec nice -n 10 ionice -c 3 taskset 1 chrt --rr 5 env --ignore-signal=CHLD --block-signal=USR1 \\\n";
    on_a_machine(|machine| {
        let seen = || {
            let [sentinel] = process::sentinels()[..] else {
                panic!("not one sentinel")
            };
            [process::server(), sentinel].map(|Process(pid)| {
                machine.shell(&format!(
                    "cd /proc/{pid}; grep -E '^(Umask|Sig(Ign|Blk)|Cpus_allowed_list)' status; cat limits timerslack_ns
                     ionice -p {pid}; chrt -p {pid} | sed s/{pid}//; ps -o ni= -p {pid}"
                ))
            })
        };
        machine.start();
        let clean = seen();
        machine.agent("stop").run().succeeds();
        fs::write("/run/spoilt", format!("{SPOILT}{AGENT} \"$@\"\n")).unwrap();
        machine.shell("chmod +x /run/spoilt");
        Call::new("/run/spoilt".into(), "start").run().succeeds();
        assert_eq!(seen(), clean);
        Call::new("/run/spoilt".into(), "stop").run().succeeds();
    });
}
