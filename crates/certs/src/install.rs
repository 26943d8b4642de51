//! Replaces the set of a certificate directory as a whole.
//!
//! Normally the new directory is made beside the old one, forced to the disk, and the two swap names in one step
//! (`RENAME_EXCHANGE`): a reader, before or after a power cut, finds the old set or the new one. Where the
//! directory's own identity matters or the swap is impossible (bind-mounted into a container, a mount point, overlayfs
//! whose lower layer has the directory), the files are replaced one by one behind a journal: a whole copy of the new set
//! that [`recover`] carries on with. A server that reads in the middle of that keeps its old certificates, because a key
//! that does not fit is refused; the SIGHUP that follows the installation gives it the new ones.

use crate::directory::Owner;
use crate::disk::{Disk, is_there};
use crate::{CertificateSet, Digest, Keep, Kind, Record, kind};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How to replace the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The whole directory in one step; file by file where the file system cannot.
    Exchange,
    /// File by file behind a journal; the directory itself stays the same one.
    InPlace,
}

/// What to install where.
#[derive(Clone, Copy, Debug)]
pub struct Installation<'a> {
    /// The certificate directory; made when it does not exist.
    pub directory: &'a Path,
    /// The files.
    pub set: &'a CertificateSet,
    /// What the directory shall remember.
    pub record: &'a Record,
    /// Who the files shall belong to.
    pub owner: Owner,
    /// What becomes of the present set.
    pub keep: Keep,
    /// How.
    pub method: Method,
}

/// The directories beside the certificate directory.
struct Places {
    /// A set being made; worthless until it is renamed.
    staging: PathBuf,
    /// The journal of an installation in place: a whole set that must still be carried over.
    pending: PathBuf,
    /// The set before this one.
    previous: PathBuf,
    parent: PathBuf,
    name: OsString,
}

impl Places {
    fn of(directory: &Path) -> io::Result<Self> {
        let no_name = || {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "the certificate directory has no parent",
            )
        };
        let parent = directory.parent().ok_or_else(no_name)?;
        let name = directory.file_name().ok_or_else(no_name)?;
        let beside = |suffix: &str| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            parent.join(hidden)
        };
        Ok(Self {
            staging: beside(".new"),
            pending: beside(".pending"),
            previous: beside(".previous"),
            parent: parent.to_owned(),
            name: name.to_owned(),
        })
    }

    fn displaced(&self, digest: Digest) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(format!(".displaced-{}", digest.short()));
        self.parent.join(name)
    }
}

