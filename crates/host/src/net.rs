//! TCP with a deadline on every step, or until somebody hangs up.

use crate::Deadline;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, setsockopt, socket, sockopt};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A connection on which no read or write lasts beyond its deadline.
#[derive(Debug)]
pub struct DeadlineStream {
    stream: TcpStream,
    deadline: Deadline,
}

/// Connects to `address`.
pub fn connect(address: SocketAddr, deadline: Deadline) -> io::Result<DeadlineStream> {
    let stream = TcpStream::connect_timeout(&address, left(deadline)?)?;
    stream.set_nodelay(true)?;
    Ok(DeadlineStream { stream, deadline })
}

/// Ends the waits of another thread that has no deadline of its own.
#[derive(Clone, Debug, Default)]
pub struct HangUp(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    is_over: bool,
    socket: Option<TcpStream>,
}

impl HangUp {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the wait that goes on, if any, and every later one.
    pub fn hang_up(&self) {
        let mut held = self.held();
        held.is_over = true;
        if let Some(socket) = held.socket.take() {
            // Also of one that has not connected yet.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether somebody has hung up.
    pub fn is_over(&self) -> bool {
        self.held().is_over
    }

    fn hold(&self, socket: &TcpStream) -> io::Result<()> {
        let mut held = self.held();
        if held.is_over {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        held.socket = Some(socket.try_clone()?);
        Ok(())
    }
}

/// What a client without timeouts does while nothing is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepAlive {
    /// Nothing: what JDBC does unless told otherwise.
    #[default]
    Off,
    /// What the kernel does where it is asked to: with Linux's defaults a first probe after two hours.
    On,
}

/// Connects as clients without timeouts do: for as long as the kernel tries. What follows on the connection has the deadline that it is given.
///
/// Where this host has the address itself it connects from another one, as clients elsewhere do: from the address itself nothing more can be
/// sent once that has left.
pub fn connect_patiently(
    address: SocketAddr,
    keep_alive: KeepAlive,
    hang_up: &HangUp,
    deadline: Deadline,
) -> io::Result<DeadlineStream> {
    let family = if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let stream = TcpStream::from(socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?);
    setsockopt(&stream, sockopt::KeepAlive, &(keep_alive == KeepAlive::On))?;
    stream.set_nodelay(true)?;
    if let Some(from) = another(&own_addresses(), address.ip()) {
        let from = SockaddrStorage::from(SocketAddr::new(from, 0));
        nix::sys::socket::bind(stream.as_raw_fd(), &from)?;
    }
    hang_up.hold(&stream)?;
    nix::sys::socket::connect(stream.as_raw_fd(), &SockaddrStorage::from(address))?;
    Ok(DeadlineStream { stream, deadline })
}

/// Interfaces and addresses of this host.
fn own_addresses() -> Vec<(String, IpAddr)> {
    let all = getifaddrs().into_iter().flatten();
    all.filter_map(|known| {
        let address = known.address?;
        let four = address.as_sockaddr_in().map(|four| four.ip().into());
        let ip = four.or_else(|| address.as_sockaddr_in6().map(|six| six.ip().into()))?;
        Some((known.interface_name, ip))
    })
    .collect()
}

/// Another address of the interface that has `ip`, of the same family.
fn another(known: &[(String, IpAddr)], ip: IpAddr) -> Option<IpAddr> {
    let (interface, _) = known.iter().find(|(_, address)| *address == ip)?;
    let is_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let mut others = known.iter().filter(|(name, other)| {
        name == interface && *other != ip && other.is_ipv4() == ip.is_ipv4() && !is_local(*other)
    });
    others.next().map(|(_, other)| *other)
}

fn left(deadline: Deadline) -> io::Result<Duration> {
    match deadline.remaining() {
        left if left.is_zero() => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
        // Sub-millisecond timeouts are rounded to zero, "for ever", by some kernels.
        left => Ok(left.max(Duration::from_millis(1))),
    }
}

/// A socket timeout shows as "would block"; say what it means.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
        _ => error,
    }
}

/// A socket with a timeout is interrupted whenever its process is stopped and goes on (signal(7)), whatever handlers there are.
fn until_not_interrupted(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(timed_out),
        }
    }
}

impl DeadlineStream {
    /// Gives the connection a new deadline.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        until_not_interrupted(|| {
            self.stream.set_read_timeout(Some(left(self.deadline)?))?;
            self.stream.read(buffer)
        })
    }
}

impl Write for DeadlineStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        until_not_interrupted(|| {
            self.stream.set_write_timeout(Some(left(self.deadline)?))?;
            self.stream.write(buffer)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Instant;

    #[test]
    fn a_silent_peer_costs_no_more_than_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(500));
        let mut stream = connect(listener.local_addr().unwrap(), deadline).unwrap();
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(stream.write(b"x").unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn whoever_waits_without_end_is_freed_by_hanging_up() {
        // The kernel takes one or two connections nobody has accepted, and leaves the others without an answer.
        let full = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
        .unwrap();
        let any = SockaddrStorage::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        nix::sys::socket::bind(full.as_raw_fd(), &any).unwrap();
        nix::sys::socket::listen(&full, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
        let address = TcpListener::from(full.try_clone().unwrap()).local_addr().unwrap();
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let hang_up = HangUp::default();
                let theirs = hang_up.clone();
                let waits = std::thread::spawn(move || {
                    let mut open = connect_patiently(
                        address,
                        KeepAlive::Off,
                        &theirs,
                        Deadline::after(Duration::from_secs(600)),
                    )?;
                    open.read(&mut [0; 1])
                });
                (hang_up, waits)
            })
            .collect();
        let moment = Deadline::after(Duration::from_millis(300));
        moment.pause(Duration::from_secs(1));
        assert!(clients.iter().all(|(_, waits)| !waits.is_finished()));
        let began = Instant::now();
        for (hang_up, waits) in clients {
            hang_up.hang_up();
            let end = waits.join().unwrap();
            assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
            assert!(hang_up.is_over());
            let later = connect_patiently(address, KeepAlive::On, &hang_up, Deadline::after(Duration::ZERO));
            assert_eq!(later.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        }
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_client_on_the_host_itself_connects_from_another_address() {
        let known = [
            ("lo", "127.0.0.1"),
            ("eth0", "10.0.0.11"),
            ("eth0", "fe80::1"),
            ("eth0", "10.0.0.100"),
            ("eth1", "10.0.1.11"),
        ]
        .map(|(name, ip)| (name.to_owned(), ip.parse().unwrap()));
        let another = |ip: &str| another(&known, ip.parse().unwrap()).map(|ip| ip.to_string());
        assert_eq!(another("10.0.0.100").as_deref(), Some("10.0.0.11"));
        for none in ["10.0.0.12", "127.0.0.1", "10.0.1.11", "fe80::1"] {
            assert_eq!(another(none), None, "{none}");
        }
    }

    #[test]
    fn who_is_stopped_for_a_moment_reads_on() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let deadline = Deadline::after(Duration::from_secs(30));
        let mut stream = connect(listener.local_addr().unwrap(), deadline).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let us = std::process::id();
        let script = format!(
            "sleep 0.2; kill -STOP {us}; sleep 0.1; kill -CONT {us}; sleep 0.2; kill -STOP {us}; kill -CONT {us}"
        );
        let answers = std::thread::spawn(move || {
            crate::Command::new("/bin/sh")
                .args(["-c", &script])
                .run_ok(deadline)
                .unwrap();
            peer.write_all(b"x").unwrap();
        });
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 1);
        answers.join().unwrap();
    }
}
