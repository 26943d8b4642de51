//! Accounts. A static binary has no name service switch, so accounts that are not in /etc/passwd are asked of `getent`.

use crate::{Command, Deadline, file};
use std::path::Path;

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

fn parse_passwd_line(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    Some(User {
        name: (*fields.first()?).to_owned(),
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
        home: (*fields.get(5)?).to_owned(),
    })
}

/// The account of that name; `None` when there is none.
pub fn find(name: &str, deadline: Deadline) -> Option<User> {
    let local = file::read_text(Path::new("/etc/passwd"))
        .ok()
        .flatten()
        .unwrap_or_default();
    local
        .lines()
        .filter_map(parse_passwd_line)
        .find(|user| user.name == name)
        .or_else(|| {
            let answer = Command::new("getent")
                .args(["passwd", name])
                .run_ok(deadline)
                .ok()?;
            answer.text().lines().find_map(parse_passwd_line)
        })
}

/// The id of the group of that name; `None` when there is none.
pub fn find_group(name: &str, deadline: Deadline) -> Option<u32> {
    let id_in = |text: &str| {
        text.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&name))
                .then(|| fields.get(2)?.parse().ok())
                .flatten()
        })
    };
    let local = file::read_text(Path::new("/etc/group"))
        .ok()
        .flatten()
        .unwrap_or_default();
    id_in(&local).or_else(|| {
        id_in(
            &Command::new("getent")
                .args(["group", name])
                .run_ok(deadline)
                .ok()?
                .text(),
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn accounts() {
        let soon = Deadline::after(Duration::from_secs(60));
        let root = find("root", soon).unwrap();
        assert_eq!((root.uid, root.gid, root.home.as_str()), (0, 0, "/root"));
        assert_eq!(find("no-such-user-here", soon), None);
        assert_eq!(find_group("root", soon), Some(0));
        assert_eq!(find_group("no-such-group-here", soon), None);
        assert!(parse_passwd_line("broken:x:").is_none());
    }
}
