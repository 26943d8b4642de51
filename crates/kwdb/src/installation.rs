//! What the vendor's installer left on this host: `/etc/kaiwudb/info/MODE` and `/etc/kaiwudb/script/kaiwudb_env`.
//!
//! Sources: `kaiwudb_install/utils/kaiwudb_install.sh` and `kaiwudb_common.sh` of KWDB 2.2 to 3.2.1.

use host::file;
use ocf::Choice;
use std::io;
use std::path::{Path, PathBuf};

/// Written by the installer; one value per line.
pub const MODE_FILE: &str = "/etc/kaiwudb/info/MODE";
/// The unit's `EnvironmentFile`; `KAIWUDB_START_ARG` in it holds further server flags.
pub const ENVIRONMENT_FILE: &str = "/etc/kaiwudb/script/kaiwudb_env";
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

/// The values of the MODE file. Whatever a file of an old release lacks is `None`.
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
            origin: line(3).map(str::to_owned),
            data_root: line(4).filter(|path| path.starts_with('/')).map(PathBuf::from),
            sql_port: line(5).and_then(|port| port.parse().ok()),
            http_port: line(6).and_then(|port| port.parse().ok()),
            user: line(7).map(str::to_owned),
            secure_mode: further().find_map(SecureMode::of_word),
            encrypted_store: further().any(|word| word == "true"),
            address: further()
                .next_back()
                .filter(|word| SecureMode::of_word(word).is_none() && !matches!(*word, "true" | "false"))
                .map(str::to_owned),
        }
    }

    /// Reads the MODE file of this host; all unknown when there is none.
    pub fn read() -> io::Result<Self> {
        Ok(Self::parse(
            &file::read_text(Path::new(MODE_FILE))?.unwrap_or_default(),
        ))
    }
}

/// Reads the variables of an `EnvironmentFile` as systemd does: `NAME=value`, quotes around the value dropped, lines that
/// begin with `#` or `;` and lines without `=` ignored. `None` when the file does not exist.
pub fn read_environment_file(path: &Path) -> io::Result<Option<Vec<(String, String)>>> {
    Ok(file::read_text(path)?.map(|text| parse_environment_file(&text)))
}

fn parse_environment_file(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with(['#', ';']))
        .filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            let value = value.trim();
            let unquoted = ['"', '\'']
                .into_iter()
                .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
                .unwrap_or(value);
            Some((name.trim().to_owned(), unquoted.to_owned()))
        })
        .collect()
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
    fn environment_files_read_as_systemd_reads_them() {
        let text = "# comment\n; other\nKAIWUDB_START_ARG=\"--buffer-pool-size=32657 --cache=1GB\"\nA = 'b c'\nnot a line\nB=\n";
        let pairs = parse_environment_file(text);
        let expected = [
            ("KAIWUDB_START_ARG", "--buffer-pool-size=32657 --cache=1GB"),
            ("A", "b c"),
            ("B", ""),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
