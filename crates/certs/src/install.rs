//! Replaces the set of a certificate directory as a whole.
//!
//! Normally the new directory is made beside the old one, forced to the disk, and the two swap names in one step
//! (`RENAME_EXCHANGE`): a reader, before or after a power cut, finds the old set or the new one. Where the
//! directory's own identity matters or the swap is impossible (bind-mounted into a container, a mount point, overlayfs
//! whose lower layer has the directory), the files are replaced one by one behind a journal: a whole copy of the new set
//! that [`recover`] carries on with. A server that reads in the middle of that keeps its old certificates, because a key
//! that does not fit is refused; the SIGHUP that follows the installation gives it the new ones.

use crate::directory::{Owner, refuse_foreign};
use crate::disk::Disk;
use crate::set::LARGEST_FILE;
use crate::{CertificateSet, Digest, Keep, Kind, Record, kind};
use host::untrusted::{self, Directory};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Entries of a directory that are looked at.
const MOST_NAMES: usize = 4096;

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

/// The directory that holds the certificate directory, and the names in it.
struct Places {
    parent: Directory,
    /// The certificate directory.
    name: String,
    /// A set being made; worthless until it is renamed. Root's alone until it is whole.
    staging: String,
    /// The journal of an installation in place: a whole set that must still be carried over. Root's alone.
    pending: String,
    /// The set before this one.
    previous: String,
}

impl Places {
    fn of(directory: &Path, open: impl FnOnce(&Path) -> io::Result<Directory>) -> io::Result<Self> {
        let no_name = || {
            io::Error::new(
                ErrorKind::InvalidInput,
                "the certificate directory has no parent or no name",
            )
        };
        let parent = directory.parent().ok_or_else(no_name)?;
        let name = directory
            .file_name()
            .and_then(OsStr::to_str)
            .ok_or_else(no_name)?;
        let beside = |suffix: &str| format!(".{name}.{suffix}");
        Ok(Self {
            parent: open(parent)?,
            name: name.to_owned(),
            staging: beside("new"),
            pending: beside("pending"),
            previous: beside("previous"),
        })
    }

    fn displaced(&self, digest: Digest) -> String {
        format!(".{}.displaced-{}", self.name, digest.short())
    }
}

/// The directories with sets that were in use on this node only and had to make room for the cluster's.
pub fn displaced(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let places = match Places::of(directory, Directory::open) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        places => places?,
    };
    let prefix = format!(".{}.displaced-", places.name);
    let names = places.parent.names(MOST_NAMES)?;
    let mut found: Vec<PathBuf> = names
        .iter()
        .filter_map(|name| name.to_str().filter(|name| name.starts_with(&prefix)))
        .map(|name| places.parent.path().join(name))
        .collect();
    found.sort();
    Ok(found)
}

/// Finishes or undoes what a power cut interrupted. Call it before anything reads the directory; cheap when there is
/// nothing to do. True when something was carried on with.
pub fn recover(disk: Disk<'_>, directory: &Path) -> io::Result<bool> {
    match Places::of(directory, Directory::open) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        places => recover_in(disk, &places?),
    }
}

fn recover_in(disk: Disk<'_>, places: &Places) -> io::Result<bool> {
    let interrupted = match journal(places)? {
        Some(journal) => roll_forward(disk, places, &journal).map(|()| true)?,
        // What lies there was not written by us.
        None => disk
            .remove_tree(&places.parent, &places.pending)
            .map(|()| false)?,
    };
    disk.remove_tree(&places.parent, &places.staging)?;
    Ok(interrupted)
}

/// The journal, if it is one: nobody but us can have written into it.
fn journal(places: &Places) -> io::Result<Option<Directory>> {
    let is_directory = |found: untrusted::Found| found.kind == untrusted::Kind::Directory;
    if !places.parent.inspect(&places.pending)?.is_some_and(is_directory) {
        return Ok(None);
    }
    let journal = places.parent.directory(&places.pending)?;
    let found = journal.found()?;
    let of_others = found.mode & 0o077;
    Ok((found.uid == rustix::process::geteuid().as_raw() && of_others == 0).then_some(journal))
}

