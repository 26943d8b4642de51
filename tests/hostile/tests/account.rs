//! The server's account owns what describes the installation: as whom the server runs, and what root runs for it, is not its to say.

use contract::machine::{DATA_ROOT, shell};
use contract::on_a_machine;
use contract::process;
use hostile::{
    SERVICE, SOON, as_account, canary_is_untouched, database, honest_servers, stock_layout,
    the_service_goes_on,
};
use std::fs;

testing::tests![
    a_stock_installation_works,
    mode_names_root,
    mode_names_an_account_in_every_way,
    an_operator_names_the_systems_account,
    mode_is_somebody_elses,
    mode_gives_the_system_away,
    mode_asks_for_a_container,
    mode_is_full_of_commands,
    an_environment_of_the_enemys,
];

const MODE: &str = "/etc/kaiwudb/info/MODE";

fn write_mode(uid: u32, lines: &[(usize, &str)]) {
    let text = fs::read_to_string(MODE).unwrap();
    let changed: Vec<&str> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            lines
                .iter()
                .find(|(number, _)| *number == index + 1)
                .map_or(line, |(_, new)| new)
        })
        .collect();
    let said = as_account(uid, &format!("cat >{MODE} <<'END'\n{}\nEND", changed.join("\n")));
    assert_eq!(said, "");
}

/// No server runs under another account than its own, whatever the start said.
#[track_caller]
fn nothing_runs_as_somebody_else() {
    for server in process::servers() {
        assert_eq!(server.user(), SERVICE, "{:?}", server.arguments());
    }
}

fn a_stock_installation_works() {
    on_a_machine(|machine| {
        stock_layout();
        the_service_goes_on(machine);
    });
}

fn mode_names_root() {
    on_a_machine(|machine| {
        stock_layout();
        write_mode(SERVICE, &[(7, "root")]);
        machine.agent("start").run().within(SOON).fails(2, &["root"]);
        nothing_runs_as_somebody_else();
        machine.agent("stop").run().within(SOON).succeeds();
        // The cluster's configuration has the last word.
        machine.agent("start").set("user", "kaiwudb").run().succeeds();
        assert_eq!(honest_servers().len(), 1);
        machine.agent("stop").set("user", "kaiwudb").run().succeeds();
    });
}

fn mode_names_an_account_in_every_way() {
    on_a_machine(|machine| {
        stock_layout();
        shell(
            "echo 'admin:x:0:0::/:/bin/sh' >>/etc/passwd; echo 'other:x:4712:4712::/:/bin/sh' >>/etc/passwd",
        );
        for name in [
            "0",
            "--service=files",
            "--service=x/evil",
            "-i",
            "admin",
            "other",
            "daemon",
            "nobody",
            "$(id)",
            "root:x",
        ] {
            write_mode(SERVICE, &[(7, name)]);
            let outcome = machine.agent("start").run();
            nothing_runs_as_somebody_else();
            // A name that cannot be one is none, and the server has its usual account.
            assert!(matches!(outcome.code(), 0 | 2 | 5), "{name}: {outcome:?}");
            machine.agent("stop").run().within(SOON * 2).succeeds();
        }
        write_mode(SERVICE, &[(7, "kaiwudb")]);
        the_service_goes_on(machine);
    });
}

fn an_operator_names_the_systems_account() {
    on_a_machine(|machine| {
        for name in ["root", "daemon"] {
            machine
                .agent("start")
                .set("user", name)
                .run()
                .fails(2, &[name, "operating system"]);
        }
        machine
            .agent("start")
            .set("group", "root")
            .run()
            .fails(2, &["group of root"]);
        assert_eq!(process::servers(), []);
    });
}

/// Whoever can write the file names no account but his own.
fn mode_is_somebody_elses() {
    on_a_machine(|machine| {
        stock_layout();
        shell(&format!("chown -R root: /etc/kaiwudb; chmod 666 {MODE}"));
        machine.agent("start").run().fails(2, &["kaiwudb", MODE]);
        shell(&format!("chmod 644 {MODE}; chown 4712 /etc/kaiwudb"));
        machine.agent("start").run().fails(2, &["kaiwudb", MODE]);
        shell("chown 0 /etc/kaiwudb");
        the_service_goes_on(machine);
    });
}

