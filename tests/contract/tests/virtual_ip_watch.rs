//! What the monitor of `ocf:kaiwudb:virtual-ip` says, and what its watcher reports without being asked.

use crate::virtual_ip::{FOUR, SIX, call, has, monitor, on_a_lan};
use contract::Machine;
use contract::machine::{eventually, shell, wait_until};
use std::time::Duration;

/// A report takes tens of milliseconds; a busy machine may need longer. A monitor comes after seconds.
const AT_ONCE: Duration = Duration::from_secs(5);

fn reports(machine: &Machine) -> Vec<String> {
    let mut calls = machine.cluster_calls();
    calls.retain(|call| call.starts_with("crm_resource --fail"));
    calls
}

fn forget(machine: &Machine) {
    machine.shell(": >/run/cib.log");
}

#[test]
fn an_address_that_somebody_removes() {
    on_a_lan(|machine, _| {
        for ip in [FOUR, SIX] {
            let call = |action: &str| call(action).set("ip", ip);
            call("start").run().succeeds();
            forget(machine);
            shell(&format!(
                "ip address del {} dev eth0",
                if ip == FOUR {
                    "10.0.0.9/24"
                } else {
                    "2001:db8::9/64"
                }
            ));
            wait_until("Pacemaker is told", AT_ONCE, || !reports(machine).is_empty());
            assert!(
                reports(machine)[0].contains("-r ClusterIP"),
                "{:?}",
                reports(machine)
            );
            call("monitor")
                .every(Duration::from_secs(10))
                .run()
                .fails(7, &[ip, "is on no interface"]);
            call("monitor").every(Duration::ZERO).run().is_silent(7);
            call("stop").run().succeeds();
        }
    });
}

/// resource-agents #916 and #2047: a cable is pulled, an interface is switched off, and all was well for the monitor.
#[test]
fn a_dead_link() {
    on_a_lan(|machine, _| {
        for (kill, revive, word) in [
            (
                "ip -n switch link set self down",
                "ip -n switch link set self up",
                "carrier",
            ),
            ("ip link set eth0 down", "ip link set eth0 up", "switched off"),
        ] {
            let start = call("start").set("nodad", "true");
            start.run().succeeds();
            let back = || {
                eventually("the link is back", || {
                    shell("ip -o link show eth0").contains("state UP")
                });
            };
            forget(machine);
            shell(kill);
            wait_until("Pacemaker is told", AT_ONCE, || !reports(machine).is_empty());
            monitor().run().fails(1, &[FOUR, "eth0", word]);
            // It is to be stopped, so it runs.
            call("monitor").every(Duration::ZERO).run().is_silent(0);
            call("stop").run().succeeds();
            start.run().fails(1, &[FOUR, "eth0", word]);
            assert_eq!(has(FOUR), None, "an address that cannot be reached is not taken");
            shell(revive);
            back();

            // Whoever does not want that.
            let calmly = |call: contract::Call| call.set("check_link_status", "false");
            calmly(start).run().succeeds();
            forget(machine);
            shell(kill);
            let outcome = calmly(monitor()).run();
            assert_eq!(outcome.code(), 190, "{outcome:?}");
            assert!(outcome.reason().contains(word), "{outcome:?}");
            eventually("the watcher has seen it", || {
                machine.log().iter().any(|line| line.contains(word))
            });
            assert_eq!(reports(machine), Vec::<String>::new());
            calmly(call("stop")).run().succeeds();
            shell(revive);
            back();
        }
    });
}

#[test]
fn an_address_in_the_wrong_place() {
    on_a_lan(|machine, _| {
        shell("ip link add eth1 type veth peer name port; ip link set eth1 up; ip link set port up");
        call("start").run().succeeds();
        forget(machine);
        shell("ip address del 10.0.0.9/24 dev eth0; ip address add 10.0.0.9/24 dev eth1");
        wait_until("Pacemaker is told", AT_ONCE, || !reports(machine).is_empty());
        monitor().run().fails(1, &["on eth1 instead of eth0"]);
        call("monitor").every(Duration::ZERO).run().is_silent(0);
        // A start puts it right, a stop takes it away wherever it is.
        call("start").run().succeeds();
        assert!(has(FOUR).is_some_and(|line| line.contains("eth0")));
        shell("ip address add 10.0.0.9/24 dev eth1");
        monitor().run().fails(1, &["also on eth1"]);
        call("stop").run().succeeds();
        assert_eq!(has(FOUR), None);
        call("start").set("nic", "eth0").run().succeeds();
        shell("ip link set eth0 name eth7");
        monitor()
            .set("nic", "eth0")
            .run()
            .fails(1, &["eth0 no longer exists"]);
        shell("ip link set eth7 name eth0");
        call("stop").set("nic", "eth0").run().succeeds();
    });
}

/// What `ocf:heartbeat:IPaddr2` has put on another interface than this agent would: it stays there, and is watched there.
#[test]
fn an_address_of_another_agent_is_taken_over_where_it_is() {
    on_a_lan(|machine, _| {
        shell("ip link add eth1 type veth peer name port; ip link set eth1 up; ip link set port up");
        shell("ip address add 10.0.0.9/24 dev eth1");
        monitor().run().is_silent(0);
        monitor().run().is_silent(0);
        assert_eq!(reports(machine), Vec::<String>::new());
        forget(machine);
        shell("ip address del 10.0.0.9/24 dev eth1; ip address add 10.0.0.9/24 dev eth0");
        wait_until("Pacemaker is told", AT_ONCE, || !reports(machine).is_empty());
        monitor().run().fails(1, &["on eth0 instead of eth1"]);
        call("stop").run().succeeds();
        assert_eq!(has(FOUR), None);
    });
}

/// A stop, and a start that finds everything in place, are no failure of anything.
#[test]
fn nothing_is_reported_that_is_wanted() {
    on_a_lan(|machine, _| {
        for _ in 0..5 {
            call("start").set("nodad", "true").run().succeeds();
            call("start").run().succeeds();
            monitor().run().succeeds();
            call("stop").run().succeeds();
        }
        // Others come and go.
        call("start").set("nodad", "true").run().succeeds();
        shell(
            "ip link add eth1 type veth peer name port; ip link set eth1 up; ip address add 10.9.9.9/24 dev eth1; ip link del eth1",
        );
        // A report would be under way by the time that the next one is.
        shell("ip address del 10.0.0.9/24 dev eth0");
        wait_until("Pacemaker is told", AT_ONCE, || !reports(machine).is_empty());
        assert_eq!(reports(machine).len(), 1);
        call("stop").run().succeeds();
    });
}

#[test]
fn a_watcher_that_is_gone_is_replaced() {
    on_a_lan(|machine, _| {
        let watchers = || shell("pgrep -f '[v]irtual-ip watcher' || true").lines().count();
        call("start").run().succeeds();
        assert_eq!(watchers(), 1);
        shell("pkill -KILL -f '[v]irtual-ip watcher'");
        eventually("it is gone", || watchers() == 0);
        monitor().run().succeeds();
        assert_eq!(watchers(), 1);
        forget(machine);
        shell("ip address del 10.0.0.9/24 dev eth0");
        wait_until("Pacemaker is told", AT_ONCE, || !reports(machine).is_empty());
        call("stop").run().succeeds();
        // A child that has just begun to tell Pacemaker looks like it for a moment.
        eventually("none is left", || watchers() == 0);
    });
}