/// The directories with sets that were in use on this node only and had to make room for the cluster's.
pub fn displaced(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let places = Places::of(directory)?;
    let prefix = format!(".{}.displaced-", places.name.to_string_lossy());
    let mut found = Vec::new();
    let entries = match fs::read_dir(&places.parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Finishes or undoes what a power cut interrupted. Call it before anything reads the directory; cheap when there is
/// nothing to do. True when something was carried on with.
pub fn recover(disk: Disk<'_>, directory: &Path) -> io::Result<bool> {
    let places = Places::of(directory)?;
    let interrupted = is_there(&places.pending)?;
    if interrupted {
        roll_forward(disk, &places, directory)?;
    }
    disk.remove_tree(&places.staging)?;
    Ok(interrupted)
}

/// Installs a set. On an error the directory holds the old set, or the new one; after an interrupted installation in
/// place it does so once [`recover`] has run.
pub fn install(disk: Disk<'_>, request: &Installation<'_>) -> io::Result<()> {
    let directory = request.directory;
    let places = Places::of(directory)?;
    fs::create_dir_all(&places.parent)?;
    recover(disk, directory)?;
    let present = match fs::symlink_metadata(directory) {
        Ok(found) if found.is_dir() => Some(found),
        Ok(_) => {
            return Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                "it is not a directory",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let done = stage(disk, &places, request).and_then(|()| match &present {
        None => move_in(disk, &places, request),
        Some(present) => replace(disk, &places, request, present),
    });
    if done.is_err() {
        // Makes room on a full disk. What is left of it after a crash is removed by `recover`.
        let _ = fs::remove_dir_all(&places.staging);
    }
    done
}

/// Makes the new set beside the directory, with nothing else in it.
fn stage(disk: Disk<'_>, places: &Places, request: &Installation<'_>) -> io::Result<()> {
    let owner = Some((request.owner.uid, request.owner.gid));
    disk.create_directory(&places.staging, 0o700)?;
    for (name, file) in request.set.files() {
        disk.write_new(&places.staging.join(name), &file.contents, file.mode, owner)?;
    }
    let record = request.record.to_bytes();
    disk.write_new(&places.staging.join(Record::FILE), &record, 0o600, owner)?;
    // Written first, forced to the disk together: most file systems then do it in one go.
    let names = request.set.files().map(|(name, _)| name);
    names
        .chain([Record::FILE])
        .try_for_each(|name| disk.sync_file(&places.staging.join(name)))
}

fn move_in(disk: Disk<'_>, places: &Places, request: &Installation<'_>) -> io::Result<()> {
    own_directory(&places.staging, request.owner, 0o700)?;
    disk.sync_directory(&places.staging)?;
    disk.rename(&places.staging, request.directory)?;
    disk.sync_directory(&places.parent)
}

fn own_directory(path: &Path, owner: Owner, mode: u32) -> io::Result<()> {
    std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn replace(
    disk: Disk<'_>,
    places: &Places,
    request: &Installation<'_>,
    present: &fs::Metadata,
) -> io::Result<()> {
    let displaced = match request.keep {
        Keep::Previous => None,
        Keep::Displaced(digest) => Some(places.displaced(digest)),
    };
    let swapped = match request.method {
        Method::InPlace => false,
        Method::Exchange => exchange(disk, places, request, present.permissions().mode() & 0o7777)?,
    };
    if !swapped {
        replace_in_place(disk, places, request)?;
    }
    if let Some(displaced) = displaced {
        disk.remove_tree(&displaced)?;
        disk.rename(&places.previous, &displaced)?;
        disk.sync_directory(&places.parent)?;
    }
    Ok(())
}

/// False when this directory cannot be swapped.
fn exchange(disk: Disk<'_>, places: &Places, request: &Installation<'_>, mode: u32) -> io::Result<bool> {
    if !carry_over(disk, places, request)? {
        return Ok(false);
    }
    own_directory(&places.staging, request.owner, mode)?;
    disk.sync_directory(&places.staging)?;
    disk.remove_tree(&places.previous)?;
    // Under its final name first: then the swap itself puts the old set where it shall be kept.
    disk.rename(&places.staging, &places.previous)?;
    match disk.exchange(&places.previous, request.directory) {
        Ok(()) => {}
        Err(error) if cannot_be_swapped(&error) => {
            disk.rename(&places.previous, &places.staging)?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    disk.sync_directory(&places.parent)?;
    Ok(true)
}

fn cannot_be_swapped(error: &io::Error) -> bool {
    let errnos = [
        Errno::XDEV,
        Errno::INVAL,
        Errno::NOSYS,
        Errno::BUSY,
        Errno::NOTSUP,
    ];
    errnos
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Gives the new directory the old one's other files. False when one of them cannot have a second name.
fn carry_over(disk: Disk<'_>, places: &Places, request: &Installation<'_>) -> io::Result<bool> {
    for entry in fs::read_dir(request.directory)? {
        let entry = entry?;
        if is_managed(&entry.file_name(), request.set) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            return Ok(false);
        }
        let target = places.staging.join(entry.file_name());
        if !is_there(&target)? {
            disk.link(&entry.path(), &target)?;
        }
    }
    Ok(true)
}

/// Whether the file is ours to replace or to remove. The key of an authority is only replaced: the one copy that there is
/// may be here, and a set without it is the rule.
fn is_managed(name: &std::ffi::OsStr, set: &CertificateSet) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    match kind(name) {
        Some(Kind::AuthorityKey) => set.contents(name).is_some(),
        Some(_) => true,
        None => name == Record::FILE,
    }
}

fn replace_in_place(disk: Disk<'_>, places: &Places, request: &Installation<'_>) -> io::Result<()> {
    // What was carried over for a swap has no place in the journal.
    for entry in fs::read_dir(&places.staging)? {
        let entry = entry?;
        let is_new = entry.file_name() == Record::FILE
            || entry
                .file_name()
                .to_str()
                .is_some_and(|name| request.set.contents(name).is_some());
        if !is_new {
            disk.remove_file(&entry.path())?;
        }
    }
    let removed: Vec<String> = managed_files(request.directory, request.set)?
        .into_iter()
        .filter(|name| name != Record::FILE && request.set.contents(name).is_none())
        .collect();
    let list = serde_json::to_vec(&removed)?;
    let removals = places.staging.join(REMOVALS);
    disk.write_new(&removals, &list, 0o600, None)?;
    disk.sync_file(&removals)?;
    disk.sync_directory(&places.staging)?;
    keep_copy(disk, places, request)?;
    disk.rename(&places.staging, &places.pending)?;
    disk.sync_directory(&places.parent)?;
    roll_forward(disk, places, request.directory)
}

/// In the journal: names that the new set does not have any more.
const REMOVALS: &str = ".removals.json";

fn managed_files(directory: &Path, set: &CertificateSet) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_managed(&entry.file_name(), set) && !entry.file_type()?.is_dir() {
            names.extend(entry.file_name().to_str().map(str::to_owned));
        }
    }
    Ok(names)
}

/// Copies the present set: its files are about to be replaced under their own names.
fn keep_copy(disk: Disk<'_>, places: &Places, request: &Installation<'_>) -> io::Result<()> {
    disk.remove_tree(&places.previous)?;
    disk.create_directory(&places.previous, 0o700)?;
    for name in managed_files(request.directory, request.set)? {
        copy(disk, &request.directory.join(&name), &places.previous.join(&name))?;
    }
    own_directory(&places.previous, request.owner, 0o700)?;
    disk.sync_directory(&places.previous)?;
    disk.sync_directory(&places.parent)
}

/// Copies a file with owner and mode.
fn copy(disk: Disk<'_>, from: &Path, to: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(from)?;
    if !found.is_file() {
        return Ok(());
    }
    let mode = found.permissions().mode() & 0o777;
    disk.write_new(to, &fs::read(from)?, mode, Some((found.uid(), found.gid())))?;
    disk.sync_file(to)
}

/// Carries the journal over. May be done again and again.
fn roll_forward(disk: Disk<'_>, places: &Places, directory: &Path) -> io::Result<()> {
    let mut names: Vec<OsString> = fs::read_dir(&places.pending)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    // The record last: it says that everything before it is there.
    names.sort_by_key(|name| (name == Record::FILE, name.clone()));
    for name in names.iter().filter(|name| *name != REMOVALS) {
        let mut aside = OsString::from(".");
        aside.push(name);
        aside.push(".new");
        let aside = directory.join(aside);
        disk.remove_file(&aside)?;
        copy(disk, &places.pending.join(name), &aside)?;
        disk.rename(&aside, &directory.join(name))?;
    }
    let removals = fs::read(places.pending.join(REMOVALS))?;
    for name in serde_json::from_slice::<Vec<String>>(&removals)? {
        disk.remove_file(&directory.join(name))?;
    }
    disk.sync_directory(directory)?;
    // Out of the way in one step: half a journal would look like a whole one.
    disk.rename(&places.pending, &places.staging)?;
    disk.sync_directory(&places.parent)?;
    disk.remove_tree(&places.staging)
}
