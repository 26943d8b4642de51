//! `ocf:kaiwudb:virtual-ip`, and next to it `ocf:heartbeat:IPaddr2`, whose parameters it shares.

use crate::ocf_tester::has_no_complaint;
use contract::lan::{CLIENT, NODE2};
use contract::machine::{Machine, eventually, shell};
use contract::programs::Programs;
use contract::{Call, Lan, on_a_bare_machine};
use host::Deadline;
use host::packet::PacketSocket;
use network::neighbour::ANSWER_TIME;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) const FOUR: &str = "10.0.0.9";
pub(crate) const SIX: &str = "2001:db8::9";
const SHELL_AGENT: &str = "/usr/lib/ocf/resource.d/heartbeat/IPaddr2";
/// What the question for duplicates may cost.
const QUESTION: Duration = Duration::from_millis(100);

pub(crate) fn ours() -> PathBuf {
    Programs::get().agent("virtual-ip")
}

pub(crate) fn call_of(agent: PathBuf, action: &str) -> Call {
    Call::new(agent, action)
        .env("OCF_RESOURCE_INSTANCE", "ClusterIP")
        .env("OCF_RESOURCE_TYPE", "virtual-ip")
        .set("ip", FOUR)
}

pub(crate) fn call(action: &str) -> Call {
    call_of(ours(), action)
}

pub(crate) fn monitor() -> Call {
    call("monitor").every(Duration::from_secs(10))
}

/// The same agent on the other node. What its calls leave for each other is in the same `/run`, so it is another resource.
pub(crate) fn call_at_node2(lan: &Lan, action: &str) -> Call {
    call_of(lan.program_at(NODE2, &ours()), action)
        .env("OCF_RESOURCE_INSTANCE", "ClusterIP-2")
        .set("CRM_meta_on_node", "node2")
}

