//! The files of DRBD's configuration: one, and those that it includes, as `drbdadm` finds them.

use std::path::{Path, PathBuf};

/// `root` and all that it includes, each once. What cannot be read is passed over: drbdadm says so itself.
pub(super) fn all(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    add(root, &mut found);
    found
}

fn add(path: &Path, found: &mut Vec<PathBuf>) {
    if found.iter().any(|known| known == path) {
        return;
    }
    let Ok(Some(text)) = host::file::read_text(path) else {
        return;
    };
    found.push(path.to_owned());
    // A pattern is relative to the file in which it stands.
    let directory = path.parent().unwrap_or(Path::new("/"));
    for pattern in included(&text) {
        let pattern = directory.join(pattern).display().to_string();
        for file in glob::glob(&pattern).into_iter().flatten().flatten() {
            add(&file, found);
        }
    }
}

/// The patterns behind `include` and `template-file`.
fn included(text: &str) -> Vec<String> {
    let words = super::text::tokens(text);
    words
        .windows(3)
        .filter(|words| matches!(words[0].as_str(), "include" | "template-file") && words[2] == ";")
        .map(|words| words[1].clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn includes_are_followed_and_rings_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("d")).unwrap();
        let absolute = format!("include \"{}\";", path("d/one.res").display());
        for (name, text) in [
            (
                "drbd.conf",
                "# include \"no\";\ninclude \"d/*.res\"; include \"nothing/*\";",
            ),
            (
                "d/one.res",
                "include \"two.txt\"; resource a { template-file \"three\"; }",
            ),
            ("d/two.txt", absolute.as_str()),
            ("d/three", ""),
            ("d/other.conf", ""),
        ] {
            fs::write(path(name), text).unwrap();
        }
        let expected = ["drbd.conf", "d/one.res", "d/two.txt", "d/three"].map(path);
        assert_eq!(all(&path("drbd.conf")), expected);
        assert!(all(&path("gone")).is_empty());
    }
}
