//! Clients of `ocf:kaiwudb:virtual-ip` that wait for an answer and have no timeout: when the address leaves, and when its node dies.

use crate::virtual_ip::{FOUR, SIX, call, call_at_node2, has, ip, on_a_lan};
use contract::lan::{CLIENT, NODE2};
use contract::machine::{eventually, shell};
use contract::{Call, Lan};
use host::Deadline;
use network::connection;
use network::{connection::Connection, reset};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const PORT: u16 = 26257;
/// A client that has not heard anything by then waits for ever, or for a retransmission at best.
const PATIENCE: Duration = Duration::from_secs(8);
/// The volume that both nodes have.
const VOLUME: &str = "/run/volume";

/// How long a client that waits for an answer is left in the dark.
fn waits(client: &mut TcpStream) -> Result<Duration, Duration> {
    let began = Instant::now();
    match client.read(&mut [0; 1]) {
        Ok(0) => Ok(began.elapsed()),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(began.elapsed()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(began.elapsed()),
        other => panic!("{other:?}"),
    }
}

fn soon() -> Duration {
    // A busy machine may need longer than the milliseconds that it takes; the first retransmission of anything comes after 200.
    Duration::from_secs(2)
}

/// A server on every address sees its clients at the address and at the node's own.
#[test]
fn a_stop_tells_each_client_and_the_server() {
    on_a_lan(|_, lan| {
        for (address, listens, own) in [
            (FOUR, "0.0.0.0", "10.0.0.1"),
            (FOUR, "[::]", "10.0.0.1"),
            (SIX, "[::]", "2001:db8::1"),
        ] {
            let call = |action: &str| call(action).set("ip", address);
            let listener = lan.listen(&format!("{listens}:{PORT}"));
            call("start").run().succeeds();
            let mut clients: Vec<TcpStream> = (0..20)
                .map(|_| lan.connect(CLIENT, ip(address), PORT, PATIENCE))
                .collect();
            let mut servers: Vec<TcpStream> = clients.iter().map(|_| listener.accept().unwrap().0).collect();
            let mut other = lan.connect(CLIENT, ip(own), PORT, Duration::from_millis(50));
            let _server = listener.accept().unwrap();
            call("stop").run().succeeds();
            assert_eq!(has(address), None);
            for client in &mut clients {
                let told = waits(client);
                assert!(
                    told.is_ok_and(|after| after < soon()),
                    "{address} {listens}: {told:?}"
                );
            }
            for server in &mut servers {
                server.set_read_timeout(Some(PATIENCE)).unwrap();
                let kind = server.read(&mut [0; 1]).unwrap_err().kind();
                assert_eq!(kind, ErrorKind::ConnectionAborted, "{address} {listens}");
            }
            assert!(
                waits(&mut other).is_err(),
                "a client of the node's own address is let alone"
            );
        }
    });
}

/// A client whose connection was reset connects again at once, to where the address was: it must not wait for its own kernel to ask again, which
/// is a second later at the earliest.
#[test]
fn who_comes_back_before_the_address_is_elsewhere_is_refused() {
    on_a_lan(|_, lan| {
        for address in [FOUR, SIX] {
            let listener = lan.listen(&format!("[::]:{PORT}"));
            let call = |action: &str| call(action).set("ip", address);
            call("start").run().succeeds();
            let connect = || {
                let began = Instant::now();
                lan.at(CLIENT, || {
                    TcpStream::connect_timeout(&SocketAddr::new(ip(address), PORT), PATIENCE)
                })
                .map_err(|error| (error.kind(), began.elapsed()))
            };
            drop((connect().unwrap(), listener.accept().unwrap()));
            call("stop").run().succeeds();
            for _ in 0..3 {
                let (kind, after) = connect().unwrap_err();
                assert_eq!(kind, ErrorKind::ConnectionRefused, "{address} after {after:?}");
                assert!(after < Duration::from_millis(900), "{address}: {after:?}");
            }
            // And it is served again when the address is back here, or at another node.
            let served = |by: &std::net::TcpListener| {
                drop((
                    lan.connect(CLIENT, ip(address), PORT, PATIENCE),
                    by.accept().unwrap(),
                ));
            };
            call("start").run().succeeds();
            served(&listener);
            call("stop").run().succeeds();
            let there = lan.at(NODE2, || lan.listen(&format!("[::]:{PORT}")));
            call_at_node2(lan, "start").set("ip", address).run().succeeds();
            served(&there);
            call_at_node2(lan, "stop").set("ip", address).run().succeeds();
        }
    });
}

/// What a kernel without `SOCK_DESTROY` gets.
#[test]
fn clients_are_told_where_the_kernel_cannot_end_connections() {
    on_a_lan(|_, lan| {
        for (address, listens) in [(FOUR, "0.0.0.0"), (FOUR, "[::]"), (SIX, "[::]")] {
            call("start").set("ip", address).run().succeeds();
            let listener = lan.listen(&format!("{listens}:{PORT}"));
            let mut clients: Vec<TcpStream> = (0..5)
                .map(|_| lan.connect(CLIENT, ip(address), PORT, PATIENCE))
                .collect();
            let _servers: Vec<TcpStream> = clients.iter().map(|_| listener.accept().unwrap().0).collect();
            let deadline = Deadline::after(PATIENCE);
            let known: Vec<Connection> = connection::of(ip(address), deadline)
                .unwrap()
                .iter()
                .map(|known| known.connection)
                .collect();
            let mut from_tables = connection::from_tables(Path::new("/proc/1/net"), ip(address)).unwrap();
            let mut sorted = known.clone();
            sorted.sort();
            from_tables.sort();
            assert_eq!(from_tables, sorted, "/proc/net says the same");
            assert_eq!(
                reset::reset(ip(address), &known, deadline).unwrap(),
                clients.len()
            );
            for client in &mut clients {
                let told = waits(client);
                assert!(
                    told.is_ok_and(|after| after < soon()),
                    "{address} {listens}: {told:?}"
                );
            }
            call("stop").set("ip", address).run().succeeds();
        }
    });
}

/// From this instant the node is as if its plug had been pulled: nothing comes from it any more.
fn pull_the_plug() {
    shell("ip -n switch link set self down");
}

fn plug_in() {
    shell("ip -n switch link set self up");
}

struct Takeover<'a> {
    lan: &'a Lan,
    address: &'static str,
    tickle_dir: Option<&'static str>,
}