pub(crate) fn on_a_lan(test: impl FnOnce(&Machine, &Lan) + Send) {
    Programs::get();
    on_a_bare_machine(|machine| test(machine, &Lan::new()));
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// What the kernel has of this address: interface, address with prefix, flags.
pub(crate) fn has(ip: &str) -> Option<String> {
    let all = shell("ip -o address show");
    all.lines()
        .find(|line| line.contains(&format!(" {ip}/")))
        .map(str::to_owned)
}

/// The hardware address in a line of `ip link`.
fn hardware(line: &str) -> String {
    let after = line.split("link/ether ").nth(1).expect("it is Ethernet");
    after.split(' ').next().expect("a word").to_owned()
}

/// Everything that could be left behind.
fn network() -> String {
    shell(
        "ip address show; ip route show table all; ip -6 route show table all; ip rule; ip -6 rule; ip neighbour show proxy; ip maddress",
    )
    // How long an address or a route lasts is counted in seconds, and a neighbour is forgotten.
    .lines()
    .filter(|line| !line.contains("valid_lft"))
    .collect()
}

#[test]
fn both_agents_live_the_same_life() {
    on_a_lan(|_, _| {
        for ip in [FOUR, SIX] {
            for agent in [SHELL_AGENT.into(), ours()] {
                let call = |action: &str| call_of(agent.clone(), action).set("ip", ip);
                let run = |action: &str| call(action).run().code();
                let monitor = || call("monitor").every(Duration::from_secs(10)).run().code();
                let mut codes = vec![run("monitor"), run("stop"), run("validate-all"), run("start")];
                assert!(has(ip).is_some(), "{}", agent.display());
                codes.extend([run("start"), run("monitor"), monitor(), run("stop"), run("stop")]);
                codes.extend([run("monitor"), monitor()]);
                assert_eq!(codes, [7, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7], "{}", agent.display());
                assert_eq!(has(ip), None, "{}", agent.display());
            }
        }
    });
}

/// A resource can go from one agent to the other with the address in place.
#[test]
fn each_takes_over_what_the_other_has_added() {
    on_a_lan(|_, _| {
        for ip in [FOUR, SIX] {
            for (first, then) in [(SHELL_AGENT.into(), ours()), (ours(), SHELL_AGENT.into())] {
                let then = |action: &str| call_of(PathBuf::clone(&then), action).set("ip", ip).run().code();
                assert_eq!(call_of(first, "start").set("ip", ip).run().code(), 0);
                let added = has(ip);
                assert_eq!([then("monitor"), then("start")], [0, 0]);
                assert_eq!(has(ip), added);
                assert_eq!(then("stop"), 0);
                assert_eq!(has(ip), None);
            }
        }
    });
}

/// Options that both have make the same address.
#[test]
fn both_agents_add_the_same() {
    let options: [&[(&str, &str)]; 6] = [
        &[("ip", FOUR)],
        &[("ip", FOUR), ("iflabel", "web")],
        &[("ip", FOUR), ("nic", "eth0:web"), ("cidr_netmask", "24")],
        &[
            ("ip", FOUR),
            ("broadcast", "10.0.0.127"),
            ("noprefixroute", "true"),
        ],
        &[("ip", SIX), ("nodad", "true")],
        &[
            ("ip", SIX),
            ("nic", "eth0"),
            ("cidr_netmask", "80"),
            ("nodad", "true"),
            ("preferred_lft", "0"),
        ],
    ];
    on_a_lan(|_, _| {
        for options in options {
            let [theirs, ours] = [SHELL_AGENT.into(), ours()].map(|agent: PathBuf| {
                let call = |action: &str| {
                    let call = call_of(agent.clone(), action);
                    options
                        .iter()
                        .fold(call, |call, (name, value)| call.set(name, *value))
                };
                assert_eq!(call("start").run().code(), 0, "{options:?}");
                // IPaddr2 names the metric of the route for IPv6 (resource-agents 4.15), which is the kernel's own here.
                let added = has(options[0].1).map(|line| line.replace(" metric 256", ""));
                assert_eq!(call("stop").run().code(), 0, "{options:?}");
                added
            });
            assert!(ours.is_some());
            assert_eq!(ours, theirs, "{options:?}");
        }
    });
}

#[test]
fn the_real_ocf_tester_has_no_complaint() {
    for ip in [FOUR, SIX] {
        on_a_lan(|machine, _| {
            let agent = ours();
            let said = machine.shell(&format!(
                "cp '{}' /run/virtual-ip; ocf-tester -n ClusterIP -o ip={ip} /run/virtual-ip 2>&1",
                agent.display()
            ));
            has_no_complaint(&said, "virtual-ip");
            assert_eq!(has(ip), None);
        });
    }
}

/// Rules, routes and addresses that others would stumble over (resource-agents #2151, #2173, #2202).
#[test]
fn nothing_is_left_behind() {
    on_a_lan(|_, _| {
        // The link-local address that the kernel makes is ready after a while.
        eventually("the network is quiet", || !network().contains("tentative"));
        let before = network();
        for ip in [FOUR, SIX] {
            call("start").set("ip", ip).run().succeeds();
            call("monitor")
                .set("ip", ip)
                .every(Duration::from_secs(10))
                .level(10)
                .run()
                .succeeds();
            call("stop").set("ip", ip).run().succeeds();
        }
        assert_eq!(network(), before);
        // For a minute somebody refuses clients that come back; who stops once more ends it.
        call("stop").set("ip", SIX).run().succeeds();
        let left = shell("ls -A /run/kaiwudb-ha/ClusterIP; ps -e -o args | grep '[v]irtual-ip' || true");
        assert_eq!(left, "watcher.lock\n");
    });
}

/// The kernel takes the later addresses of a subnet away with the first one.
#[test]
fn other_addresses_of_the_interface_stay() {
    on_a_lan(|_, _| {
        shell(
            "ip address flush dev eth0; sysctl -qw net.ipv4.conf.eth0.promote_secondaries=0 net.ipv4.conf.all.promote_secondaries=0",
        );
        call("start")
            .set("nic", "eth0")
            .set("cidr_netmask", "24")
            .run()
            .succeeds();
        shell(
            "ip address add 10.0.0.1/24 broadcast + dev eth0; ip address add 10.0.0.10/24 dev eth0 label eth0:other; ip address add 10.9.9.9/16 dev eth0",
        );
        call("stop").run().succeeds();
        let left = shell("ip -4 -o address show dev eth0");
        for stays in [
            "10.0.0.1/24 brd 10.0.0.255",
            "10.0.0.10/24 scope global secondary eth0:other",
            "10.9.9.9/16",
        ] {
            assert!(left.contains(stays), "{stays}: {left}");
        }
        assert_eq!(has(FOUR), None);
    });
}

/// resource-agents #913: the check of `IPaddr2` takes four seconds, so nobody has it.
#[test]
fn an_address_that_somebody_has_is_refused() {
    on_a_lan(|_, lan| {
        lan.shell_at(
            CLIENT,
            &format!("ip address add {FOUR}/24 dev eth0; ip address add {SIX}/64 dev eth0 nodad"),
        );
        let hardware = hardware(&lan.shell_at(CLIENT, "ip -o link show eth0"));
        for ip in [FOUR, SIX] {
            let start = call("start").set("ip", ip).run();
            start.fails(1, &["another host", ip, &hardware]);
            assert_eq!(has(ip), None);
            call("monitor")
                .set("ip", ip)
                .every(Duration::ZERO)
                .run()
                .is_silent(7);
            // Whoever does not want to know is believed.
            call("start").set("ip", ip).set("nodad", "true").run().succeeds();
            let level = |level| {
                call("monitor")
                    .set("ip", ip)
                    .every(Duration::from_secs(10))
                    .level(level)
                    .run()
            };
            level(0).succeeds();
            level(10).fails(1, &["another host", ip, &hardware]);
            call("stop").set("ip", ip).run().succeeds();
        }
    });
}

/// What `kaiwudb-ha check` has every node ask. The node that has the address does not count, nor does who is expected to have it.
#[test]
fn the_command_finds_out_who_else_answers() {
    on_a_lan(|_, lan| {
        let command = Programs::get().command.display();
        let who_has = |ip: &str, expected: &str| shell(&format!("'{command}' who-has {ip} {expected}"));
        for (ip, entry) in [(FOUR, "10.0.0.9/24"), (SIX, "2001:db8::9/64 nodad")] {
            assert_eq!(who_has(ip, ""), "");
            call("start").set("ip", ip).run().succeeds();
            assert_eq!(who_has(ip, ""), "");
            lan.shell_at(CLIENT, &format!("ip address add {entry} dev eth0"));
            let hardware = hardware(&lan.shell_at(CLIENT, "ip -o link show eth0"));
            assert_eq!(who_has(ip, "52:54:00:00:00:01").trim(), hardware);
            call("stop").set("ip", ip).run().succeeds();
            assert_eq!(who_has(ip, "").trim(), hardware);
            assert_eq!(who_has(ip, &hardware), "");
        }
        assert_eq!(who_has("192.0.2.77", ""), "", "no network of this node");
    });
}

#[test]
fn the_question_for_duplicates_is_short_and_left_out_where_the_answer_is_known() {
    on_a_lan(|machine, lan| {
        let quickest = |call: &Call, ip: &str| {
            let times = (0..5).map(|_| {
                let start = call.run();
                start.succeeds();
                assert!(has(ip).is_some());
                self::call("stop").set("ip", ip).run().succeeds();
                start.took
            });
            times.min().expect("five")
        };
        for ip in [FOUR, SIX] {
            let start = call("start").set("ip", ip);
            let (asks, does_not) = (
                quickest(&start, ip),
                quickest(&start.clone().set("nodad", "true"), ip),
            );
            let cost = asks.saturating_sub(does_not);
            // Where the machine itself takes longer to wait so long and to close the socket, the agent does, too.
            let most = QUESTION.max(floor() * 2);
            assert!(
                cost < most,
                "{ip}: {asks:?} instead of {does_not:?}, {most:?} are allowed"
            );
            assert!(
                cost > QUESTION / 3,
                "{ip}: {asks:?} instead of {does_not:?}: nobody was asked"
            );
        }
        // The former node has written its list a moment ago: it has stopped cleanly, or has been fenced.
        machine.shell("mkdir /run/volume");
        call_at_node2(lan, "start")
            .set("tickle_dir", "/run/volume")
            .run()
            .succeeds();
        call_at_node2(lan, "stop")
            .set("tickle_dir", "/run/volume")
            .run()
            .succeeds();
        lan.shell_at(CLIENT, &format!("ip address add {FOUR}/24 dev eth0"));
        let start = call("start").set("tickle_dir", "/run/volume");
        start.run().succeeds();
        call("stop").run().succeeds();
        // Long ago, it says nothing any more.
        machine.shell("touch -d '2 minutes ago' /run/volume/.kaiwudb-ha-connections-*");
        start.run().fails(1, &["another host"]);
    });
}

/// How long this machine takes, now, to wait for an answer that does not come.
fn floor() -> Duration {
    let index = shell("ip -o link show eth0");
    let index = index.split(':').next().expect("a number");
    let index = index.parse().expect("a number");
    let once = || {
        let began = Instant::now();
        let socket = PacketSocket::open(index, 0x88b5).expect("root may");
        let answer = socket.receive(Deadline::after(ANSWER_TIME));
        assert_eq!(answer.expect("nothing"), None);
        drop(socket);
        began.elapsed()
    };
    (0..5).map(|_| once()).min().expect("five")
}

/// Everybody who knew the address elsewhere knows at once where it is now, and is told again.
#[test]
fn the_network_is_told() {
    on_a_lan(|_, lan| {
        for (ip, family, protocol) in [(FOUR, "-4", 0x0806), (SIX, "-6", 0x86dd)] {
            let knows = || lan.shell_at(CLIENT, &format!("ip {family} neighbour show {ip}"));
            let ours = hardware(&shell("ip -o link show eth0"));
            let index = lan.shell_at(CLIENT, "ip -o link show eth0");
            let index = index
                .split(':')
                .next()
                .expect("a number")
                .parse()
                .expect("a number");
            lan.shell_at(
                CLIENT,
                &format!("ip neighbour replace {ip} lladdr 02:00:00:00:00:99 dev eth0 nud stale"),
            );
            let socket = lan
                .at(CLIENT, || PacketSocket::open(index, protocol))
                .expect("root may");
            call("start")
                .set("ip", ip)
                .set("arp_count", "4")
                .set("arp_interval", "50")
                .run()
                .succeeds();
            eventually("the client knows", || knows().contains(&ours));
            let heard = |limit| {
                let began = Instant::now();
                let mut heard = 0;
                while heard < 8 && began.elapsed() < limit {
                    let packet = socket
                        .receive(Deadline::after(Duration::from_millis(500)))
                        .expect("a packet or none");
                    heard += usize::from(packet.is_some_and(|packet| is_announcement(&packet, self::ip(ip))));
                }
                heard
            };
            // A question and an answer of ARP; one advertisement.
            let each = if protocol == 0x0806 { 2 } else { 1 };
            assert!(heard(Duration::from_secs(5)) >= 4 * each, "{ip}");
            call("stop").set("ip", ip).run().succeeds();
        }
    });
}

fn is_announcement(packet: &[u8], ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            packet.get(14..18) == Some(&ip.octets()) && packet.get(24..28) == Some(&ip.octets())
        }
        IpAddr::V6(ip) => packet.get(40) == Some(&136) && packet.get(48..64) == Some(&ip.octets()),
    }
}

