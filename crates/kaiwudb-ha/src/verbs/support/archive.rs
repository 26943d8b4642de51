//! The file: made in memory, which its bound allows, and written whole or not at all.

use super::readme::{Shelf, manifest};
use crate::texts::support as texts;
use anyhow::{Result, anyhow};
use flate2::Compression;
use flate2::write::GzEncoder;
use host::{Deadline, bounded};
use site::language::Language;
use site::time::moment;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tar::{Builder, EntryType, Header};

/// Nobody else may read it: there may be in it what no rule knows.
const MODE: u32 = 0o600;
/// Writing some MiB to a slow disk.
const WRITE: Duration = Duration::from_secs(60);

/// The archive's name without its ending, and that of its directory.
pub(super) fn stem(node: &str, now: i64) -> String {
    let time = moment(now).replace(['-', ':'], "").replace(' ', "T");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let node: String = node.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    format!("kaiwudb-ha-support-{node}-{time}Z")
}

/// Where it is written.
pub(super) fn place(output: Option<&Path>, stem: &str) -> PathBuf {
    let name = format!("{stem}.tar.gz");
    match output {
        None => name.into(),
        Some(directory) if directory.is_dir() => directory.join(name),
        Some(file) => file.to_owned(),
    }
}

/// The archive's bytes.
pub(super) fn make(stem: &str, now: i64, readme: &str, shelves: &[Shelf]) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut add = |name: &str, text: &str| {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(text.len() as u64);
        header.set_mode(MODE);
        header.set_mtime(u64::try_from(now).unwrap_or(0));
        archive.append_data(&mut header, format!("{stem}/{name}"), text.as_bytes())
    };
    add("README", readme)?;
    add(
        "manifest.json",
        &serde_json::to_string_pretty(&manifest(shelves, now))?,
    )?;
    for shelf in shelves {
        for entry in shelf.part.iter().flat_map(|part| &part.entries) {
            add(&format!("{}/{}", shelf.name, entry.name), &entry.text)?;
        }
    }
    archive.into_inner()?.finish()
}

/// Writes it beside its place and puts it there, never over what is there. The disk may hang: a child takes the risk.
pub(super) fn write(file: &Path, bytes: &[u8], language: Language) -> Result<()> {
    let written = bounded::run(Deadline::after(WRITE), || {
        let written = write_here(file, bytes);
        written
            .err()
            .map(|error| error.to_string().into_bytes())
            .unwrap_or_default()
    });
    let why = match written {
        Ok(why) if why.is_empty() => return Ok(()),
        Ok(why) => String::from_utf8_lossy(&why).into_owned(),
        Err(error) => error.to_string(),
    };
    let values = [("file", &*file.display().to_string()), ("why", &why)];
    Err(anyhow!(texts::NOT_WRITTEN.fill(language, &values)))
}

fn write_here(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    let mut aside = tempfile::Builder::new()
        .prefix(".kaiwudb-ha-support-")
        .tempfile_in(directory.unwrap_or_else(|| Path::new(".")))?;
    // The umask must not decide.
    aside.as_file().set_permissions(Permissions::from_mode(MODE))?;
    aside.write_all(bytes)?;
    aside.as_file().sync_all()?;
    aside
        .persist_noclobber(file)
        .map(drop)
        .map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn it_is_written_whole_closed_and_never_over_another() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.tar.gz");
        write(&file, b"one", Language::English).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(write(&file, b"two", Language::English).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"one");
        std::os::unix::fs::symlink("/nonexistent", directory.path().join("link")).unwrap();
        assert!(write(&directory.path().join("link"), b"x", Language::English).is_err());
        assert!(write(&directory.path().join("no/such"), b"x", Language::English).is_err());
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            2,
            "nothing is left beside it"
        );
    }

    #[test]
    fn a_full_disk_leaves_nothing() {
        let why = write(Path::new("/dev/full/x"), b"x", Language::English).unwrap_err();
        assert!(why.to_string().contains("nothing is left"), "{why}");
    }

    #[test]
    fn its_name_tells_node_and_time() {
        assert_eq!(
            stem("node1", 1_795_219_200),
            "kaiwudb-ha-support-node1-20261121T000000Z"
        );
        assert_eq!(stem("a/b", 0), "kaiwudb-ha-support-a_b-19700101T000000Z");
        assert_eq!(place(Some(Path::new("/")), "x"), Path::new("/x.tar.gz"));
        assert_eq!(place(None, "x"), Path::new("x.tar.gz"));
    }
}