impl Takeover<'_> {
    fn with(&self, call: Call) -> Call {
        let call = call.set("ip", self.address);
        match self.tickle_dir {
            Some(directory) => call.set("tickle_dir", directory),
            None => call,
        }
    }

    /// How long a client waits after the other node has taken over.
    fn run(&self) -> Result<Duration, Duration> {
        let listener = self.lan.listen(&format!("[::]:{PORT}"));
        self.with(call("start")).run().succeeds();
        let mut client = self
            .lan
            .connect(CLIENT, ip(self.address), PORT, Duration::from_secs(3));
        let _server = listener.accept().expect("it is connected");
        if self.tickle_dir.is_some() {
            let port = client.local_addr().expect("it is bound").port();
            let list = format!("{VOLUME}/.kaiwudb-ha-connections-{}", self.address);
            eventually("the connection is listed", || {
                std::fs::read_to_string(&list).is_ok_and(|text| text.contains(&format!(":{port} {PORT}\n")))
            });
        }
        pull_the_plug();
        let there = self.lan.at(NODE2, || self.lan.listen(&format!("[::]:{PORT}")));
        self.with(call_at_node2(self.lan, "start"))
            .set("nodad", "true")
            .run()
            .succeeds();
        let heard = waits(&mut client);
        drop(there);
        self.with(call_at_node2(self.lan, "stop")).run().succeeds();
        // Its watcher would tell the cluster.
        self.with(call("stop")).run().succeeds();
        plug_in();
        heard
    }
}

/// A client that waits for an answer of a node that is dead hears nothing of that, ever, unless the next node makes it ask.
#[test]
fn the_next_node_tells_the_clients_of_one_that_has_died() {
    on_a_lan(|machine, lan| {
        machine.shell(&format!("mkdir {VOLUME}"));
        for address in [FOUR, SIX] {
            let takeover = |tickle_dir| {
                Takeover {
                    lan,
                    address,
                    tickle_dir,
                }
                .run()
            };
            let told = takeover(Some(VOLUME));
            assert!(told.is_ok_and(|after| after < soon()), "{address}: {told:?}");
            let control = takeover(None);
            assert!(
                control.is_err(),
                "{address}: the client hears it without our doing: {control:?}"
            );
        }
    });
}