/// resource-agents #180: a start of IPv6 returned while the address was tentative, and one on `lo` was taken for it.
#[test]
fn an_address_of_ipv6_can_be_used_when_the_start_is_over() {
    on_a_lan(|_, lan| {
        shell(&format!(
            "ip address add {SIX}/128 dev lo; ip address add {FOUR}/32 dev lo"
        ));
        for ip in [SIX, FOUR] {
            let call = |action: &str| call(action).set("ip", ip);
            call("monitor").every(Duration::ZERO).run().is_silent(7);
            let listener = lan.listen("[::]:26257");
            call("start").run().succeeds();
            drop(lan.connect(CLIENT, self::ip(ip), 26257, Duration::from_secs(5)));
            drop(listener);
            let added = shell("ip -o address show dev eth0");
            let line = added.lines().find(|line| line.contains(ip)).expect("it is there");
            assert!(!line.contains("tentative"), "{line}");
            call("monitor").every(Duration::from_secs(10)).run().succeeds();
            call("stop").run().succeeds();
            assert!(
                has(ip).is_some_and(|line| line.contains("lo")),
                "that of lo is somebody else's"
            );
        }
    });
}

/// In processor time, which a busy machine does not change much; the tests' programs are not even optimized.
#[test]
fn a_start_and_a_stop_cost_little() {
    on_a_lan(|_, _| {
        for ip in [FOUR, SIX] {
            let mut least = [f64::INFINITY; 2];
            for _ in 0..5 {
                for (action, least) in ["start", "stop"].into_iter().zip(&mut least) {
                    let said = shell(&format!(
                        "OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=ClusterIP OCF_RESKEY_ip={ip} bash -c \"TIMEFORMAT='%U %S'; time '{}' {action}\" 2>&1",
                        ours().display()
                    ));
                    let seconds = said
                        .split_ascii_whitespace()
                        .map(|word| word.parse::<f64>().expect("a time"));
                    *least = least.min(seconds.sum());
                }
            }
            assert!(least.iter().all(|seconds| *seconds <= 0.010), "{ip}: {least:?} s");
        }
    });
}