fn mode_gives_the_system_away() {
    on_a_machine(|machine| {
        stock_layout();
        shell(
            "mkdir -p /root/mounted; truncate -s 8M /root/image; mkfs.ext4 -q /root/image
             mount -o loop /root/image /root/mounted",
        );
        for root in ["/", "/root/..", "/proc/1/root", "/etc", "/var/lib"] {
            write_mode(SERVICE, &[(4, root)]);
            machine.agent("stop").run().within(SOON * 2).succeeds();
            assert_ne!(shell("findmnt -n /root/mounted"), "", "{root}");
        }
        write_mode(SERVICE, &[(4, DATA_ROOT)]);
        the_service_goes_on(machine);
        shell("umount /root/mounted");
    });
}

fn mode_asks_for_a_container() {
    on_a_machine(|machine| {
        stock_layout();
        let calls = "/run/docker-calls";
        for tool in ["docker", "docker-compose"] {
            let path = format!("/usr/sbin/{tool}");
            fs::write(
                &path,
                format!("#!/bin/sh\necho \"{tool} $*\" >>{calls}\n[ \"$2\" != inspect ] || {{ echo '[]'; exit 1; }}\n"),
            )
            .unwrap();
            shell(&format!("chmod 755 {path}"));
        }
        write_mode(SERVICE, &[(1, "container")]);
        as_account(
            SERVICE,
            "echo 'services: {evil: {privileged: true}}' >/etc/kaiwudb/script/docker-compose.yml",
        );
        let outcome = machine.agent("start").run();
        assert_ne!(outcome.code(), 0);
        let asked = fs::read_to_string(calls).unwrap_or_default();
        assert!(!asked.contains("docker-compose"), "{asked}");
        assert!(outcome.reason().contains("docker-compose.yml"), "{outcome:?}");
        // A file of root's below the account's directory is as good as the account's.
        shell("chown root: /etc/kaiwudb/script/docker-compose.yml");
        machine.agent("start").run().fails(2, &["docker-compose.yml"]);
        assert!(!fs::read_to_string(calls).unwrap().contains("docker-compose"));
        machine.agent("stop").run().succeeds();
        // Nor does a stop fail where there is no Docker at all.
        shell("rm /usr/sbin/docker /usr/sbin/docker-compose");
        machine.agent("stop").run().succeeds();
        write_mode(SERVICE, &[(1, "bare")]);
        the_service_goes_on(machine);
    });
}

fn mode_is_full_of_commands() {
    on_a_machine(|machine| {
        stock_layout();
        for (number, text) in [
            (3, "/x\u{1b}]0;owned\u{7}"),
            (5, "99999999"),
            (10, "} handlers { before-resync-target \"/x\"; }"),
            (10, "$(touch /root/owned)"),
        ] {
            let before = fs::read_to_string(MODE).unwrap();
            write_mode(SERVICE, &[(number, text)]);
            let outcome = machine.agent("start").run();
            let told = format!("{} {:?}", outcome.stderr, machine.log());
            assert!(!told.contains('\u{1b}') && !told.contains('\u{7}'), "{told}");
            machine.agent("stop").run().succeeds();
            fs::write(MODE, before).unwrap();
        }
        canary_is_untouched();
        the_service_goes_on(machine);
    });
}

/// What is in the environment file is the server's, which is no more than the account has: nothing of it reaches root.
fn an_environment_of_the_enemys() {
    on_a_machine(|machine| {
        stock_layout();
        as_account(
            SERVICE,
            "printf 'LD_PRELOAD=/tmp/evil.so\\nPATH=/tmp\\nA-B=1\\n=x\\nE=\\033[2J\\nKAIWUDB_START_ARG=\"\"\\n' \
             >/etc/kaiwudb/script/kaiwudb_env",
        );
        machine.agent("start").run().succeeds();
        let [server] = honest_servers()[..] else {
            panic!("no server")
        };
        assert_eq!((server.variable("A-B"), server.variable("E")), (None, None));
        let [sentinel] = process::sentinels()[..] else {
            panic!("no sentinel")
        };
        assert_eq!(sentinel.variable("LD_PRELOAD"), None);
        assert_eq!(sentinel.user(), 0);
        machine.agent("stop").run().succeeds();
        assert_eq!(database("monitor").run().code(), 7);
    });
}