/// Installs a set. On an error the directory holds the old set, or the new one; after an interrupted installation in
/// place it does so once [`recover`] has run.
pub fn install(disk: Disk<'_>, request: &Installation<'_>) -> io::Result<()> {
    let places = Places::of(request.directory, Directory::open_or_make)?;
    recover_in(disk, &places)?;
    let present = match places.parent.inspect(&places.name)? {
        Some(found) if found.kind == untrusted::Kind::Directory => {
            Some(places.parent.directory(&places.name)?)
        }
        Some(_) => return Err(io::Error::new(ErrorKind::NotADirectory, "it is not a directory")),
        None => None,
    };
    let done = stage(disk, &places, request).and_then(|staging| match &present {
        None => move_in(disk, &places, request, &staging),
        Some(present) => replace(disk, &places, request, present, &staging),
    });
    if done.is_err() {
        // Makes room on a full disk. What is left of it after a crash is removed by `recover`.
        let _ = places.parent.remove_tree(&places.staging);
    }
    done
}

/// Makes the new set beside the directory, with nothing else in it.
fn stage(disk: Disk<'_>, places: &Places, request: &Installation<'_>) -> io::Result<Directory> {
    let owner = Some((request.owner.uid, request.owner.gid));
    let staging = disk.make_directory(&places.parent, &places.staging, 0o700)?;
    for (name, file) in request.set.files() {
        match kind(name) {
            // Whoever has it can make certificates; the server never reads it.
            Some(Kind::AuthorityKey) => disk.write_new(&staging, name, &file.contents, 0o600, None)?,
            _ => disk.write_new(&staging, name, &file.contents, file.mode, owner)?,
        }
    }
    let record = request.record.to_bytes();
    disk.write_new(&staging, Record::FILE, &record, 0o600, owner)?;
    // Written first, forced to the disk together: most file systems then do it in one go.
    let names = request.set.files().map(|(name, _)| name);
    names
        .chain([Record::FILE])
        .try_for_each(|name| disk.sync_file(&staging, name))?;
    Ok(staging)
}

fn move_in(
    disk: Disk<'_>,
    places: &Places,
    request: &Installation<'_>,
    staging: &Directory,
) -> io::Result<()> {
    own(staging, request.owner, 0o700)?;
    disk.sync_directory(staging)?;
    disk.rename(&places.parent, &places.staging, &places.name)?;
    disk.sync_directory(&places.parent)
}

fn own(directory: &Directory, owner: Owner, mode: u32) -> io::Result<()> {
    directory.set_owner(owner.uid, owner.gid)?;
    directory.set_mode(mode)
}

fn replace(
    disk: Disk<'_>,
    places: &Places,
    request: &Installation<'_>,
    present: &Directory,
    staging: &Directory,
) -> io::Result<()> {
    let displaced = match request.keep {
        Keep::Previous => None,
        Keep::Displaced(digest) => Some(places.displaced(digest)),
    };
    let swapped = match request.method {
        Method::InPlace => false,
        Method::Exchange => exchange(disk, places, request, present, staging)?,
    };
    if !swapped {
        replace_in_place(disk, places, request, present, staging)?;
    }
    if let Some(displaced) = displaced {
        disk.remove_tree(&places.parent, &displaced)?;
        disk.rename(&places.parent, &places.previous, &displaced)?;
        disk.sync_directory(&places.parent)?;
    }
    Ok(())
}

