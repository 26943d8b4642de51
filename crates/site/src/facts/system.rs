//! The operating system: what the guide changes in it, and what a cluster needs of it.

use super::{multipath, password, patience};
use host::{Command, Deadline, file};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// What is known of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct System {
    /// What `/bin/sh` points to.
    pub shell: String,
    /// Lines of `/etc/fstab` that are in force.
    pub fstab: Vec<String>,
    /// What installs packages here: `apt-get`, `dnf`, `yum` or `zypper`.
    pub installer: String,
    /// Whether multipath leaves DRBD alone; `None` where that cannot be told.
    pub multipath_leaves_drbd: Option<bool>,
    /// Accounts that may do anything without a password.
    pub sudo_without_password: Vec<String>,
    /// Whether Debian's own shell is there.
    pub has_dash: bool,
    /// Release of Pacemaker, as its tools say it; empty where it is not installed.
    pub pacemaker: String,
    /// Whether the account `hacluster` has the password that guides print.
    pub hacluster_password_printed: Option<bool>,
    /// Our agents that are installed.
    pub agents: Vec<String>,
}

/// The first that is there counts: openSUSE has a dnf as well, and some Debian an rpm.
const INSTALLERS: [&str; 4] = ["zypper", "apt-get", "dnf", "yum"];
const AGENTS: &str = "/usr/lib/ocf/resource.d/kaiwudb";

/// Looks.
pub(super) fn gather(deadline: Deadline, unanswered: &mut Vec<String>) -> System {
    let text = |path: &str| file::read_text(Path::new(path)).ok().flatten();
    let mut agents: Vec<String> = fs::read_dir(AGENTS)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    agents.sort();
    System {
        installer: INSTALLERS
            .into_iter()
            .find(|name| Command::new(name).is_installed())
            .unwrap_or_default()
            .to_owned(),
        shell: fs::canonicalize("/bin/sh").map_or_else(|_| String::new(), |path| path.display().to_string()),
        fstab: lines(&text("/etc/fstab").unwrap_or_default()),
        multipath_leaves_drbd: multipath::leaves_drbd(deadline.slice(patience::QUESTION), unanswered),
        sudo_without_password: sudoers(),
        has_dash: Path::new("/bin/dash").exists(),
        pacemaker: pacemaker::version::installed(deadline.slice(patience::QUESTION)).unwrap_or_default(),
        hacluster_password_printed: password::is_printed(),
        agents,
    }
}

impl System {
    /// Whether a service runs once its package is installed, as on Debian.
    pub fn starts_what_it_installs(&self) -> bool {
        self.installer() == "apt-get"
    }

    /// The command that installs a package.
    pub fn install(&self, package: &str) -> String {
        format!("{} install {package}", self.installer())
    }

    /// The command that brings an installed package to the newest release: to dnf and some zypper `install` is done when it is there in
    /// whatever release.
    pub fn upgrade(&self, package: &str) -> String {
        let verb = match self.installer() {
            "dnf" | "yum" => "upgrade",
            "zypper" => "update",
            _ => "install",
        };
        format!("{} {verb} {package}", self.installer())
    }

    /// `apt-get` in the facts of a release that did not tell.
    fn installer(&self) -> &str {
        match self.installer.as_str() {
            "" => "apt-get",
            installer => installer,
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn sudoers() -> Vec<String> {
    let mut files = vec![Path::new("/etc/sudoers").to_owned()];
    files.extend(
        fs::read_dir("/etc/sudoers.d")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path())),
    );
    let mut accounts: Vec<String> = files
        .iter()
        .filter_map(|path| file::read_text(path).ok().flatten())
        .flat_map(|text| unlimited(&text))
        .collect();
    accounts.sort();
    accounts.dedup();
    accounts
}

/// Accounts (not groups, and not root) whose line ends in `NOPASSWD: ALL`, in whatever spacing.
fn unlimited(text: &str) -> Vec<String> {
    lines(text)
        .iter()
        .filter(|line| {
            let dense: String = line.chars().filter(|c| !c.is_whitespace()).collect();
            dense.ends_with("NOPASSWD:ALL")
        })
        .filter_map(|line| line.split_whitespace().next())
        .filter(|account| !account.starts_with('%') && *account != "root")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_installer_gives_away_is_seen() {
        let text = "# comment\nroot ALL=(ALL) NOPASSWD: ALL\n%wheel ALL=(ALL) NOPASSWD: ALL\nkaiwudb ALL=(ALL)  NOPASSWD:ALL\n\
                    backup ALL=(ALL) NOPASSWD: /usr/bin/rsync\n";
        assert_eq!(unlimited(text), ["kaiwudb"]);
    }
}
