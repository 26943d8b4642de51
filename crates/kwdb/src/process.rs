//! Which process serves which store: account, executable and store path, never a pid file.
//!
//! A program's name and arguments are anybody's. What nobody can choose is the account he runs under, and the unit or the container that
//! root has started.

use host::{Process, mount};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Name of the server's program.
const PROGRAM: &str = "kwbase";

/// Who may run the server of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Starter<'a> {
    /// The server's account; `None` where it is not known.
    pub uid: Option<u32>,
    /// The unit of systemd that runs it, under whatever account, where there is one.
    pub unit: Option<&'a str>,
}

/// The processes that serve a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    /// Its servers.
    pub servers: Vec<Process>,
    /// Processes that look like servers of the store and run under an account that has no business there. They are told to people,
    /// and never counted, waited for or ended.
    pub strangers: Vec<Process>,
}

/// Every process that serves the store at `data_root`, whoever of those that may has started it. `binary` is the configured program; one
/// named `kwbase` counts wherever it lies. A server's child does not: until it has become the helper it is to be, it looks like its
/// parent. `starter` is asked only when there is somebody to judge.
pub fn serving<'a>(data_root: &Path, binary: &Path, starter: impl FnOnce() -> Starter<'a>) -> Serving {
    let binary = fs::canonicalize(binary).unwrap_or_else(|_| binary.to_owned());
    let found: Vec<Process> = Process::all_running(|path| is_program(path, &binary))
        .filter(|process| serves(*process, data_root, &binary))
        .collect();
    if found.is_empty() {
        return Serving::default();
    }
    let starter = starter();
    let (all, strangers): (Vec<Process>, Vec<Process>) = found
        .into_iter()
        .partition(|process| starter.may_have_started(*process));
    let is_one = |pid: i32| all.iter().any(|server| server.pid() == pid);
    let servers = all
        .iter()
        .copied()
        .filter(|process| !process.parent().is_some_and(is_one))
        .collect();
    Serving { servers, strangers }
}

