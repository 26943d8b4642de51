//! The certificate directory itself, where its path goes through symbolic links: it is replaced as a whole, and a link cannot be.

use host::Deadline;
use host::bounded;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As the kernel allows.
const MOST_LINKS: usize = 40;
/// Links are read within microseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// The path without links; components that do not exist stay. An error says which link is not followed: one in a directory that others
/// than root can write to could be led anywhere, and root writes there.
pub(crate) fn of(path: &Path) -> Result<PathBuf, String> {
    // A file system that somebody has mounted on the way need not answer.
    let answer = bounded::run(Deadline::after(PATIENCE), || match walk(path) {
        Ok(real) => [b"=", real.as_os_str().as_bytes()].concat(),
        Err(why) => [b"!", why.as_bytes()].concat(),
    });
    match answer.as_deref().map(<[u8]>::split_first) {
        Ok(Some((b'=', real))) => Ok(PathBuf::from(OsStr::from_bytes(real))),
        Ok(Some((_, why))) => Err(String::from_utf8_lossy(why).into_owned()),
        _ => Err(format!("{} does not answer", path.display())),
    }
}

fn walk(path: &Path) -> Result<PathBuf, String> {
    let words = |path: &Path| {
        path.components()
            .map(|part| part.as_os_str().to_owned())
            .collect::<Vec<OsString>>()
    };
    let mut rest: VecDeque<OsString> = words(path).into();
    let mut real = PathBuf::new();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        let next = real.join(name);
        let unreadable = |error: io::Error| format!("{}: {error}", next.display());
        match fs::symlink_metadata(&next) {
            Ok(found) if found.is_symlink() => {
                let parent = fs::metadata(&real).map_err(unreadable)?;
                let target = fs::read_link(&next).map_err(unreadable)?;
                links += 1;
                if parent.uid() != 0 || parent.mode() & 0o022 != 0 || links > MOST_LINKS {
                    return Err(format!(
                        "{} is a symbolic link that others than root can change; allowed: the directory itself, {}",
                        next.display(),
                        real.join(&target).display()
                    ));
                }
                for word in words(&target).into_iter().rev() {
                    rest.push_front(word);
                }
            }
            // Absolute: `join` begins at the root again.
            _ => real = next,
        }
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_roots_links_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["real", "open"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        symlink("../real", root.join("real/link")).unwrap();
        symlink(root.join("real/link"), root.join("open/link")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        fs::set_permissions(root.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(of(&root.join("real/x/../y")), Ok(root.join("real/y")));
        if !nix::unistd::geteuid().is_root() {
            assert!(of(&root.join("real/link")).unwrap_err().contains("allowed"));
            return;
        }
        assert_eq!(
            of(&root.join("real/link/none/yet")),
            Ok(root.join("real/none/yet"))
        );
        assert!(
            of(&root.join("open/link"))
                .unwrap_err()
                .contains("open/link is a symbolic link")
        );
        assert!(of(&root.join("loop")).is_err());
    }
}