/// False when this directory cannot be swapped.
fn exchange(
    disk: Disk<'_>,
    places: &Places,
    request: &Installation<'_>,
    present: &Directory,
    staging: &Directory,
) -> io::Result<bool> {
    if !carry_over(disk, request, present, staging)? {
        return Ok(false);
    }
    own(staging, request.owner, present.found()?.mode & 0o777)?;
    disk.sync_directory(staging)?;
    disk.remove_tree(&places.parent, &places.previous)?;
    // Under its final name first: then the swap itself puts the old set where it shall be kept.
    disk.rename(&places.parent, &places.staging, &places.previous)?;
    match disk.exchange(&places.parent, &places.previous, &places.name) {
        Ok(()) => {}
        Err(error) if cannot_be_swapped(&error) => {
            disk.rename(&places.parent, &places.previous, &places.staging)?;
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
fn carry_over(
    disk: Disk<'_>,
    request: &Installation<'_>,
    present: &Directory,
    staging: &Directory,
) -> io::Result<bool> {
    for name in present.names(MOST_NAMES)? {
        if is_managed(&name, request.set) {
            continue;
        }
        match present.inspect(&name)? {
            Some(found) if found.kind == untrusted::Kind::Directory => return Ok(false),
            Some(_) if staging.inspect(&name)?.is_none() => disk.link(present, &name, staging, &name)?,
            _ => {}
        }
    }
    Ok(true)
}

/// Whether the file is ours to replace or to remove. The key of an authority is only replaced: the one copy that there is
/// may be here, and a set without it is the rule.
fn is_managed(name: &OsStr, set: &CertificateSet) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    match kind(name) {
        Some(Kind::AuthorityKey) => set.contents(name).is_some(),
        Some(_) => true,
        None => name == Record::FILE,
    }
}

fn replace_in_place(
    disk: Disk<'_>,
    places: &Places,
    request: &Installation<'_>,
    present: &Directory,
    staging: &Directory,
) -> io::Result<()> {
    // It may have been given away for a swap that was impossible, and a journal is root's.
    staging.set_owner(
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    )?;
    staging.set_mode(0o700)?;
    // What was carried over for a swap has no place in the journal.
    for name in staging.names(MOST_NAMES)? {
        let is_new = name == Record::FILE
            || name
                .to_str()
                .is_some_and(|name| request.set.contents(name).is_some());
        if !is_new {
            disk.remove_file(staging, &name)?;
        }
    }
    let removed: Vec<String> = managed_files(present, request.set)?
        .into_iter()
        .filter(|name| name != Record::FILE && request.set.contents(name).is_none())
        .collect();
    let list = serde_json::to_vec(&removed)?;
    disk.write_new(staging, REMOVALS, &list, 0o600, None)?;
    disk.sync_file(staging, REMOVALS)?;
    disk.sync_directory(staging)?;
    keep_copy(disk, places, request, present)?;
    disk.rename(&places.parent, &places.staging, &places.pending)?;
    disk.sync_directory(&places.parent)?;
    match journal(places)? {
        Some(journal) => roll_forward(disk, places, &journal),
        None => Err(io::Error::other("the new set has been exchanged")),
    }
}

/// In the journal: names that the new set does not have any more.
const REMOVALS: &str = ".removals.json";

fn managed_files(directory: &Directory, set: &CertificateSet) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for name in directory.names(MOST_NAMES)? {
        let is_directory = |found: untrusted::Found| found.kind == untrusted::Kind::Directory;
        if is_managed(&name, set) && !directory.inspect(&name)?.is_some_and(is_directory) {
            names.extend(name.to_str().map(str::to_owned));
        }
    }
    Ok(names)
}

/// Copies the present set: its files are about to be replaced under their own names.
fn keep_copy(
    disk: Disk<'_>,
    places: &Places,
    request: &Installation<'_>,
    present: &Directory,
) -> io::Result<()> {
    disk.remove_tree(&places.parent, &places.previous)?;
    let previous = disk.make_directory(&places.parent, &places.previous, 0o700)?;
    for name in managed_files(present, request.set)? {
        copy(disk, present, &previous, &name, &name)?;
    }
    own(&previous, request.owner, 0o700)?;
    disk.sync_directory(&previous)?;
    disk.sync_directory(&places.parent)
}

/// Copies a file with owner and mode, all from the one descriptor. What is no plain file of this directory is left out.
fn copy(disk: Disk<'_>, from: &Directory, to: &Directory, name: &str, new: &str) -> io::Result<()> {
    let is_file = |found: untrusted::Found| found.kind == untrusted::Kind::File;
    if !from.inspect(name)?.is_some_and(is_file) {
        return Ok(());
    }
    let file = from.file(name)?;
    let found = file.metadata()?;
    refuse_foreign(&found, from)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE as u64).read_to_end(&mut bytes)?;
    disk.write_new(
        to,
        new,
        &bytes,
        found.mode() & 0o777,
        Some((found.uid(), found.gid())),
    )?;
    disk.sync_file(to, new)
}

/// Carries the journal over. May be done again and again.
fn roll_forward(disk: Disk<'_>, places: &Places, journal: &Directory) -> io::Result<()> {
    let directory = places.parent.directory(&places.name)?;
    let names = journal.names(MOST_NAMES)?;
    let belongs = |name: &&str| *name == Record::FILE || kind(name).is_some();
    let mut names: Vec<&str> = names
        .iter()
        .filter_map(|name| name.to_str().filter(belongs))
        .collect();
    // The record last: it says that everything before it is there.
    names.sort_by_key(|name| (*name == Record::FILE, *name));
    for name in names {
        let aside = format!(".{name}.new");
        disk.remove_file(&directory, &aside)?;
        copy(disk, journal, &directory, name, &aside)?;
        disk.rename(&directory, &aside, name)?;
    }
    let removals = journal.read(REMOVALS, LARGEST_FILE as u64)?;
    for name in serde_json::from_slice::<Vec<String>>(&removals)? {
        if kind(&name).is_some() {
            disk.remove_file(&directory, &name)?;
        }
    }
    disk.sync_directory(&directory)?;
    // Out of the way in one step: half a journal would look like a whole one.
    disk.rename(&places.parent, &places.pending, &places.staging)?;
    disk.sync_directory(&places.parent)?;
    disk.remove_tree(&places.parent, &places.staging)
}
