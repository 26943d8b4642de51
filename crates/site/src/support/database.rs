//! The database: its settings and its logs, both in directories of its own account.

use super::collector::{Collector, Group};
use super::part::Request;
use host::untrusted::{self, Writers};
use host::{Deadline, user};
use kwdb::environment;
use kwdb::installation::{
    self, DEFAULT_DATA_ROOT, DEFAULT_USER, ENVIRONMENT_FILE, MODE_FILE, Mode, START_ARGUMENTS,
};
use kwdb::server;
use redact::Source;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the installer writes: MODE, versions, the unit's environment, `deploy.cfg`, the compose file.
const DIRECTORIES: [&str; 3] = ["/etc/kaiwudb/info", "/etc/kaiwudb/script", "/etc/kaiwudb"];
/// Files in one of them that are looked at, and the size of one in bytes.
const MOST: usize = 40;
const LARGEST: u64 = 256 << 10;
/// Logs at most.
const MOST_LOGS: usize = 24;
/// To look up an account.
const QUESTION: Duration = Duration::from_secs(5);

/// Settings.
pub(super) fn files(collector: &mut Collector<'_>) {
    for directory in DIRECTORIES {
        let path = PathBuf::from(directory);
        let is_key = |name: &str| {
            let mut endings = [".key", ".crt", ".pem", ".zip"].iter();
            endings.any(|ending| name.ends_with(ending))
        };
        let found = collector.list(Group::System, &path, |name| !is_key(name));
        let files = found.into_iter().filter(|(_, found)| found.is_file);
        for (name, _) in files.take(MOST) {
            let entry = format!("database/{}", name.trim_start_matches('.'));
            collector.tail(Group::System, &entry, &path.join(&name), LARGEST, Source::Text);
        }
    }
}

/// The newest part of each log that was written in the window. Where others than root may say where they are, only the server's own files are taken.
pub(super) fn logs(collector: &mut Collector<'_>) {
    let named = collector.request.data_root.clone();
    let named = named.filter(|root| installation::is_store_directory(root));
    let (root, owner) = named.map_or_else(root_of_mode, |root| (root, None));
    directory(collector, &root.join("logs"), owner);
    if let Some(elsewhere) = log_directory(collector.request)
        && !elsewhere.starts_with(&root)
    {
        let user = collector.request.user.clone().or_else(|| Mode::read().ok()?.user);
        let user = user.unwrap_or_else(|| DEFAULT_USER.to_owned());
        let owner = user::find(&user, Deadline::after(QUESTION)).map_or(u32::MAX, |user| user.uid);
        directory(collector, &elsewhere, Some(owner));
    }
}

/// The server's `--log-dir`, as its installation and the cluster say.
fn log_directory(request: &Request) -> Option<PathBuf> {
    let variables = environment::read(Path::new(ENVIRONMENT_FILE)).ok().flatten();
    let installed = variables
        .into_iter()
        .flatten()
        .rfind(|(name, _)| name == START_ARGUMENTS)
        .map(|(_, value)| value);
    let words: Vec<String> = installed
        .iter()
        .chain(&request.extra_args)
        .flat_map(|line| shell_words::split(line).unwrap_or_default())
        .collect();
    server::log_directory(&words).filter(|path| installation::is_store_directory(path))
}

/// The logs in a directory; of this account's where others may name the directory.
fn directory(collector: &mut Collector<'_>, directory: &Path, owner: Option<u32>) {
    let since = collector.since();
    let is_log = |name: &str| Path::new(name).extension().is_some_and(|ending| ending == "log");
    let mut logs: Vec<(i64, String)> = collector
        .list(Group::Store, directory, is_log)
        .into_iter()
        // Links name a log that is listed itself.
        .filter(|(_, found)| {
            found.is_file && found.modified >= since && owner.is_none_or(|owner| owner == found.uid)
        })
        .map(|(name, found)| (found.modified, name))
        .collect();
    logs.sort_unstable();
    let most = collector.share(8);
    for (_, name) in logs.into_iter().rev().take(MOST_LOGS) {
        let entry = format!("database/logs/{name}");
        collector.tail(
            Group::Store,
            &entry,
            &directory.join(&name),
            most,
            Source::Database,
        );
    }
}

fn root_of_mode() -> (PathBuf, Option<u32>) {
    let mode = Mode::read().unwrap_or_default();
    let owner = match untrusted::writers(Path::new(MODE_FILE)) {
        Ok(Writers::Root) => None,
        Ok(Writers::Account(uid)) => Some(uid),
        _ => Some(u32::MAX),
    };
    match mode.data_root {
        Some(root) => (root, owner),
        None => (DEFAULT_DATA_ROOT.into(), None),
    }
}
