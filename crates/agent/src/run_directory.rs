//! Where an agent keeps what its calls leave for each other.

use std::path::{Path, PathBuf};

const PARENT: &str = "/run/kaiwudb-ha";

/// `/run/kaiwudb-ha/<resource>`, whether or not it exists. In memory: it does not survive the kernel and never hangs with a
/// disk. Characters that have no place in a file name become `_`.
pub fn run_directory(instance: &str) -> PathBuf {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
    let name: String = instance.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    Path::new(PARENT).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_cannot_leave_the_directory() {
        assert_eq!(run_directory("../../etc"), Path::new("/run/kaiwudb-ha/______etc"));
        assert_eq!(run_directory("KaiwuDB:0"), Path::new("/run/kaiwudb-ha/KaiwuDB:0"));
    }
}
