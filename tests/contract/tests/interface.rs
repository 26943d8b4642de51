//! The command line: words, streams, environments and exit statuses.

use contract::machine::{AGENT, Machine, on_a_bare_machine};
use contract::metadata::MetaData;
use contract::{Call, on_a_machine, process};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

#[test]
fn every_action_twice() {
    on_a_machine(|machine| {
        for _ in 0..2 {
            machine.agent("validate-all").run().succeeds();
            machine.agent("validate-all").level(10).run().succeeds();
            machine.probe().run().is_silent(7);
            machine.agent("stop").run().succeeds();
            // There is nothing that a new threshold could apply to, and nothing that could take a signal.
            machine.agent("reload-agent").run().succeeds();
            machine.agent("reload").run().fails(7, &["not running"]);
        }
        let server = machine.start();
        assert_eq!(machine.start(), server, "a second start is no restart");
        machine.log();
        for call in [machine.probe(), machine.monitor(), machine.monitor().level(10)] {
            call.run().succeeds();
            call.run().succeeds();
        }
        assert_eq!(
            machine.log(),
            Vec::<String>::new(),
            "a healthy monitor logs nothing"
        );
        for action in ["reload", "reload-agent"] {
            machine.agent(action).run().succeeds();
            machine.agent(action).run().succeeds();
        }
        assert_eq!(process::server(), server, "nothing of this touched the server");
        for _ in 0..2 {
            machine.agent("stop").run().succeeds();
            assert_eq!(process::servers(), []);
            assert_eq!(process::sentinels(), []);
        }
        machine.probe().run().is_silent(7);
        machine.monitor().run().fails(7, &["not running"]);
    });
}

#[test]
fn words_that_are_no_actions() {
    on_a_bare_machine(|machine| {
        for word in [
            "",
            "promote",
            "demote",
            "notify",
            "migrate_to",
            "status",
            "START",
            "start ",
            "--start",
        ] {
            let outcome = machine.agent(word).run();
            let reasons = outcome.stderr.matches("ocf-exit-reason:").count();
            assert_eq!(
                (outcome.code(), reasons, outcome.stdout.as_str()),
                (3, 1, ""),
                "{word}: {outcome:?}"
            );
            assert!(outcome.stderr.contains("action"), "{outcome:?}");
        }
        let nothing = Call::new("/usr/bin/env".into(), AGENT).run();
        assert_eq!(nothing.code(), 3, "no word at all: {nothing:?}");
    });
}

#[test]
fn only_documents_go_to_standard_output() {
    on_a_bare_machine(|machine| {
        for word in ["meta-data", "usage"] {
            // Neither needs anything to be right.
            let call = machine
                .agent(word)
                .set("sql_port", "wrong")
                .set("data_root", "wrong");
            for call in [
                call.clone(),
                call.clone().without_environment(),
                call.arg("ignored"),
            ] {
                let outcome = call.run();
                assert!(outcome.code() == 0 && outcome.stderr.is_empty(), "{outcome:?}");
                assert!(outcome.stdout.contains("kaiwudb"), "{outcome:?}");
            }
            let full = machine.agent(word).redirect(">/dev/full").run();
            assert_eq!(full.code(), 1, "a document that could not be written: {full:?}");
        }
        let dialect = |major, minor| {
            let call = machine.agent("meta-data");
            let text = call
                .env("OCF_RA_VERSION_MAJOR", major)
                .env("OCF_RA_VERSION_MINOR", minor)
                .run()
                .stdout;
            MetaData::parse(&text).version
        };
        assert_eq!(
            (dialect("1", "1").as_str(), dialect("1", "0").as_str()),
            ("1.1", "1.0")
        );
        let silent = machine.agent("meta-data").without_environment().run().stdout;
        assert_eq!(
            MetaData::parse(&silent).version,
            "1.0",
            "a caller that says nothing speaks OCF 1.0"
        );
    });
}

/// A whole life with calls that `change` makes peculiar.
fn a_life(machine: &Machine, what: &str, change: impl Fn(Call) -> Call) {
    let run = |action: &str| change(machine.agent(action).by_hand()).run();
    let code = |action: &str| {
        let outcome = run(action);
        assert!(outcome.stdout.is_empty(), "{what}: {outcome:?}");
        outcome.code()
    };
    for (action, expected) in [
        ("validate-all", 0),
        ("monitor", 7),
        ("start", 0),
        ("monitor", 0),
        ("reload", 0),
        ("reload-agent", 0),
        ("stop", 0),
        ("monitor", 7),
        ("promote", 3),
    ] {
        assert_eq!(code(action), expected, "{what}: {action}: {:?}", run(action));
    }
}

#[test]
fn peculiar_callers() {
    on_a_machine(|machine| {
        a_life(machine, "closed standard input", |call| call.redirect("<&-"));
        a_life(machine, "closed standard output", |call| call.redirect(">&-"));
        a_life(machine, "closed standard error", |call| call.redirect("2>&-"));
        a_life(machine, "all closed", |call| call.redirect("<&- >&- 2>&-"));
        a_life(machine, "standard error that takes nothing", |call| {
            call.redirect("2>/dev/full")
        });
    });
}

#[test]
fn peculiar_environments() {
    on_a_machine(|machine| {
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        a_life(machine, "empty environment", Call::without_environment);
        a_life(machine, "Chinese", |call| {
            call.env("LANG", "zh_CN.UTF-8")
                .env("LC_ALL", "zh_CN.UTF-8")
                .env("LANGUAGE", "zh")
        });
        a_life(machine, "not UTF-8", |call| {
            call.env("LANG", bytes(b"\xff\xfe"))
                .env(bytes(b"NAME\xff"), bytes(b"\xff"))
                .env("OCF_CHECK_LEVEL", bytes(b"\xff"))
        });
        a_life(machine, "further arguments", |call| {
            call.arg("stop").arg("--help").arg(bytes(b"\xff"))
        });
        a_life(machine, "numbers that are none", |call| {
            call.set("CRM_meta_timeout", "soon")
                .set("CRM_meta_interval", "often")
                .level(7)
        });
        a_life(machine, "a name that is a path", |call| {
            call.env("OCF_RESOURCE_INSTANCE", "../../etc/x y:0")
        });
        assert!(!std::path::Path::new("/etc/x y:0").exists());
    });
}
