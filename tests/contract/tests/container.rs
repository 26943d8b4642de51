//! `runtime=container`: how the engines and what makes containers are called. Engines that run are in the suite `runtimes`.

use contract::machine::{BINARY, DATA_ROOT};
use contract::{on_a_machine, process};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// An engine: its container is there once Compose has made it, and is a process.
const ENGINE: &str = r#"#!/bin/sh
echo "${0##*/} $*" >>/run/calls
case "$*" in
"compose version") exit "$(cat /run/compose)" ;;
*" up --no-start") touch /run/made ;;
"container inspect"*)
    [ -e /run/made ] || { echo '[]'; exit 125; }
    echo '[{"State": {"Running": false, "ExitCode": 0}, "HostConfig": {"RestartPolicy": {"Name": "on-failure"}},
            "Mounts": [{"Source": "DATA_ROOT"}]}]'
    ;;
start*)
    setpriv --reuid=kaiwudb --regid=kaiwudb --init-groups setsid BINARY start-single-node --insecure --listen-addr=0.0.0.0:26257 \
        --http-addr=0.0.0.0:8080 --store=DATA_ROOT $KAIWUDB_START_ARG >/dev/null 2>&1 </dev/null &
    until pgrep -x kwbase >/dev/null; do sleep 0.02; done
    ;;
esac
"#;

fn tool(name: &str) {
    let path = format!("/usr/sbin/{name}");
    let text = ENGINE.replace("BINARY", BINARY).replace("DATA_ROOT", DATA_ROOT);
    fs::write(&path, text).expect("/usr/sbin is private");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
}

/// The first call that makes the container, of these tools; `plugin` is what the engine's own Compose exits with.
fn made_by(tools: &[&str], plugin: i32) -> Option<String> {
    on_a_machine(|machine| {
        // What this machine has is not what the node has.
        machine.shell("for tool in docker podman docker-compose podman-compose; do for place in $(which -a $tool); do mount --bind /dev/null $place; done; done");
        for name in tools {
            tool(name);
        }
        machine.shell(&format!(
            "echo {plugin} >/run/compose; echo 'services: {{}}' >/etc/kaiwudb/script/docker-compose.yml; chown -R root: /etc/kaiwudb"
        ));
        let start = machine.agent("start").set("runtime", "container").run();
        let calls = fs::read_to_string("/run/calls").unwrap_or_default();
        let made = calls
            .lines()
            .find(|call| call.ends_with("up --no-start"))
            .map(str::to_owned);
        if made.is_none() {
            start.fails(5, &["docker-compose"]);
            return None;
        }
        start.succeeds();
        let engine = tools[0];
        assert!(
            calls.contains(&format!("{engine} update --restart=no kaiwudb-container")),
            "{calls}"
        );
        assert!(
            calls.contains(&format!("{engine} start kaiwudb-container")),
            "{calls}"
        );
        machine.monitor().set("runtime", "container").run().succeeds();
        machine.agent("stop").set("runtime", "container").run().succeeds();
        assert_eq!(process::servers(), []);
        made
    })
}

#[test]
fn what_is_installed_makes_the_container() {
    const FILE: &str = "-f /etc/kaiwudb/script/docker-compose.yml up --no-start";
    for (tools, plugin, expected) in [
        (
            &["docker", "docker-compose"][..],
            0,
            "docker-compose --compatibility",
        ),
        (&["docker"], 0, "docker compose --compatibility"),
        (&["podman", "podman-compose"], 1, "podman-compose"),
        (&["podman"], 0, "podman compose"),
    ] {
        assert_eq!(made_by(tools, plugin), Some(format!("{expected} {FILE}")));
    }
    assert_eq!(made_by(&["docker"], 1), None);
}
