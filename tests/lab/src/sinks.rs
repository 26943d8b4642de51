//! A mail server and a web server in the lab's own network, which take whatever the nodes send and remember when it came.

use crate::{Deadline, Lab, Network};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The mail server's port.
const MAIL: u16 = 2525;
/// The web server's port.
const WEB: u16 = 8099;
/// No sender is slower by right.
const PATIENCE: Duration = Duration::from_secs(30);

/// The part of the nodes' settings that sends everything to both. The secret of the signature is in `/etc/kaiwudb-ha/hook`.
pub fn settings() -> String {
    let sink = Network::Management.address(1);
    format!(
        "[alerts]\nname = \"lab\"\nlanguage = \"en\"\nheartbeat = \"http://{sink}:{WEB}/alive\"\n\
         [[alerts.mail]]\nserver = \"{sink}\"\nport = {MAIL}\nencryption = \"none\"\nfrom = \"KWDB <ha@lab.example>\"\nto = [\"dba@lab.example\"]\n\
         [[alerts.webhook]]\nurl = \"http://{sink}:{WEB}/hook\"\nsecret_file = \"/etc/kaiwudb-ha/hook\"\n"
    )
}

/// Something that has arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// All of it: headers and body.
    pub text: String,
}

/// What has arrived so far, and whether they answer.
#[derive(Clone, Debug, Default)]
struct Shared {
    mail: Arc<Mutex<Vec<Arrival>>>,
    web: Arc<Mutex<Vec<Arrival>>>,
    dead: Arc<AtomicBool>,
}

/// Both of them. Their threads end with the test.
#[derive(Debug)]
pub struct Sinks {
    shared: Shared,
}

impl Sinks {
    /// Starts both, where every node reaches them, also one whose cluster network is cut.
    pub fn start(lab: &Lab) -> Result<Self> {
        let shared = Shared::default();
        for port in [MAIL, WEB] {
            // A thread of its own: one that has entered the lab's network stays there.
            let listener = std::thread::scope(|scope| scope.spawn(|| listen(lab, port)).join());
            let listener = listener.map_err(|_| anyhow!("a sink did not start"))??;
            let shared = shared.clone();
            std::thread::spawn(move || shared.serve(&listener, port));
        }
        Ok(Self { shared })
    }

    /// Takes connections and never answers, or answers again.
    pub fn play_dead(&self, dead: bool) {
        self.shared.dead.store(dead, Ordering::Relaxed);
    }

    /// Mail that came since.
    pub fn mail(&self, since: Instant) -> Vec<Arrival> {
        came(&self.shared.mail, since)
    }

    /// Requests that came since.
    pub fn web(&self, since: Instant) -> Vec<Arrival> {
        came(&self.shared.web, since)
    }

    /// Requests that came since, without the signs of life.
    pub fn messages(&self, since: Instant) -> Vec<Arrival> {
        let mut all = self.web(since);
        all.retain(|one| one.text.starts_with("POST /hook"));
        all
    }

    /// Waits until each of them has a message with all `words` that came since; returns the later moment.
    pub fn wait(&self, since: Instant, words: &[&str], deadline: Deadline) -> Result<Instant> {
        let find = |arrivals: Vec<Arrival>| {
            let mut found = arrivals.into_iter();
            found.find(|one| words.iter().all(|word| one.text.contains(word)))
        };
        loop {
            if let (Some(mail), Some(web)) = (find(self.mail(since)), find(self.web(since))) {
                return Ok(mail.at.max(web.at));
            }
            ensure!(
                deadline.pause(Duration::from_millis(20)),
                "nothing with {words:?} came: {:#?} {:#?}",
                self.mail(since),
                self.web(since)
            );
        }
    }
}

fn listen(lab: &Lab, port: u16) -> Result<TcpListener> {
    lab.enter_network()?;
    let address = SocketAddr::from((Network::Management.address(1), port));
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
}

fn came(arrivals: &Mutex<Vec<Arrival>>, since: Instant) -> Vec<Arrival> {
    let arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
    arrivals.iter().filter(|one| one.at >= since).cloned().collect()
}

impl Shared {
    fn serve(&self, listener: &TcpListener, port: u16) {
        for stream in listener.incoming().flatten() {
            let shared = self.clone();
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                if shared.dead.load(Ordering::Relaxed) {
                    // Until the sender gives up.
                    let _ = (&stream).read(&mut [0; 1]);
                    Deadline::after(PATIENCE).pause(PATIENCE);
                    return;
                }
                let (taken, arrivals) = if port == MAIL {
                    (mail(&stream), &shared.mail)
                } else {
                    (request(&stream), &shared.web)
                };
                if let Ok(text) = taken {
                    let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                    arrivals.push(Arrival {
                        at: Instant::now(),
                        text,
                    });
                }
            });
        }
    }
}

/// One session; the mail with its lines put together again.
fn mail(mut stream: &TcpStream) -> Result<String> {
    let mut lines = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n")?;
    let (mut text, mut in_mail) = (String::new(), false);
    loop {
        let mut line = String::new();
        ensure!(lines.read_line(&mut line)? > 0, "the sender went away");
        let answer = match line.split_whitespace().next().unwrap_or_default() {
            "." if in_mail => {
                in_mail = false;
                "250 taken\r\n"
            }
            _ if in_mail => {
                text += &line;
                continue;
            }
            "DATA" => {
                in_mail = true;
                "354 go on\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(unquoted(&text));
            }
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes())?;
    }
}

/// Quoted-printable and folded headers, as far as ASCII needs it.
fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "").replace("\r\n ", " ");
    let mut parts = text.split('=');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            plain.push(char::from(byte));
            plain += &part[2..];
        } else {
            plain.push('=');
            plain += part;
        }
    }
    plain
}

/// One request with its body.
fn request(mut stream: &TcpStream) -> Result<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                (name == "content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
                return Ok(text.into_owned());
            }
        }
        match stream.read(&mut part)? {
            0 => bail!("the sender went away"),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
}
