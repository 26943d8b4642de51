use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::path::PathBuf;

/// Whom root's tests make files for.
const SOMEBODY: u32 = 4711;

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    (directory, path)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn give(path: &Path) -> bool {
    std::os::unix::fs::lchown(path, Some(SOMEBODY), Some(SOMEBODY)).is_ok()
}

fn text(path: &Path) -> Result<String, String> {
    match read(path, 100) {
        Ok(found) => Ok(String::from_utf8(found.unwrap().bytes).unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn who_can_change_what() {
    let (_guard, root) = directory();
    let path = root.join("file");
    fs::write(&path, "x").unwrap();
    assert_eq!(writers(&path).unwrap(), Writers::Root);
    assert_eq!(writers(&root.join("none")).unwrap(), Writers::Root);
    set_mode(&path, 0o646);
    assert_eq!(writers(&path).unwrap(), Writers::Several);
    set_mode(&path, 0o644);
    set_mode(&root, 0o777);
    assert_eq!(writers(&path).unwrap(), Writers::Several);
    set_mode(&root, 0o1777);
    assert_eq!(writers(&path).unwrap(), Writers::Root);
    set_mode(&root, 0o755);
    if give(&root) {
        assert_eq!(writers(&path).unwrap(), Writers::Account(SOMEBODY));
        assert_eq!(writers(&root.join("none")).unwrap(), Writers::Account(SOMEBODY));
    }
    assert!(writers(Path::new("relative")).is_err());
}

#[test]
fn only_roots_links_are_followed() {
    let (_guard, root) = directory();
    fs::create_dir(root.join("real")).unwrap();
    fs::write(root.join("real/file"), "x").unwrap();
    symlink("real", root.join("link")).unwrap();
    symlink(root.join("link/file"), root.join("absolute")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    assert_eq!(text(&root.join("link/../link/./file")).unwrap(), "x");
    assert_eq!(text(&root.join("absolute")).unwrap(), "x");
    assert!(read(&root.join("loop"), 1).is_err());
    assert!(read(&root.join("none"), 1).unwrap().is_none());
    assert!(read(&root.join("none/file"), 1).unwrap().is_none());
    assert!(read(&root.join("real/file/below"), 1).is_err());
    set_mode(&root, 0o777);
    assert!(
        text(&root.join("link/file"))
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(
        text(&root.join("absolute"))
            .unwrap_err()
            .contains("symbolic link")
    );
    assert!(Directory::open(&root.join("link")).is_err());
    assert_eq!(text(&root.join("real/file")).unwrap(), "x");
}

#[test]
fn nothing_waits_and_nothing_hidden_is_told() {
    let (_guard, root) = directory();
    nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(
        text(&root.join("pipe"))
            .unwrap_err()
            .contains("not a regular file")
    );
    assert!(
        text(Path::new("/dev/zero"))
            .unwrap_err()
            .contains("not a regular file")
    );
    let secret = root.join("secret");
    fs::write(&secret, "x").unwrap();
    set_mode(&secret, 0o600);
    assert_eq!(text(&secret).unwrap(), "x");
    if give(&root) {
        // Root has put it there.
        assert_eq!(text(&secret).unwrap(), "x");
        fs::hard_link(&secret, root.join("elsewhere")).unwrap();
        assert!(text(&secret).unwrap_err().contains("hidden"));
        set_mode(&secret, 0o644);
        assert_eq!(text(&secret).unwrap(), "x");
    }
    fs::write(&secret, "a long text").unwrap();
    assert_eq!(read(&secret, 6).unwrap().unwrap().bytes, b"a long");
    assert_eq!(read_tail(&secret, 4).unwrap().unwrap(), b"text");
}

#[test]
fn a_directory_that_is_held() {
    let (_guard, root) = directory();
    let held = Directory::open_or_make(&root.join("one/two")).unwrap();
    assert_eq!(held.found().unwrap().mode, 0o755);
    let inner = held.make("inner", 0o700).unwrap();
    assert!(held.make("inner", 0o700).is_err());
    std::io::Write::write_all(&mut inner.create("file", 0o640).unwrap(), b"text").unwrap();
    assert!(inner.create("file", 0o640).is_err());
    // Whatever becomes of its path.
    fs::rename(root.join("one"), root.join("elsewhere")).unwrap();
    symlink("/etc", root.join("one")).unwrap();
    assert_eq!(inner.read("file", 100).unwrap(), b"text");
    let found = inner.inspect("file").unwrap().unwrap();
    assert_eq!(
        (found.kind, found.mode, found.links, found.length),
        (Kind::File, 0o640, 1, 4)
    );
    inner.link("file", &held, "file").unwrap();
    inner.rename("file", &inner, "other").unwrap();
    assert_eq!(inner.names(5).unwrap(), ["other"]);
    assert!(inner.names(0).is_err());
    symlink("/etc/passwd", root.join("elsewhere/two/link")).unwrap();
    assert!(held.file("link").is_err());
    assert_eq!(held.inspect("link").unwrap().unwrap().kind, Kind::Link);
    for wrong in ["", ".", "..", "a/b", "/etc"] {
        assert!(
            held.file(wrong).is_err() && held.remove(wrong).is_err(),
            "{wrong}"
        );
    }
    held.remove("none").unwrap();
    held.exchange("link", "file").unwrap();
    assert_eq!(held.inspect("file").unwrap().unwrap().kind, Kind::Link);
    held.remove_tree("inner").unwrap();
    held.remove_tree("file").unwrap();
    assert!(Path::new("/etc/passwd").exists());
    assert_eq!(held.names(5).unwrap(), ["link"]);
}

#[test]
fn a_tree_of_somebodys_is_not_removed_for_ever() {
    let (_guard, root) = directory();
    let mut deep = root.join("tree");
    for _ in 0..40 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let held = Directory::open(&root).unwrap();
    assert!(held.remove_tree("tree").is_err());
}
