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

/// One order that the switch carried out.
#[derive(Clone, Debug)]
pub struct FenceEvent {
    /// When it was finished.
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
    pub(crate) fn start(namespace: &Arc<Namespace>, nodes: Arc<[Node; 2]>) -> Result<Self> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, answer) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("power-switch".to_owned())
            .spawn({
                let (namespace, events, stop) =
                    (Arc::clone(namespace), Arc::clone(&events), Arc::clone(&stop));
                move || match listen(&namespace) {
                    Ok(listener) => {
                        let _ = ready.send(Ok(()));
                        serve(&listener, &nodes, &events, &stop);
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

fn serve(listener: &TcpListener, nodes: &[Node; 2], events: &Mutex<Vec<FenceEvent>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                // A client that goes away in the middle is its own problem.
                let _ = answer(&stream, nodes, events);
            }
            Err(_) => {
                Deadline::after(Duration::from_secs(1)).pause(Duration::from_millis(10));
            }
        }
    }
}

fn answer(stream: &TcpStream, nodes: &[Node; 2], events: &Mutex<Vec<FenceEvent>>) -> Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let SocketAddr::V4(peer) = stream.peer_addr()? else {
        bail!("not an IPv4 client")
    };
    let mut request = String::new();
    BufReader::new(stream).read_line(&mut request)?;
    let line = match obey(request.trim(), *peer.ip(), nodes, events) {
        Ok(text) => format!("ok {text}\n"),
        Err(error) => format!("error {error:#}\n"),
    };
    (&mut &*stream).write_all(line.as_bytes())?;
    Ok(())
}

fn obey(request: &str, peer: Ipv4Addr, nodes: &[Node; 2], events: &Mutex<Vec<FenceEvent>>) -> Result<String> {
    let (action, target) = request.split_once(' ').unwrap_or((request, ""));
    if action == "list" {
        return Ok(nodes.each_ref().map(Node::name).join(" "));
    }
    let Some(node) = nodes.iter().find(|node| node.name() == target) else {
        bail!("no plug '{target}'; allowed are node1 and node2");
    };
    let by = nodes
        .iter()
        .find(|node| node.address(Network::Management) == peer);
    if by.is_some_and(|by| !by.is_on()) {
        // Both nodes may order the other's death at once; the first one served wins, as with one shared switch.
        bail!("the node that asked has no power");
    }
    match action {
        "status" => return Ok(if node.is_on() { "on" } else { "off" }.to_owned()),
        "on" => node.power_on()?,
        "off" => node.power_off()?,
        "reboot" => {
            node.power_off()?;
            node.power_on()?;
        }
        _ => bail!("action is '{action}'; allowed are list, status, on, off and reboot"),
    }
    events
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(FenceEvent {
            at: Instant::now(),
            by: by.map(|by| by.name().to_owned()),
            action: action.to_owned(),
            target: target.to_owned(),
        });
    Ok(String::new())
}
