//! Accounts. A static binary has no name service switch, so accounts that are not in /etc/passwd are asked of `getent`.

pub use crate::account::{User, further_groups};
use crate::{Command, Deadline, file};
use std::path::Path;

/// `LOGIN_NAME_MAX`.
const LONGEST_NAME: usize = 256;

fn parse_passwd_line(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    Some(User {
        name: (*fields.first()?).to_owned(),
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
        home: (*fields.get(5)?).to_owned(),
    })
}

/// Whether a name can be an account's or a group's. A number is none: `getent` would look for the id.
pub fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.@\\".contains(c);
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.strip_suffix('$').unwrap_or(name).chars().all(inner)
}

/// Asks the name service. What it is asked for is never taken for an option or a number, and no module of it for a file in the directory
/// of somebody who has called us.
fn ask(database: &str, name: &str, deadline: Deadline) -> Option<String> {
    if !is_name(name) {
        return None;
    }
    let answer = Command::new("getent")
        .args([database, "--", name])
        .directory("/")
        .run_ok(deadline);
    answer.ok().map(|answer| answer.text())
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
            let answer = ask("passwd", name, deadline)?;
            answer
                .lines()
                .filter_map(parse_passwd_line)
                .find(|user| user.name == name)
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
    id_in(&local).or_else(|| id_in(&ask("group", name, deadline)?))
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
        assert!(root.is_the_systems());
        for wrong in ["0", "--service=files", "-x", "", "a:b", "a b", "a/b", "a\nb"] {
            assert!(!is_name(wrong), "{wrong}");
            assert_eq!(
                (find(wrong, soon), find_group(wrong, soon)),
                (None, None),
                "{wrong}"
            );
        }
        for right in ["kaiwudb", "_x", "a.b", "DOMAIN\\user", "user@domain", "machine$"] {
            assert!(is_name(right), "{right}");
        }
    }
}
