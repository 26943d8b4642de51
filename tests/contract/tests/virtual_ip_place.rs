//! Which interface `ocf:kaiwudb:virtual-ip` takes, with what prefix, and what it says when there is none.

use crate::virtual_ip::{FOUR, SIX, call, has, monitor, on_a_lan};
use contract::machine::{eventually, shell};
use std::time::Duration;

/// A second interface with a switch of its own.
fn eth1() {
    shell(
        "ip netns add other; ip link add eth1 type veth peer name port netns other; ip -n other link set port up; ip link set eth1 up",
    );
}

/// "Cannot use default route w/o netmask" is what other agents say of it, in a failover.
#[test]
fn no_subnet_no_address() {
    on_a_lan(|_, _| {
        eth1();
        shell(
            "ip address add 172.16.0.1/16 dev eth1; ip route add default via 10.0.0.254; ip route add 192.168.7.7 dev eth0",
        );
        let far = |pairs: &[(&str, &str)]| {
            let start = pairs
                .iter()
                .fold(call("start"), |call, (name, value)| call.set(name, *value))
                .run();
            assert!(has(pairs[0].1).is_none());
            start
        };
        // Neither by the default route nor by a route to the address alone.
        for ip in ["192.168.1.9", "192.168.7.7"] {
            far(&[("ip", ip)]).fails(1, &["no interface", ip, "eth0 10.0.0.0/24", "eth1 172.16.0.0/16"]);
            far(&[("ip", ip), ("cidr_netmask", "24")]).fails(1, &["no interface", ip]);
        }
        far(&[("ip", "2001:db8:1::9")]).fails(1, &["no interface", "2001:db8::/64"]);
        // An interface without that subnet.
        far(&[("ip", FOUR), ("nic", "eth1")]).fails(1, &["eth1", "172.16.0.0/16", "eth0 has 10.0.0.0/24"]);
        far(&[("ip", FOUR), ("nic", "eth9")]).fails(
            2,
            &["nic=\"eth9\"", "no such interface", "10.0.0.0/24 is on eth0"],
        );
        call("validate-all")
            .set("nic", "eth9")
            .level(10)
            .run()
            .fails(2, &["eth9"]);
        // A prefix that is shorter than the subnet.
        far(&[("ip", FOUR), ("cidr_netmask", "16")]).fails(1, &["10.0.0.0/24", "cidr_netmask is 16"]);
        // Whoever names both has reasons.
        call("start")
            .set("ip", "192.168.1.9")
            .set("nic", "eth1")
            .set("cidr_netmask", "255.255.255.0")
            .run()
            .succeeds();
        assert!(
            has("192.168.1.9")
                .is_some_and(|line| line.contains("eth1") && line.contains("/24 brd 192.168.1.255"))
        );
        call("stop").set("ip", "192.168.1.9").run().succeeds();
    });
}

#[test]
fn what_does_not_fit_together_is_a_wrong_configuration() {
    on_a_lan(|_, _| {
        let wrong = |pairs: &[(&str, &str)], words: &[&str]| {
            for action in ["start", "validate-all"] {
                let call = pairs
                    .iter()
                    .fold(call(action), |call, (name, value)| call.set(name, *value));
                call.run().fails(6, words);
            }
        };
        wrong(&[("cidr_netmask", "33")], &["cidr_netmask", "allowed"]);
        wrong(&[("ip", "fe80::2")], &["nic", "link-local"]);
        wrong(&[("ip", "10.0.0.9/24")], &["ip=", "allowed"]);
        call("start")
            .set("nic", "eth0")
            .set("iflabel", "twelve-chars")
            .run()
            .fails(2, &["iflabel", "15"]);
        call("start")
            .set("ip", "fe80::2")
            .set("nic", "eth0")
            .run()
            .succeeds();
        assert!(has("fe80::2").is_some_and(|line| line.contains("/64 scope link")));
        call("stop")
            .set("ip", "fe80::2")
            .set("nic", "eth0")
            .run()
            .succeeds();
        assert_eq!(has("fe80::2"), None);
    });
}

