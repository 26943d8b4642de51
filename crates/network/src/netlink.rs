//! Questions to the kernel and its answers: netlink(7).
//!
//! Only what is needed of a message is read, so one of a newer kernel with attributes that nobody here knows is as good as any.

use host::Deadline;
use netlink_packet_core::{
    DefaultNla, Emitable, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR,
    NlasIterator,
};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// The kernel fills at most so much of a buffer with one part of a list.
const BUFFER: usize = 1 << 16;
/// A list during which something has changed is asked for again so often.
const TRIES: usize = 4;
/// How much is sent at once.
const BATCH: usize = 48;

/// One message of the kernel without its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// `RTM_NEWADDR` and the like.
    pub(crate) kind: u16,
    /// What follows the header.
    pub(crate) body: Vec<u8>,
}

/// A socket to the kernel.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    deadline: Deadline,
}

impl Netlink {
    /// For links, addresses and routes. Every question on it is over at the deadline.
    pub fn route(deadline: Deadline) -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkRoute, 0, deadline)
    }

    /// For connections.
    pub(crate) fn connections(deadline: Deadline) -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkSockDiag, 0, deadline)
    }

    fn open(protocol: SockProtocol, groups: u32, deadline: Deadline) -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            protocol,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        Ok(Self { socket, deadline })
    }

    /// Asks for everything of a kind; `body` narrows it down.
    pub(crate) fn list(&self, kind: u16, body: &[u8]) -> io::Result<Vec<Message>> {
        for _ in 0..TRIES {
            self.send(&message(kind, NLM_F_REQUEST | NLM_F_DUMP, body))?;
            if let Some(list) = self.read_list()? {
                return Ok(list);
            }
        }
        Err(io::Error::other("the network changes faster than it can be read"))
    }

    /// The list, unless something has changed while the kernel made it.
    fn read_list(&self) -> io::Result<Option<Vec<Message>>> {
        let mut list = Vec::new();
        let mut is_whole = true;
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = self.receive(&mut buffer)?;
            for part in parts(&buffer[..length]) {
                is_whole &= part.flags & NLM_F_DUMP_INTR == 0;
                match part.kind {
                    NLMSG_DONE => {
                        error_in(part.body)?;
                        return Ok(is_whole.then_some(list));
                    }
                    NLMSG_ERROR => error_in(part.body)?,
                    kind => list.push(Message {
                        kind,
                        body: part.body.to_vec(),
                    }),
                }
            }
        }
    }

    /// Asks for a change and waits for the kernel's word; `flags` beyond those of every request.
    pub(crate) fn change(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.send(&message(kind, NLM_F_REQUEST | NLM_F_ACK | flags, body))?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = self.receive(&mut buffer)?;
            for part in parts(&buffer[..length]) {
                if part.kind == NLMSG_ERROR {
                    return error_in(part.body);
                }
            }
        }
    }

    /// Asks for many changes, as far as the time reaches, and hands back the errors; those without one give nothing.
    pub(crate) fn change_all(&self, kind: u16, bodies: &[Vec<u8>]) -> io::Result<Vec<io::Error>> {
        let mut errors = Vec::new();
        let mut buffer = vec![0; BUFFER];
        for batch in bodies.chunks(BATCH) {
            if self.deadline.is_over() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let together: Vec<u8> = batch
                .iter()
                .flat_map(|body| message(kind, NLM_F_REQUEST, body))
                .collect();
            self.send(&together)?;
            // The kernel has answered before the call that asks returns.
            while let Ok(length) = recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                let answers = parts(&buffer[..length]).filter(|part| part.kind == NLMSG_ERROR);
                errors.extend(answers.filter_map(|part| error_in(part.body).err()));
            }
        }
        Ok(errors)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        send(self.socket.as_raw_fd(), bytes, MsgFlags::empty())?;
        Ok(())
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => return Ok(length),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            if self.deadline.is_over() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, self.deadline.poll_timeout());
        }
    }
}

/// The kernel's word of every change of a link or an address.
#[derive(Debug)]
pub struct Changes(Netlink);

impl Changes {
    /// From now on.
    pub fn follow() -> io::Result<Self> {
        // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
        let socket = Netlink::open(
            SockProtocol::NetlinkRoute,
            0x1 | 0x10 | 0x100,
            Deadline::after(std::time::Duration::ZERO),
        )?;
        // On a host with many containers much is said at once. Without it some is lost, which is noticed.
        let _ = setsockopt(&socket.socket, sockopt::RcvBufForce, &(1 << 20));
        Ok(Self(socket))
    }

