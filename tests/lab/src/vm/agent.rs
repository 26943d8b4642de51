//! The way into a virtual machine: the agent that runs in it (`files/vm/agent.py` tells the protocol), over a network of
//! its own that nobody cuts.

use crate::namespace::Namespace;
use anyhow::{Context, Result, bail, ensure};
use host::Deadline;
use serde::Deserialize;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PORT: u16 = 7700;

/// A machine that does not accept a connection within this is booting or gone.
const CONNECT: Duration = Duration::from_secs(3);

/// How often a waiting caller looks whether the machine still has power.
const LOOK: Duration = Duration::from_millis(250);

/// First line of an answer; what it has depends on the request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) error: Option<String>,
    pub(crate) status: Option<i32>,
    pub(crate) elapsed: f64,
    pub(crate) mounted_at: Vec<std::path::PathBuf>,
    pub(crate) servers: Vec<(i32, String)>,
    pub(crate) has_virtual_ip: bool,
    stdout: usize,
    stderr: usize,
    #[serde(skip)]
    pub(crate) out: String,
    #[serde(skip)]
    pub(crate) err: String,
}

/// Asks the agent in machine `number`. `is_on` is asked again and again: a machine that lost its power says nothing.
pub(crate) fn ask(
    namespace: &Namespace,
    number: u8,
    request: &serde_json::Value,
    input: &[u8],
    deadline: Deadline,
    is_on: impl Fn() -> bool,
) -> Result<Answer> {
    let mut stream = connect(namespace, number, deadline)?;
    stream.set_write_timeout(Some(CONNECT))?;
    stream.write_all(format!("{request}\n").as_bytes())?;
    stream.write_all(input)?;
    stream.set_read_timeout(Some(LOOK))?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 1 << 14];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                ensure!(is_on(), "node{number} is off");
                ensure!(!deadline.is_over(), "the agent in the machine does not answer");
            }
            Err(error) => return Err(error.into()),
        }
    }
    let answer = parse(&bytes)?;
    match answer.error {
        Some(error) => bail!(error),
        None => Ok(answer),
    }
}

/// A connection on which the output of `argv` arrives until the command ends; closing it ends the command.
pub(crate) fn follow(
    namespace: &Namespace,
    number: u8,
    argv: &[&str],
    deadline: Deadline,
) -> Result<TcpStream> {
    let mut stream = connect(namespace, number, deadline)?;
    stream.write_all(format!("{}\n", serde_json::json!({ "follow": argv })).as_bytes())?;
    Ok(stream)
}

/// From a thread of its own, which alone is in the lab's network.
fn connect(namespace: &Namespace, number: u8, deadline: Deadline) -> Result<TcpStream> {
    let address = SocketAddr::from(([10, 77, 9, 10 + number], PORT));
    let patience = deadline.remaining().min(CONNECT).max(Duration::from_millis(1));
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            namespace.enter_network()?;
            let stream = TcpStream::connect_timeout(&address, patience)?;
            stream.set_nodelay(true)?;
            anyhow::Ok(stream)
        });
        thread.join().ok().context("the connecting thread panicked")?
    })
    .with_context(|| format!("cannot reach the agent in node{number}"))
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .context("the agent in the machine closed the connection")?;
    let mut answer: Answer =
        serde_json::from_slice(&bytes[..end]).context("the agent's answer is damaged")?;
    let rest = &bytes[end + 1..];
    ensure!(
        rest.len() == answer.stdout + answer.stderr,
        "the agent's answer has {} of {} bytes",
        rest.len(),
        answer.stdout + answer.stderr
    );
    let (out, err) = rest.split_at(answer.stdout);
    answer.out = String::from_utf8_lossy(out).into_owned();
    answer.err = String::from_utf8_lossy(err).into_owned();
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_apart() {
        let answer = parse(b"{\"status\": 3, \"stdout\": 4, \"stderr\": 3}\nout\nerr").unwrap();
        assert_eq!(
            (answer.status, answer.out.as_str(), answer.err.as_str()),
            (Some(3), "out\n", "err")
        );
    }

    #[test]
    fn a_broken_answer_is_an_error() {
        assert!(parse(b"").is_err());
        let error = parse(b"{\"stdout\": 4, \"stderr\": 0}\nou")
            .unwrap_err()
            .to_string();
        assert_eq!(error, "the agent's answer has 2 of 4 bytes");
    }
}
