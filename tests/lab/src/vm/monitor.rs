//! QEMU's monitor: what a person would type at the machine itself.

use anyhow::{Context, Result, ensure};
use host::Deadline;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const PROMPT: &str = "(qemu) ";

/// Runs one command; what it printed.
pub(crate) fn command(socket: &Path, line: &str, deadline: Deadline) -> Result<String> {
    let mut stream = UnixStream::connect(socket)
        .with_context(|| format!("cannot reach the monitor {}", socket.display()))?;
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    until_prompt(&mut stream, deadline)?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    let printed = until_prompt(&mut stream, deadline).with_context(|| format!("'{line}'"))?;
    Ok(answer(&printed))
}

/// The same for a command that prints nothing unless it fails.
pub(crate) fn silent_command(socket: &Path, line: &str, deadline: Deadline) -> Result<()> {
    let printed = command(socket, line, deadline)?;
    ensure!(printed.is_empty(), "'{line}': {printed}");
    Ok(())
}

fn until_prompt(stream: &mut UnixStream, deadline: Deadline) -> Result<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => anyhow::bail!("the monitor closed the connection"),
            Ok(length) => text.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        let seen = String::from_utf8_lossy(&text);
        if seen.ends_with(PROMPT) {
            return Ok(seen.into_owned());
        }
        ensure!(!deadline.is_over(), "the monitor does not answer in time");
    }
}

/// Without the echo of the typed line, which comes first with its terminal's control sequences, and without the prompt.
fn answer(printed: &str) -> String {
    let lines: Vec<&str> = printed.lines().skip(1).collect();
    lines.join("\n").trim_end_matches(PROMPT).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echo_and_prompt_are_not_the_answer() {
        assert_eq!(answer("s\u{1b}[K\u{1b}[Dstop\u{1b}[K\r\n(qemu) "), "");
        assert_eq!(
            answer("loadvm x\r\nError: no snapshot\r\n(qemu) "),
            "Error: no snapshot"
        );
    }
}
