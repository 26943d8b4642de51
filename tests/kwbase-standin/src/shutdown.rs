//! How the server ends: drain, close, and the ways that are not graceful.

use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::node::{Node, Phase};
use crate::series::Durability;
use crate::sessions::Order;

/// How long sessions get after `query_wait` before their clients are told to go.
const CANCEL_WAIT: Duration = Duration::from_secs(1);
/// The part of an idle stop in which the ports are still open; the rest is the closing of the engine.
const DRAIN_PART: f64 = 0.15;

/// Held by whoever drains or closes, so that a second one waits for the first.
static RUNNING: Mutex<()> = Mutex::new(());

/// Sends the clients away. Returns when all are gone; the server goes on refusing clients.
pub(crate) fn drain(node: &Node) {
    let moved = node.advance(Phase::Draining);
    let _running = RUNNING.lock();
    node.answer_gate();
    if !moved {
        return;
    }
    node.log.info("initiating graceful shutdown of server");
    // The real server goes through its drain loop twice, and waits this long in each round.
    let drain_wait = node.settings.duration("server.shutdown.drain_wait") * 2;
    let query_wait = node.settings.duration("server.shutdown.query_wait");
    node.sessions.wait_until_ended(drain_wait);
    node.sessions.give(Order::EndWhenIdle);
    if !node.sessions.wait_until_ended(query_wait + CANCEL_WAIT) {
        node.log.warning(&format!(
            "drain: {} sessions are still open; closing them",
            node.sessions.count()
        ));
        node.sessions.give(Order::End);
        if !node.sessions.wait_until_ended(CANCEL_WAIT) {
            node.sessions.cut();
        }
    }
    thread::sleep(node.options.faults.drain.mul_f64(DRAIN_PART));
    node.log.info("server drained");
}

/// Closes the ports, then the engine. Takes at least as long as closing the real engine does.
pub(crate) fn close(node: &Node) {
    node.advance(Phase::Closing);
    let _running = RUNNING.lock();
    let began = Instant::now();
    for listener in node.listeners().drain(..) {
        // Wakes the thread that accepts; from here on the kernel refuses connections.
        let _ = nix::sys::socket::shutdown(listener.as_raw_fd(), nix::sys::socket::Shutdown::Both);
    }
    node.own.close();
    node.remove_socket_file();
    if let Err(error) = node.series.checkpoint(Durability::of(&node.settings)) {
        node.log
            .warning(&format!("the time-series engine did not close: {error}"));
    }
    if let Some(pid) = node.postgres_pid.get() {
        // Fast shutdown.
        node.end_postgres(|| {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGINT);
        });
    }
    let least = node.options.faults.drain.mul_f64(1.0 - DRAIN_PART);
    thread::sleep(least.saturating_sub(began.elapsed()));
}

/// The end of a graceful stop.
pub(crate) fn end(node: &Node, code: i32) -> ! {
    if let Err(error) = node.temporary.remove() {
        node.log.warning(&format!(
            "could not remove {}: {error}",
            node.temporary.path.display()
        ));
    }
    node.log.info("server drained and shutdown completed");
    std::process::exit(code);
}
