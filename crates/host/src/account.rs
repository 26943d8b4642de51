//! An account of the operating system, and its groups.

use crate::file;
use std::path::Path;

/// Accounts below are the operating system's own on every distribution: Debian gives 0 to 99 out for good, Red Hat 0 to 200.
const FIRST_OF_NOBODY: u32 = 100;

/// An account of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
}

impl User {
    /// Whether it is root or another account of the operating system's own, under which no server may run.
    pub const fn is_the_systems(&self) -> bool {
        self.uid < FIRST_OF_NOBODY || self.gid == 0
    }
}

/// Ids of the further groups that `user` belongs to, after /etc/group.
pub fn further_groups(user: &User) -> Vec<u32> {
    let text = file::read_text(Path::new("/etc/group"))
        .ok()
        .flatten()
        .unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let member = fields.get(3)?.split(',').any(|member| member == user.name);
            member.then(|| fields.get(2)?.parse().ok()).flatten()
        })
        .collect()
}
