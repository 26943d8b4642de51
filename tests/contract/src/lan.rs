//! A network for one machine: itself, a second node and a client, each with `eth0` on one switch, in network namespaces of their own.

use crate::machine::shell;
use host::Deadline;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No connection within the tests' networks takes longer.
const CONNECTS: Duration = Duration::from_secs(5);

/// The switch and the hosts on it. It goes with the machine.
#[derive(Debug)]
pub struct Lan {
    ours: File,
}

/// A host on it besides the machine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host(&'static str);

/// Another node of the cluster: 10.0.0.2, `2001:db8::2`.
pub const NODE2: Host = Host("node2");
/// Somebody else: 10.0.0.3, `2001:db8::3`.
pub const CLIENT: Host = Host("client");

impl Lan {
    /// Gives the machine of this thread an `eth0`: 10.0.0.1/24 and `2001:db8::1/64`.
    pub fn new() -> Self {
        shell(
            "mkdir -p /run/netns; ip netns add switch
             ip -n switch link add br0 type bridge forward_delay 0 mcast_snooping 0; ip -n switch link set br0 up
             for host in node2 client; do
                 ip netns add $host; ip -n $host link set lo up
                 ip -n $host link add eth0 type veth peer name $host netns switch
             done
             ip link add eth0 type veth peer name self netns switch
             for port in self node2 client; do ip -n switch link set $port master br0 up; done
             address() { ip $1 address add 10.0.0.$2/24 broadcast + dev eth0; ip $1 address add 2001:db8::$2/64 dev eth0 nodad; ip $1 link set eth0 up; }
             address '' 1; address '-n node2' 2; address '-n client' 3",
        );
        Self {
            ours: File::open("/proc/1/ns/net").expect("/proc is mounted"),
        }
    }

    /// Does something with the network of another host. What is opened there stays there.
    pub fn at<R>(&self, host: Host, work: impl FnOnce() -> R) -> R {
        let there = File::open(Path::new("/run/netns").join(host.0)).expect("the host exists");
        setns(&there, CloneFlags::CLONE_NEWNET).expect("root may go there");
        let result = work();
        setns(&self.ours, CloneFlags::CLONE_NEWNET).expect("root may come back");
        result
    }

    /// The path of a program that does on this host what `program` does here.
    pub fn program_at(&self, host: Host, program: &Path) -> PathBuf {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let path = PathBuf::from(format!("/run/{name}-at-{}", host.0));
        let file = program.display();
        shell(&format!(
            "printf '#!/bin/sh\\nexec ip netns exec {} \"{file}\" \"$@\"\\n' >{1}; chmod +x {1}",
            host.0,
            path.display()
        ));
        path
    }

    /// Runs a shell command there.
    #[track_caller]
    pub fn shell_at(&self, host: Host, script: &str) -> String {
        self.at(host, || shell(script))
    }

    /// Listens at our own node, on every address of the family, or on IPv6 for both.
    pub fn listen(&self, at: &str) -> TcpListener {
        let deadline = Deadline::after(Duration::from_secs(10));
        loop {
            match TcpListener::bind(at) {
                // A child between fork and exec has what another test or call has just closed.
                Err(error)
                    if error.kind() == ErrorKind::AddrInUse && deadline.pause(Duration::from_millis(10)) => {}
                listener => return listener.expect("the port is free"),
            }
        }
    }

    /// A connection from there, which waits on a read for at most `patience`. Until the network has learnt where an address is now, the host that
    /// had it refuses.
    #[track_caller]
    pub fn connect(&self, from: Host, to: IpAddr, port: u16, patience: Duration) -> TcpStream {
        let deadline = Deadline::after(CONNECTS);
        let stream = loop {
            let tried = self.at(from, || {
                TcpStream::connect_timeout(&SocketAddr::new(to, port), CONNECTS)
            });
            match tried {
                Err(error)
                    if error.kind() == ErrorKind::ConnectionRefused
                        && deadline.pause(Duration::from_millis(10)) => {}
                tried => break tried.unwrap_or_else(|error| panic!("{from:?} cannot reach {to}: {error}")),
            }
        };
        stream
            .set_read_timeout(Some(patience))
            .expect("a time that is not zero");
        stream
    }
}

impl Default for Lan {
    fn default() -> Self {
        Self::new()
    }
}
