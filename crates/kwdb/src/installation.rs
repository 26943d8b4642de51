//! What the vendor's installer left on this host: `/etc/kaiwudb/info/MODE` and `/etc/kaiwudb/script/kaiwudb_env`.
//!
//! The installer gives both to the server's account, so they are advice: every value is looked at as if an enemy had written it, and who
//! can write it is told with it.
//!
//! Sources: `kaiwudb_install/utils/kaiwudb_install.sh` and `kaiwudb_common.sh` of KWDB 2.2 to 3.2.1.

use host::untrusted::{self, Writers};
use host::user;
use ocf::Choice;
use std::io;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};

/// Written by the installer; one value per line.
pub const MODE_FILE: &str = "/etc/kaiwudb/info/MODE";
/// The unit's `EnvironmentFile`.
pub const ENVIRONMENT_FILE: &str = "/etc/kaiwudb/script/kaiwudb_env";
/// The variable in it that holds further server flags.
pub const START_ARGUMENTS: &str = "KAIWUDB_START_ARG";
/// The service account where nothing names another.
pub const DEFAULT_USER: &str = "kaiwudb";
/// Where the installer puts certificates.
pub const CERTS_DIRECTORY: &str = "/etc/kaiwudb/certs";

/// Where the store is unless the installation says otherwise.
pub const DEFAULT_DATA_ROOT: &str = "/var/lib/kaiwudb";
/// Where the server takes SQL unless its flags or the installation say otherwise.
pub const DEFAULT_SQL_PORT: u16 = 26257;
/// The same for HTTP.
pub const DEFAULT_HTTP_PORT: u16 = 8080;

/// How clients and server speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecureMode {
    /// In clear, no passwords.
    Insecure,
    /// TLS with the certificates of the installation.
    Tls,
    /// The Chinese transport layer protocol of the enterprise edition. We cannot speak it; the flag is passed on.
    Tlcp,
}

impl SecureMode {
    /// Whether server and clients have certificates.
    pub const fn has_certificates(self) -> bool {
        matches!(self, Self::Tls | Self::Tlcp)
    }
}

impl Choice for SecureMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("insecure", Self::Insecure),
        ("tls", Self::Tls),
        ("tlcp", Self::Tlcp),
    ];
    const NAMES: &'static [&'static str] = &["insecure", "tls", "tlcp"];
}

/// How the server is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// As a program on the host.
    Bare,
    /// In the container `kaiwudb-container`.
    Container,
}

/// Larger than any of these files.
pub(crate) const LARGEST: u64 = 1 << 16;
/// Directories that hold the system, none of which is a store.
const SYSTEM: [&str; 20] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
];

/// The values of the MODE file. Whatever a file of an old release lacks, or what cannot be such a value, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// Line 1.
    pub deployment: Option<Deployment>,
    /// Line 3 of a bare deployment, `/usr/local/kaiwudb`; the image's name of a container.
    pub origin: Option<String>,
    /// Line 4.
    pub data_root: Option<PathBuf>,
    /// Line 5.
    pub sql_port: Option<u16>,
    /// Line 6.
    pub http_port: Option<u16>,
    /// Line 7.
    pub user: Option<String>,
    /// Line 8; missing on old installations.
    pub secure_mode: Option<SecureMode>,
    /// Line 9; missing on old installations.
    pub encrypted_store: bool,
    /// The last line: this host's own address.
    pub address: Option<String>,
    /// Who can write the file: what it says of accounts counts for no more.
    pub writers: Writers,
}

impl Mode {
    /// Reads the text of a MODE file.
    pub fn parse(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let line = |number: usize| lines.get(number - 1).copied().filter(|line| !line.is_empty());
        // Only lines 1 to 7 are in every release; the lines after them are recognised by their content.
        let further = || lines.iter().skip(7).copied().filter(|line| !line.is_empty());
        Self {
            deployment: match line(1) {
                Some("bare") => Some(Deployment::Bare),
                Some("container") => Some(Deployment::Container),
                _ => None,
            },
            origin: line(3).filter(|origin| is_plain(origin)).map(str::to_owned),
            data_root: line(4).map(PathBuf::from).filter(|path| is_store_directory(path)),
            sql_port: line(5).and_then(|port| port.parse().ok()),
            http_port: line(6).and_then(|port| port.parse().ok()),
            user: line(7).filter(|name| user::is_name(name)).map(str::to_owned),
            secure_mode: further().find_map(SecureMode::of_word),
            encrypted_store: further().any(|word| word == "true"),
            address: further()
                .next_back()
                .filter(|word| SecureMode::of_word(word).is_none() && !matches!(*word, "true" | "false"))
                .filter(|word| is_host(word))
                .map(str::to_owned),
            writers: Writers::Root,
        }
    }

