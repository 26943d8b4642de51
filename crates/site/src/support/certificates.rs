//! What is public of the certificates, and what else lies beside them by name.

use super::collector::{Collector, Group};
use host::untrusted::{Directory, Kind};
use kwdb::installation::CERTS_DIRECTORY;
use std::fmt::Write;
use std::io;
use std::path::Path;

/// Names that are looked at, and bytes of one certificate.
const MOST: usize = 512;
const LARGEST: u64 = 256 << 10;

pub(super) fn gather(collector: &mut Collector<'_>) {
    collector.made(Group::System, "certificates.txt", CERTS_DIRECTORY, || {
        look(Path::new(CERTS_DIRECTORY))
    });
}

fn look(path: &Path) -> io::Result<Option<String>> {
    let directory = match Directory::open(path) {
        Ok(directory) => directory,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut names = directory.names(MOST)?;
    names.sort();
    let mut text = String::new();
    for name in names {
        let Some(found) = directory.inspect(&name)? else {
            continue;
        };
        let shown = name.to_string_lossy();
        let _ = writeln!(
            text,
            "{shown}: {:?}, mode {:04o}, owner {}:{}, {} bytes",
            found.kind, found.mode, found.uid, found.gid, found.length
        );
        if found.kind == Kind::File && shown.ends_with(".crt") {
            let lines = match directory.read(&name, LARGEST) {
                Ok(pem) => certs::describe(&pem),
                Err(error) => vec![error.to_string()],
            };
            for line in lines {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    Ok(Some(text))
}
