//! Stores: a file system in a file, mounted over a loop device.

use crate::machine::{DATA_ROOT, on_a_bare_machine, shell};
use crate::process;
use nix::mount::MsFlags;
use nix::unistd::{Whence, lseek};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Sparse: it takes no more room than what is written.
const SIZE: u64 = 512 << 20;

/// The image of a store that a server has made and left in good order. Made once.
pub(crate) fn template() -> &'static File {
    static TEMPLATE: OnceLock<File> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        on_a_bare_machine(|machine| {
            let image = empty();
            mount(&image);
            machine.agent("start").run().succeeds();
            machine.agent("stop").run().succeeds();
            assert!(process::servers().is_empty());
            shell(&format!("umount {DATA_ROOT}"));
            let template = tempfile::tempfile().expect("a temporary file can be made");
            copy(&File::open(&image).expect("our own file"), &template).expect("an image can be copied");
            template
        })
    })
}

/// Makes an empty file system; its image.
pub fn empty() -> PathBuf {
    let path = new_image();
    let file = File::create(&path).expect("/run can be written");
    file.set_len(SIZE).expect("/run takes sparse files");
    shell(&format!(
        "mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1 -J size=4 {}",
        path.display()
    ));
    path
}

/// Makes a copy of an image on this machine.
pub(crate) fn copy_of(template: &File) -> PathBuf {
    let path = new_image();
    let file = File::create(&path).expect("/run can be written");
    copy(template, &file).expect("an image can be copied");
    path
}

fn new_image() -> PathBuf {
    (1..1000)
        .map(|number| PathBuf::from(format!("/run/store-{number}.img")))
        .find(|path| !path.exists())
        .expect("a machine has few stores")
}

/// Mounts an image on `DATA_ROOT` and gives it to the service user.
pub fn mount(image: &Path) {
    mount_at(image, DATA_ROOT);
}

/// Mounts an image elsewhere.
pub fn mount_at(image: &Path, point: &str) {
    fs::create_dir_all(point).expect("a mount point can be made");
    shell(&format!(
        "mount -o loop {} {point} && chown kaiwudb: {point}",
        image.display()
    ));
}

/// Copies what is written and leaves the holes out.
fn copy(from: &File, to: &File) -> io::Result<()> {
    let length = i64::try_from(from.metadata()?.len()).expect("images are small");
    to.set_len(length.unsigned_abs())?;
    let mut at = 0;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(begin) = lseek(from, at, Whence::SeekData) {
        let end = lseek(from, begin, Whence::SeekHole)?;
        at = begin;
        while at < end {
            let part = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            let offset = at.unsigned_abs();
            from.read_exact_at(&mut buffer[..part], offset)?;
            to.write_all_at(&buffer[..part], offset)?;
            at += i64::try_from(part).expect("parts are small");
        }
    }
    Ok(())
}

/// A file system that takes no writes. Dropped, it does again, so that nothing on it hangs for ever.
#[derive(Debug)]
pub struct Frozen(());

impl Frozen {
    /// Freezes the store.
    pub fn new() -> Self {
        shell(&format!("fsfreeze -f {DATA_ROOT}"));
        Self(())
    }
}

impl Default for Frozen {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // Another shell command could panic while a panic unwinds.
        let _ = std::process::Command::new("fsfreeze")
            .args(["-u", DATA_ROOT])
            .status();
    }
}

/// A file system whose server never answers: whoever looks at it hangs. Dropped, they all get an error.
#[derive(Debug)]
pub struct Hung {
    _server: File,
}

impl Hung {
    /// Mounts it on `DATA_ROOT`.
    pub fn mount() -> Self {
        let server = File::options()
            .read(true)
            .write(true)
            .open("/dev/fuse")
            .expect("the kernel has FUSE");
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", server.as_raw_fd());
        nix::mount::mount(
            Some("hung"),
            DATA_ROOT,
            Some("fuse"),
            MsFlags::empty(),
            Some(options.as_str()),
        )
        .expect("root may mount");
        Self { _server: server }
    }
}
