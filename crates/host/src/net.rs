//! TCP with a deadline on every step.

use crate::Deadline;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
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
