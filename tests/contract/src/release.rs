//! Another Debian release below the tests: its shell, its PostgreSQL, its `ocf-tester`, with the programs under test as they are.

use crate::machine::{bind, empty_run, mount_overlay};
use nix::mount::{MntFlags, umount2};
use nix::unistd::pivot_root;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The root tree of the release that `SUITE` names; without it the tests run on this machine's own.
pub(crate) fn image() -> Option<&'static Path> {
    static IMAGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let image = IMAGE.get_or_init(|| {
        let suite = env::var("SUITE").ok()?;
        let suite = suite.parse().expect("SUITE names a release");
        Some(lab::ensure_image(suite).expect("the release's image can be made"))
    });
    image.as_deref()
}

/// The same; without `SUITE` that of the lab's default.
pub(crate) fn image_or_default() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    image().unwrap_or_else(|| {
        IMAGE.get_or_init(|| lab::ensure_image(lab::Suite::default()).expect("the lab's image can be made"))
    })
}

/// Makes a private copy of the image this thread's root. The devices of this machine and `shared` are where they were; the rest of it is
/// gone. Not with `chroot`: the kernel gives nobody in a changed root a user namespace.
pub(crate) fn enter(image: &Path, shared: &[&Path]) {
    empty_run();
    for directory in ["/run/upper", "/run/work", "/run/root"] {
        fs::create_dir(directory).expect("/run is empty");
    }
    mount_overlay(image, ["/run/upper", "/run/work"], "/run/root");
    for path in ["/dev", "/proc", "/sys"].map(Path::new).iter().chain(shared) {
        bind(path, &format!("/run/root{}", path.display()));
    }
    env::set_current_dir("/run/root").expect("our own directory");
    // The old root lies on the new one until it is taken away.
    pivot_root(".", ".").expect("root may change its root");
    umount2(".", MntFlags::MNT_DETACH).expect("the old root can go");
    env::set_current_dir("/").expect("there is a root");
}
