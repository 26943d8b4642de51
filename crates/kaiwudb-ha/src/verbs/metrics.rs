//! `metrics`: prints the state of this node as Prometheus reads it. Whatever hangs or is missing, there is an answer within seconds: no
//! metric says so by its absence.

use crate::context::Context;
use crate::texts::metrics as texts;
use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Context as _, Result};
use host::Deadline;
use host::untrusted::Directory;
use metrics::http::{self, LONGEST_REQUEST, Request};
use metrics::samples;
use site::pulse;
use site::settings::Settings;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The collector reads files of this ending only.
const FILE: &str = "kaiwudb-ha.prom";
const ASIDE: &str = ".kaiwudb-ha.new";
/// The node exporter runs under an account of its own.
const MODE: u32 = 0o644;
/// How long a client may take to ask, and to take the answer.
const CLIENT: Duration = Duration::from_secs(5);

/// Options of `metrics`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write them into this directory of the node exporter's textfile collector instead
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "http")]
    textfile: Option<PathBuf>,
    /// Answer one HTTP request on standard input and output; the socket unit calls this
    #[arg(long)]
    http: bool,
}

/// Collects them and hands them over.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if arguments.http {
        return serve(context);
    }
    let text = collect(context);
    match &arguments.textfile {
        Some(directory) => replace(directory, &text).with_context(|| {
            let directory = directory.display().to_string();
            texts::NOT_WRITTEN.fill(context.language, &[("directory", &directory)])
        })?,
        None => io::stdout().write_all(text.as_bytes())?,
    }
    Ok(Exit::Done)
}

/// Settings that cannot be read keep nobody from being told how the node is.
fn collect(context: &Context) -> String {
    let begun = Instant::now();
    let settings = Settings::read(&context.config, context.language).unwrap_or_else(|error| {
        output::note(&format!("{error:#}"));
        Settings::default()
    });
    let named = settings.resource.as_ref().map(toml::Spanned::get_ref);
    let pulse = pulse::feel(
        context.resource.as_ref().or(named).map(String::as_str),
        settings.alerts.as_ref(),
    );
    let pair = settings.metrics.pair.as_ref().map(toml::Spanned::get_ref);
    samples::of(&pulse, pair.map(String::as_str), begun.elapsed()).render()
}

/// A reader sees the old text or the new one. The directory may be another account's, which gains nothing: no link in it is followed.
fn replace(directory: &Path, text: &str) -> io::Result<()> {
    let directory = Directory::open(directory)?;
    // What a call that was killed has left.
    directory.remove(ASIDE)?;
    let written = directory
        .create(ASIDE, MODE)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| directory.rename(ASIDE, &directory, FILE));
    if written.is_err() {
        directory.remove(ASIDE)?;
    }
    written
}

fn serve(context: &Context) -> Result<Exit> {
    let mut client = TcpStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let asked = ask(&mut client)?;
    let (status, text) = match asked {
        Request::Metrics | Request::Head => ("200 OK", collect(context)),
        Request::Refused(status) => (status, format!("{status}\n")),
        // The client has said nothing, or not all of it in time.
        Request::Incomplete => return Ok(Exit::Done),
    };
    client.set_write_timeout(Some(CLIENT))?;
    client.write_all(http::head(status, text.len()).as_bytes())?;
    if asked != Request::Head {
        client.write_all(text.as_bytes())?;
    }
    let _ = client.shutdown(Shutdown::Both);
    Ok(Exit::Done)
}

fn ask(client: &mut TcpStream) -> io::Result<Request> {
    let deadline = Deadline::after(CLIENT);
    let mut asked = Vec::new();
    let mut part = [0; 1024];
    loop {
        if deadline.is_over() || asked.len() > LONGEST_REQUEST {
            return Ok(Request::Incomplete);
        }
        client.set_read_timeout(Some(deadline.remaining().max(Duration::from_millis(1))))?;
        match client.read(&mut part) {
            Ok(0) => return Ok(Request::Incomplete),
            Ok(length) => asked.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Request::Incomplete),
            Err(error) => return Err(error),
        }
        match http::request(&asked) {
            Request::Incomplete => {}
            complete => return Ok(complete),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn the_file_is_replaced_whole_and_no_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let victim = other.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        for name in [ASIDE, FILE] {
            symlink(&victim, directory.path().join(name)).unwrap();
        }
        for text in ["one\n", "two\n"] {
            replace(directory.path(), text).unwrap();
            let path = directory.path().join(FILE);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        }
        assert_eq!(fs::read_to_string(victim).unwrap(), "untouched");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(replace(Path::new("/nowhere"), "").is_err());
    }
}