    /// Whether something was said since the last call. What was lost for want of room may have been anything.
    pub fn any(&self) -> bool {
        let mut buffer = [0; 8192];
        let mut any = false;
        loop {
            match recv(self.0.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(_) | Err(Errno::ENOBUFS) => any = true,
                Err(Errno::EINTR) => {}
                Err(_) => return any,
            }
        }
    }
}

impl AsFd for Changes {
    /// Readable when something was said.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

/// A message with its header, padded as the next one needs it.
fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = HEADER + body.len();
    let mut bytes = Vec::with_capacity(length + 4);
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

struct Part<'a> {
    kind: u16,
    flags: u16,
    body: &'a [u8],
}

/// The messages that came at once.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = Part<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let whole = bytes.get(..length).filter(|_| length >= HEADER)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Part {
            kind: u16_at(whole, 4)?,
            flags: u16_at(whole, 6)?,
            body: &whole[HEADER..],
        })
    })
}

/// What `NLMSG_ERROR` or `NLMSG_DONE` says: zero, or a number of errno with a minus.
fn error_in(body: &[u8]) -> io::Result<()> {
    match body
        .get(..4)
        .and_then(|code| code.try_into().ok())
        .map(i32::from_ne_bytes)
    {
        Some(code) if code < 0 => Err(io::Error::from_raw_os_error(-code)),
        _ => Ok(()),
    }
}

/// The attributes behind the fixed part of a message. What cannot be understood ends them.
pub(crate) fn attributes(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    let mut rest = bytes;
    for attribute in NlasIterator::new(bytes) {
        let Ok(attribute) = attribute else { break };
        let (length, aligned) = (
            usize::from(attribute.length()),
            usize::from(attribute.length()).next_multiple_of(4),
        );
        let Some(value) = rest.get(4..length) else { break };
        found.push((attribute.kind(), value));
        rest = rest.get(aligned..).unwrap_or_default();
    }
    found
}

/// The value of one attribute.
pub(crate) fn attribute<'a>(attributes: &[(u16, &'a [u8])], kind: u16) -> Option<&'a [u8]> {
    attributes
        .iter()
        .find(|(found, _)| *found == kind)
        .map(|(_, value)| *value)
}

/// Adds an attribute to a message.
pub(crate) fn push_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let attribute = DefaultNla::new(kind, value.to_vec());
    let start = body.len();
    body.resize(start + attribute.buffer_len(), 0);
    attribute.emit(&mut body[start..]);
}

/// A string of the kernel's, which ends with a zero.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// An address as the kernel has it.
pub(crate) fn ip(value: &[u8]) -> Option<std::net::IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(value) {
        return Some(bytes.into());
    }
    <[u8; 16]>::try_from(value).ok().map(Into::into)
}

/// The same, the other way round.
pub(crate) fn octets(ip: std::net::IpAddr) -> Vec<u8> {
    match ip {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// `AF_INET` or `AF_INET6`, which fit into a byte.
pub(crate) fn family(ip: std::net::IpAddr) -> u8 {
    let family = if ip.is_ipv4() {
        nix::libc::AF_INET
    } else {
        nix::libc::AF_INET6
    };
    family.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_attributes_read_back() {
        let mut body = vec![1, 2, 3, 4];
        push_attribute(&mut body, 3, b"eth0\0");
        push_attribute(&mut body, 1, &[10, 0, 0, 1]);
        let bytes = [message(20, 5, &body), message(21, 0, &[])].concat();
        let read: Vec<_> = parts(&bytes).map(|part| (part.kind, part.flags)).collect();
        assert_eq!(read, [(20, 5), (21, 0)]);
        let first = parts(&bytes).next().unwrap();
        let found = attributes(&first.body[4..]);
        assert_eq!(attribute(&found, 3).map(text).as_deref(), Some("eth0"));
        assert_eq!(attribute(&found, 1).and_then(ip), Some([10, 0, 0, 1].into()));
        assert_eq!(attribute(&found, 2), None);
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        let mut bytes = message(20, 0, &[0; 40]);
        bytes.truncate(30);
        assert_eq!(parts(&bytes).count(), 0);
        assert_eq!(parts(&[0; 64]).count(), 0);
        assert!(attributes(&[200, 0, 1, 0, 1]).is_empty());
    }

    #[test]
    fn errors_of_the_kernel() {
        assert!(error_in(&0i32.to_ne_bytes()).is_ok());
        let error = error_in(&(-nix::libc::EEXIST).to_ne_bytes()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
}