/// resource-agents #1726: not the interface that the routes say.
#[test]
fn the_interface_is_that_of_the_nearest_subnet_and_works() {
    on_a_lan(|_, _| {
        eth1();
        let taken = |ip: &str| {
            call("start").set("ip", ip).run().succeeds();
            let taken = has(ip).expect("it is there");
            call("stop").set("ip", ip).run().succeeds();
            taken
        };
        shell("ip address add 10.0.0.129/25 dev eth1");
        assert!(taken("10.0.0.200").contains("eth1    inet 10.0.0.200/25"));
        assert!(taken(FOUR).contains("eth0    inet 10.0.0.9/24"));
        // The same subnet twice: the one that works, then the one that the kernel would take.
        shell(
            "ip address flush dev eth1; ip address add 10.0.0.8/24 dev eth1 noprefixroute; ip route add 10.0.0.0/24 dev eth1 metric 50",
        );
        assert!(taken(FOUR).contains("eth0"));
        shell("ip route replace 10.0.0.0/24 dev eth0 metric 100; ip route del 10.0.0.0/24 dev eth0 metric 0");
        assert!(taken(FOUR).contains("eth1"));
        shell("ip link set eth1 down");
        assert!(taken(FOUR).contains("eth0"));
    });
}

/// The subnet is known from a route of another table only, or only from an address that came without a route.
#[test]
fn tables_of_policy_routing() {
    on_a_lan(|_, _| {
        eth1();
        shell("ip address add 172.16.0.1/32 dev eth1; ip route add 172.20.0.0/20 dev eth1 table 100; ip rule add from 172.20.0.0/20 table 100
               ip -6 route add 2001:db8:5::/56 dev eth1 table 100");
        for (ip, expected) in [
            ("172.20.1.1", "eth1    inet 172.20.1.1/20"),
            ("2001:db8:5::9", "eth1    inet6 2001:db8:5::9/56"),
        ] {
            call("start").set("ip", ip).run().succeeds();
            assert!(
                has(ip).is_some_and(|line| line.contains(expected)),
                "{:?}",
                has(ip)
            );
            call("monitor")
                .set("ip", ip)
                .every(Duration::from_secs(10))
                .run()
                .succeeds();
            call("stop").set("ip", ip).run().succeeds();
        }
    });
}

/// A cable that blinks when the address comes.
#[test]
fn a_carrier_that_comes_late() {
    on_a_lan(|_, _| {
        shell("ip -n switch link set self down");
        shell("(sleep 0.5; ip -n switch link set self up) >/dev/null 2>&1 &");
        call("start").set("nodad", "true").run().succeeds();
        monitor().run().succeeds();
        call("stop").run().succeeds();
    });
}

/// A bridge with the cable as its port, and an interface on top of another one, as a VLAN is.
#[test]
fn bridges_and_interfaces_on_top_of_others() {
    on_a_lan(|_, _| {
        shell("ip address flush dev eth0; ip link add br1 type bridge forward_delay 0; ip link set eth0 master br1; ip link set br1 up
               ip address add 10.0.0.1/24 dev br1; ip -6 address add 2001:db8::1/64 dev br1 nodad
               ip link add link eth0 name eth0.5 type macvlan 2>/dev/null || ip link add link br1 name eth0.5 type macvlan
               ip address add 172.16.0.1/16 dev eth0.5; ip link set eth0.5 up");
        for (ip, link) in [(FOUR, "br1"), (SIX, "br1"), ("172.16.0.9", "eth0.5")] {
            call("start").set("ip", ip).run().succeeds();
            assert!(has(ip).is_some_and(|line| line.contains(link)), "{:?}", has(ip));
            let monitor = || monitor().set("ip", ip).run();
            monitor().succeeds();
            // What lies below it is dead.
            shell("ip -n switch link set self down");
            eventually("the monitor says so", || monitor().code() == 1);
            shell("ip -n switch link set self up");
            eventually("it is well again", || monitor().code() == 0);
            call("stop").set("ip", ip).run().succeeds();
        }
    });
}