/// A client is on the list when it has only just connected: one that waits for the answer to its first question when the node dies would
/// wait for ever. Each connects when the list has just been made, which is otherwise made once a second.
#[test]
fn a_client_is_listed_when_it_connects() {
    on_a_lan(|machine, lan| {
        machine.shell(&format!("mkdir {VOLUME}"));
        for address in [FOUR, SIX] {
            let call = |action: &str| call(action).set("ip", address).set("tickle_dir", VOLUME);
            let listener = lan.listen(&format!("[::]:{PORT}"));
            call("start").run().succeeds();
            let list = format!("{VOLUME}/.kaiwudb-ha-connections-{address}");
            let listed = |port: u16| {
                std::fs::read_to_string(&list).is_ok_and(|text| text.contains(&format!(":{port} {PORT}\n")))
            };
            let times = (0..10).map(|_| {
                let client = lan.connect(CLIENT, ip(address), PORT, PATIENCE);
                let began = Instant::now();
                let _server = listener.accept().expect("it is connected");
                let port = client.local_addr().expect("it is bound").port();
                eventually("the connection is listed", || listed(port));
                began.elapsed()
            });
            // The first one met a watcher that was just beginning.
            let best = times.skip(1).min().unwrap_or_default();
            assert!(best < Duration::from_millis(900), "{address}: {best:?}");
            call("stop").run().succeeds();
        }
    });
}

/// A list that says what is not true makes nobody lose a connection, and one that cannot be read nothing at all.
#[test]
fn a_wrong_list_does_no_harm() {
    on_a_lan(|machine, lan| {
        machine.shell(&format!("mkdir {VOLUME}"));
        let listener = lan.at(CLIENT, || lan.listen("0.0.0.0:7000"));
        // Somebody else's connection with the same ports, and one of the client's to the node's own address.
        let own = lan.listen("0.0.0.0:26258");
        let mut others = lan.connect(CLIENT, ip("10.0.0.1"), 26258, Duration::from_millis(300));
        let _server = own.accept().unwrap();
        let port = others.local_addr().unwrap().port();
        let list = format!("{VOLUME}/.kaiwudb-ha-connections-{FOUR}");
        let listed = format!(
            "connections of {FOUR}\\n10.0.0.3:{port} 26258\\n10.0.0.3:7000 26257\\n10.0.0.1:22 26257\\n224.0.0.1:1 2\\n10.0.0.3:1"
        );
        let start = || call("start").set("tickle_dir", VOLUME);
        machine.shell(&format!("printf '{listed}' >{list}"));
        start().run().succeeds();
        assert!(
            waits(&mut others).is_err(),
            "a connection that is not the address's was ended"
        );
        drop(listener);
        call("stop").run().succeeds();
        for spoil in [
            format!("rm -f {list}; head -c 100000 /dev/urandom >{list}"),
            format!("rm -f {list}; mkdir {list}"),
            format!("rm -rf {list}; mkfifo {list}"),
            format!("rm -rf {VOLUME}"),
        ] {
            machine.shell(&spoil);
            start().run().succeeds();
            call("stop").set("tickle_dir", VOLUME).run().succeeds();
            assert_eq!(has(FOUR), None, "{spoil}");
        }
    });
}

/// A connection of the address is known by both ends, whatever the family of the server's socket.
#[test]
fn the_kernel_is_asked_for_this_address_only() {
    on_a_lan(|_, lan| {
        shell(&format!("ip address add {FOUR}/24 dev eth0"));
        let listener = lan.listen(&format!("[::]:{PORT}"));
        let client = lan.connect(CLIENT, ip(FOUR), PORT, PATIENCE);
        let other = lan.connect(CLIENT, ip("10.0.0.1"), PORT, PATIENCE);
        let _servers = (listener.accept().unwrap(), listener.accept().unwrap());
        let of = |address: &str| -> Vec<(SocketAddr, u16)> {
            let known = connection::of(ip(address), Deadline::after(PATIENCE)).unwrap();
            known
                .iter()
                .map(|known| (known.connection.peer, known.connection.port))
                .collect()
        };
        assert_eq!(of(FOUR), [(client.local_addr().unwrap(), PORT)]);
        assert_eq!(of("10.0.0.1"), [(other.local_addr().unwrap(), PORT)]);
        assert_eq!(of(SIX), []);
    });
}