impl Starter<'_> {
    /// Whether the process runs under the server's account or root's, or in the unit or a container that root has started.
    pub fn may_have_started(&self, process: Process) -> bool {
        let Some([real, effective]) = process.user_ids() else {
            return false;
        };
        // A program with the set-user-id bit has its caller's real one.
        let runs_as = |uid: u32| (real, effective) == (uid, uid);
        runs_as(0) || self.uid.is_some_and(runs_as) || self.is_in_unit(process) || is_in_container(process)
    }

    /// Only root puts a process into the control group of a system unit.
    fn is_in_unit(&self, process: Process) -> bool {
        let Some(unit) = self.unit else { return false };
        let group = format!("/system.slice/{unit}");
        process.control_groups().iter().any(|path| {
            path.strip_prefix(&group)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Where Docker and Podman put what they run. Below a user's own slice the same names are anybody's.
const CONTAINERS: [&str; 4] = [
    "/docker/",
    "/system.slice/docker-",
    "/machine.slice/libpod-",
    "/libpod_parent/",
];

fn is_in_container(process: Process) -> bool {
    let groups = process.control_groups();
    let is_one = |path: &String| CONTAINERS.iter().any(|place| path.starts_with(place));
    groups.iter().any(is_one)
}

fn is_program(path: &Path, binary: &Path) -> bool {
    path == binary || path.file_name() == Some(OsStr::new(PROGRAM))
}

/// Whether this very process is a running server, of whatever store.
pub fn is_server(process: Process, binary: &Path) -> bool {
    let is_server = process.executable().is_some_and(|path| is_program(&path, binary));
    // The executable of a zombie leader or of another user's process cannot be read: nothing to manage there.
    is_server
        && process.is_running()
        && process.arguments().is_some_and(|arguments| {
            arguments
                .get(1)
                .is_some_and(|word| word.as_bytes().starts_with(b"start"))
        })
}

/// Whether this very process is a running server of the store. One in a container may know it by another path.
pub fn serves(process: Process, data_root: &Path, binary: &Path) -> bool {
    is_server(process, binary)
        && process.arguments().is_some_and(|arguments| {
            stores(&arguments)
                .into_iter()
                .any(|store| is_same(process, &normalized(process, &store), data_root))
        })
}

/// Whether the process means by `store` what we mean by `data_root`, however each of them spells it: the same directory of the same
/// device, read from the mount tables of both sides. So a server in a container is found, gets new certificates, and is never started
/// a second time, whoever made the container.
fn is_same(process: Process, store: &Path, data_root: &Path) -> bool {
    if process.shares_namespace("mnt") {
        let same = |mounts: Vec<_>| mount::resolve(&mounts, store) == mount::resolve(&mounts, data_root);
        return store == data_root || mount::all().is_ok_and(same);
    }
    let (Ok(ours), Ok(theirs)) = (mount::all(), mount::seen_by(process)) else {
        return store == data_root;
    };
    match (
        mount::place(&theirs, store),
        mount::place(&ours, &mount::resolve(&ours, data_root)),
    ) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => store == data_root,
    }
}

/// The paths of all `--store`/`-s` flags. A value is a path, or `path=…` among comma-separated fields.
fn stores(arguments: &[OsString]) -> Vec<PathBuf> {
    let path = |value: &[u8]| {
        let path = value
            .split(|byte| *byte == b',')
            .find_map(|field| field.strip_prefix(b"path="));
        PathBuf::from(OsStr::from_bytes(path.unwrap_or(value)))
    };
    values(arguments, &["--store", "-store", "-s"])
        .into_iter()
        .map(path)
        .collect()
}

/// The values of a flag that has these names, as a server takes them: `--name=value` or `--name value`, behind its command.
pub(crate) fn values<'a>(arguments: &'a [OsString], names: &[&str]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut words = arguments.iter().skip(2).map(|word| word.as_bytes());
    while let Some(word) = words.next() {
        let rest = names.iter().find_map(|name| word.strip_prefix(name.as_bytes()));
        found.extend(match rest {
            Some([]) => words.next(),
            Some([b'=', value @ ..]) => Some(value),
            _ => None,
        });
    }
    found
}

/// The path as seen from the root, without touching it: it may lie on a file system that hangs.
fn normalized(process: Process, store: &Path) -> PathBuf {
    let absolute = if store.is_absolute() {
        store.to_owned()
    } else {
        fs::read_link(format!("/proc/{}/cwd", process.pid()))
            .unwrap_or_default()
            .join(store)
    };
    let mut path = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    fn stores_of(line: &str) -> Vec<PathBuf> {
        stores(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn every_spelling_of_the_store() {
        let expected = vec![PathBuf::from("/data")];
        for line in [
            "kwbase start-single-node --store=/data",
            "kwbase start-single-node --insecure --store /data",
            "kwbase start-single-node -s=/data",
            "kwbase start-single-node -s /data",
            "kwbase start-single-node --store=path=/data,size=20%",
            "kwbase start-single-node --store=size=20%,path=/data",
        ] {
            assert_eq!(stores_of(line), expected, "{line}");
        }
        assert!(stores_of("kwbase start-single-node --store").is_empty());
        assert!(stores_of("kwbase sql -e --nothing").is_empty());
    }

    /// A shell stands for the server: the shell that it forks has its program and its arguments, as any child has until exec.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test plays the server's part")]
    fn a_servers_child_is_no_second_server() {
        let directory = tempfile::tempdir().unwrap();
        let binary = directory.path().join("kwbase");
        // By a process of its own: a file that is open for writing in a child which another test forks cannot be executed.
        let copied = Command::new("cp").arg("/bin/bash").arg(&binary).status().unwrap();
        assert!(copied.success());
        let script = "exec 3<&0; (read -r line <&3) & echo forked; wait";
        fs::write(directory.path().join("start"), script).unwrap();
        let mut server = Command::new(&binary)
            .args(["start", "--store=/no/such/store"])
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let me = Starter {
            uid: Process::current().and_then(Process::user_id),
            unit: None,
        };
        let found = serving(Path::new("/no/such/store"), &binary, || me).servers;
        drop(server.stdin.take());
        server.wait().unwrap();
        let pids: Vec<i32> = found.iter().map(|process| process.pid()).collect();
        assert_eq!(pids, [server.id().cast_signed()]);
    }

    #[test]
    fn this_test_is_no_server() {
        let me = Process::current().unwrap();
        assert!(!serves(me, Path::new("/"), &std::env::current_exe().unwrap()));
    }

    #[test]
    fn paths_are_compared_without_looking_at_them() {
        let me = Process::current().unwrap();
        assert_eq!(normalized(me, Path::new("/a//b/../c/./")), Path::new("/a/c"));
        assert_eq!(
            normalized(me, Path::new("x")),
            std::env::current_dir().unwrap().join("x")
        );
    }
}
