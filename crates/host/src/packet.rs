//! Packets below IP, such as those of ARP: packet(7). The kernel makes the header of the link, so any sort of link will do.

use crate::Deadline;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{LinkAddr, MsgFlags, recv, recvmsg};
use std::io::{self, IoSliceMut};
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The longest hardware address, which InfiniBand has.
const LONGEST_ADDRESS: usize = 20;

/// A socket for the packets of one protocol on one link.
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
    link: i32,
    protocol: u16,
}

/// `struct sockaddr_ll` with room for any hardware address.
#[repr(C)]
struct LinkAddress {
    start: libc::sockaddr_ll,
    more: [u8; LONGEST_ADDRESS],
}

/// What a byte of a packet has to be.
#[derive(Clone, Copy, Debug)]
pub struct Octet {
    /// Where it is, counted from the header after the link's.
    pub at: u32,
    /// Which of its bits count.
    pub mask: u8,
    /// What these bits have to be.
    pub value: u8,
}

impl PacketSocket {
    /// For packets of `protocol` (`ETH_P_*`) on the link with this number.
    pub fn open(link: u32, protocol: u16) -> io::Result<Self> {
        let link = i32::try_from(link).map_err(io::Error::other)?;
        // No packet comes before it is bound.
        // SAFETY: no pointer is passed; the result is checked before it is owned.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        let opened = Self {
            // SAFETY: a descriptor that was just made, which nobody else owns.
            socket: unsafe { OwnedFd::from_raw_fd(socket) },
            link,
            protocol,
        };
        let address = opened.address(&[])?;
        // SAFETY: the pointer is to a whole `sockaddr_ll`, whose length is given.
        let bound = unsafe {
            libc::bind(
                opened.socket.as_raw_fd(),
                (&raw const address.start).cast(),
                length_of(size_of::<libc::sockaddr_ll>()),
            )
        };
        if bound < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(opened)
    }

    fn address(&self, hardware: &[u8]) -> io::Result<LinkAddress> {
        if hardware.len() > LONGEST_ADDRESS {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: integers only, for which zero is a value.
        let mut address: LinkAddress = unsafe { std::mem::zeroed() };
        address.start.sll_family = libc::sa_family_t::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
        address.start.sll_protocol = self.protocol.to_be();
        address.start.sll_ifindex = self.link;
        address.start.sll_halen = hardware.len().to_le_bytes()[0];
        let (first, more) = hardware.split_at(hardware.len().min(address.start.sll_addr.len()));
        address.start.sll_addr[..first.len()].copy_from_slice(first);
        address.more[..more.len()].copy_from_slice(more);
        Ok(address)
    }

    /// Sends a packet to a hardware address.
    pub fn send(&self, payload: &[u8], hardware: &[u8]) -> io::Result<()> {
        let address = self.address(hardware)?;
        let length =
            size_of::<libc::sockaddr_ll>().max(offset_of!(libc::sockaddr_ll, sll_addr) + hardware.len());
        // SAFETY: payload and address are whole for the lengths given: `more` follows `start` without a gap.
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                payload.as_ptr().cast(),
                payload.len(),
                0,
                (&raw const address).cast(),
                length_of(length),
            )
        };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// From now on only packets count that have each of these. The kernel drops the others, which then cost next to nothing.
    pub fn only(&self, octets: &[Octet]) -> io::Result<()> {
        let statement = |code: u32, otherwise: usize, value: u32| {
            Ok::<_, io::Error>(libc::sock_filter {
                code: u16::try_from(code).map_err(io::Error::other)?,
                jt: 0,
                jf: u8::try_from(otherwise).map_err(io::Error::other)?,
                k: value,
            })
        };
        let mut program = Vec::new();
        for (index, octet) in octets.iter().enumerate() {
            // To the last statement: three for each octet that follows, and the one that takes the packet.
            let rest = 3 * (octets.len() - index - 1) + 1;
            program.extend([
                statement(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, octet.at)?,
                statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, octet.mask.into())?,
                statement(
                    libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
                    rest,
                    octet.value.into(),
                )?,
            ]);
        }
        program.push(statement(libc::BPF_RET | libc::BPF_K, 0, u32::MAX)?);
        program.push(statement(libc::BPF_RET | libc::BPF_K, 0, 0)?);
        let filter = libc::sock_fprog {
            len: u16::try_from(program.len()).map_err(io::Error::other)?,
            filter: program.as_mut_ptr(),
        };
        // SAFETY: the kernel copies the program, whose length is given and which lives until after the call.
        let set = unsafe {
            libc::setsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const filter).cast(),
                length_of(size_of::<libc::sock_fprog>()),
            )
        };
        if set < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// The next packet for this host that is there already, and the hardware address that it came from.
    pub fn next(&self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut buffer = [0; 2048];
        loop {
            let mut slices = [IoSliceMut::new(&mut buffer)];
            let received =
                recvmsg::<LinkAddr>(self.socket.as_raw_fd(), &mut slices, None, MsgFlags::MSG_DONTWAIT)
                    .map(|message| (message.bytes, message.address));
            match received {
                Ok((length, Some(from))) if from.pkttype() == libc::PACKET_HOST => {
                    let hardware = from.addr().map(Vec::from).unwrap_or_default();
                    return Ok(Some((buffer[..length].to_vec(), hardware)));
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next packet that somebody else has sent; `None` at the deadline.
    pub fn receive(&self, deadline: Deadline) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = [0; 2048];
        loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => return Ok(Some(buffer[..length].to_vec())),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            if deadline.is_over() {
                return Ok(None);
            }
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, deadline.poll_timeout());
        }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A length of an address fits into any integer.
fn length_of(length: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(length).unwrap_or(libc::socklen_t::MAX)
}
