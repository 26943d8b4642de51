//! The power switch that STONITH uses: a server on the management network that really switches nodes.

use crate::namespace::Namespace;
use crate::network::Network;
use crate::node::Node;
use anyhow::{Context, Result, bail};
use host::Deadline;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PORT: u16 = 7701;

/// A request must have arrived, and its answer be taken, within this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pause between two looks for a client.
const PAUSE: Duration = Duration::from_millis(10);

/// One order that the switch carried out.
#[derive(Clone, Debug)]
pub struct FenceEvent {
    /// When it was carried out; of a reboot, when the power was off.
    pub at: Instant,
    /// Node that asked; `None` for somebody else.
    pub by: Option<String>,
    /// `on`, `off` or `reboot`.
    pub action: String,
    /// Host name of the node that was switched.
    pub target: String,
}

/// The running switch. It handles one request at a time.
#[derive(Debug)]
pub(crate) struct PowerSwitch {
    events: Arc<Mutex<Vec<FenceEvent>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PowerSwitch {
    pub(crate) fn start(
        namespace: &Arc<Namespace>,
        nodes: Arc<[Node; 2]>,
        boot_delay: Duration,
    ) -> Result<Self> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, answer) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("power-switch".to_owned())
            .spawn({
                let (namespace, stop) = (Arc::clone(namespace), Arc::clone(&stop));
                let mut switch = Switch {
                    nodes,
                    events: Arc::clone(&events),
                    boot_delay,
                    rebooting: Vec::new(),
                };
                move || match listen(&namespace) {
                    Ok(listener) => {
                        let _ = ready.send(Ok(()));
                        switch.serve(&listener, &stop);
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            })?;
        answer
            .recv_timeout(Duration::from_secs(10))
            .context("the power switch did not start")??;
        Ok(Self {
            events,
            stop,
            thread: Some(thread),
        })
    }

    /// Everything it did so far.
    pub(crate) fn events(&self) -> Vec<FenceEvent> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for PowerSwitch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(namespace: &Namespace) -> Result<TcpListener> {
    namespace.enter_network()?;
    let address = SocketAddr::from((Network::Management.address(1), PORT));
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// What the switch's thread works with.
struct Switch {
    nodes: Arc<[Node; 2]>,
    events: Arc<Mutex<Vec<FenceEvent>>>,
    boot_delay: Duration,
    /// Nodes that get their power back, and when.
    rebooting: Vec<(Instant, usize)>,
}

impl Switch {
    fn serve(&mut self, listener: &TcpListener, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) => {
                    // A client that goes away in the middle is its own problem.
                    let _ = self.answer(&stream);
                }
                Err(_) => {
                    Deadline::after(PAUSE).pause(PAUSE);
                }
            }
            self.finish_reboots();
        }
    }

    fn finish_reboots(&mut self) {
        let now = Instant::now();
        for (at, index) in std::mem::take(&mut self.rebooting) {
            if at > now {
                self.rebooting.push((at, index));
            } else if let Err(error) = self.nodes[index].power_on() {
                eprintln!("power switch: {error:#}");
            }
        }
    }

    fn answer(&mut self, stream: &TcpStream) -> Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let SocketAddr::V4(peer) = stream.peer_addr()? else {
            bail!("not an IPv4 client")
        };
        let mut request = String::new();
        BufReader::new(stream).read_line(&mut request)?;
        let line = match self.obey(request.trim(), *peer.ip()) {
            Ok(text) => format!("ok {text}\n"),
            Err(error) => {
                eprintln!(
                    "power switch: '{}' from {} failed: {error:#}",
                    request.trim(),
                    peer.ip()
                );
                format!("error {error:#}\n")
            }
        };
        (&mut &*stream).write_all(line.as_bytes())?;
        Ok(())
    }

    fn obey(&mut self, request: &str, peer: Ipv4Addr) -> Result<String> {
        let (action, target) = request.split_once(' ').unwrap_or((request, ""));
        if action == "list" {
            return Ok(self.nodes.each_ref().map(Node::name).join(" "));
        }
        let Some(index) = self.nodes.iter().position(|node| node.name() == target) else {
            bail!("no plug '{target}'; allowed are node1 and node2");
        };
        let node = &self.nodes[index];
        let by = self
            .nodes
            .iter()
            .find(|node| node.address(Network::Management) == peer);
        if by.is_some_and(|by| !by.is_on()) {
            // Both nodes may order the other's death at once; the first one served wins, as with one shared switch.
            bail!("the node that asked has no power");
        }
        match action {
            "status" => return Ok(if node.is_on() { "on" } else { "off" }.to_owned()),
            "on" => node.power_on()?,
            "off" | "reboot" => node.power_off()?,
            _ => bail!("action is '{action}'; allowed are list, status, on, off and reboot"),
        }
        let event = FenceEvent {
            at: Instant::now(),
            by: by.map(|by| by.name().to_owned()),
            action: action.to_owned(),
            target: target.to_owned(),
        };
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        self.rebooting.retain(|(_, other)| *other != index);
        if action == "reboot" {
            self.rebooting.push((Instant::now() + self.boot_delay, index));
        }
        Ok(String::new())
    }
}
