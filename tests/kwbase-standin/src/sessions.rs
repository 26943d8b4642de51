//! The open SQL sessions, and how a drain asks them to end.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a drain wants of every session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Serve = 0,
    /// End as soon as there is no transaction.
    EndWhenIdle = 1,
    /// End at once.
    End = 2,
}

struct Entry {
    waker: UnixStream,
    socket: TcpStream,
}

/// The registry.
#[derive(Default)]
pub(crate) struct Sessions {
    next: AtomicU64,
    order: AtomicU8,
    open: Mutex<HashMap<u64, Entry>>,
    ended: Condvar,
}

impl Sessions {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session; returns its number and a stream that becomes readable when the order changes.
    pub(crate) fn enter(&self, socket: &TcpStream) -> io::Result<(u64, UnixStream)> {
        let (waker, wakened) = UnixStream::pair()?;
        wakened.set_nonblocking(true)?;
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        self.open().insert(
            number,
            Entry {
                waker,
                socket: socket.try_clone()?,
            },
        );
        Ok((number, wakened))
    }

    /// Removes a session.
    pub(crate) fn leave(&self, number: u64) {
        self.open().remove(&number);
        self.ended.notify_all();
    }

    pub(crate) fn count(&self) -> usize {
        self.open().len()
    }

    pub(crate) fn order(&self) -> Order {
        match self.order.load(Ordering::SeqCst) {
            0 => Order::Serve,
            1 => Order::EndWhenIdle,
            _ => Order::End,
        }
    }

    /// Gives a new order to all sessions.
    pub(crate) fn give(&self, order: Order) {
        self.order.store(order as u8, Ordering::SeqCst);
        for entry in self.open().values() {
            // A full pipe means that the session has been woken already.
            let _ = (&entry.waker).write(&[0]);
        }
    }

    /// Waits at most `limit` until all sessions have ended, and tells whether they have.
    pub(crate) fn wait_until_ended(&self, limit: Duration) -> bool {
        let waited = self
            .ended
            .wait_timeout_while(self.open(), limit, |open| !open.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_empty()
    }

    /// Cuts the connections of sessions that did not follow their order, such as those whose client does not read.
    pub(crate) fn cut(&self) {
        for entry in self.open().values() {
            let _ = entry.socket.shutdown(Shutdown::Both);
        }
    }
}