    /// Reads the MODE file of this host; all unknown when there is none.
    pub fn read() -> io::Result<Self> {
        let Some(found) = untrusted::read(Path::new(MODE_FILE), LARGEST)? else {
            return Ok(Self::default());
        };
        Ok(Self {
            writers: found.writers,
            ..Self::parse(&String::from_utf8_lossy(&found.bytes))
        })
    }
}

pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Whether a store can lie there: an absolute path that goes nowhere else, and none of the system's own directories.
pub fn is_store_directory(path: &Path) -> bool {
    let in_memory = ["/dev", "/proc", "/sys"]
        .iter()
        .any(|system| path.starts_with(system));
    path.is_absolute()
        && !in_memory
        && !path.components().any(|part| part == Component::ParentDir)
        && path.to_str().is_some_and(is_plain)
        && !SYSTEM.iter().any(|system| path == Path::new(system))
}

/// Whether it is an address or a host's name.
fn is_host(word: &str) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    word.parse::<IpAddr>().is_ok() || (word.chars().all(belongs) && !word.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_file_of_3_2() {
        let text =
            "bare\nsingle\n/usr/local/kaiwudb\n/data/kwdb\n26257\n8080\nkaiwudb\ntls\nfalse\n10.1.2.3\n";
        let mode = Mode::parse(text);
        assert_eq!(mode.deployment, Some(Deployment::Bare));
        assert_eq!(mode.data_root, Some("/data/kwdb".into()));
        assert_eq!((mode.sql_port, mode.http_port), (Some(26257), Some(8080)));
        assert_eq!(mode.secure_mode, Some(SecureMode::Tls));
        assert!(!mode.encrypted_store);
        assert_eq!(mode.address.as_deref(), Some("10.1.2.3"));
    }

    #[test]
    fn an_old_mode_file_lacks_the_secure_mode() {
        let mode =
            Mode::parse("container\nsingle\nkwdb/kwdb:2.0\n/var/lib/kaiwudb\n26257\n8080\nkaiwudb\n10.1.2.3");
        assert_eq!(
            (mode.secure_mode, mode.address.as_deref()),
            (None, Some("10.1.2.3"))
        );
        assert_eq!(mode.origin.as_deref(), Some("kwdb/kwdb:2.0"));
    }

    #[test]
    fn damaged_mode_files_are_unknown_not_fatal() {
        assert_eq!(Mode::parse(""), Mode::default());
        let mode = Mode::parse("x\n\n\nrelative\nport\n99999999\n");
        assert_eq!(
            (mode.data_root, mode.sql_port, mode.http_port),
            (None, None, None)
        );
    }

    #[test]
    fn values_that_an_enemy_wrote_are_none() {
        for root in [
            "/",
            "/etc",
            "/var/lib/",
            "/proc/1/root",
            "/data/../etc",
            "relative",
            "/a\x1bb",
        ] {
            assert!(!is_store_directory(Path::new(root)), "{root}");
        }
        for root in [
            "/var/lib/kaiwudb",
            "/data",
            "/home/kaiwudb/data",
            "/usr/local/kaiwudb/data",
        ] {
            assert!(is_store_directory(Path::new(root)), "{root}");
        }
        let mode =
            Mode::parse("bare\nsingle\n/x\x1b[2J\n/\n1\n2\n--service=files\ntls\nfalse\n} handlers { x\n");
        assert_eq!(
            (mode.origin, mode.data_root, mode.user, mode.address),
            (None, None, None, None)
        );
        assert_eq!(Mode::parse("\n\n\n\n\n\n0\n").user, None);
    }
}
