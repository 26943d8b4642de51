//! What `/proc` says about the processes of a node, without entering it.

use host::Process;
use std::fs;
use std::path::{Path, PathBuf};

/// Direct children of a process. Not from `/proc/PID/task/PID/children`, which misses some while others end.
pub(crate) fn children(pid: i32) -> impl Iterator<Item = Process> {
    Process::all().filter(move |process| process.parent() == Some(pid))
}

/// Whether `word` is among the arguments of a process.
pub(crate) fn has_argument(process: Process, word: &str) -> bool {
    process
        .arguments()
        .is_some_and(|arguments| arguments.iter().any(|argument| argument == word))
}

/// Whether a process is the first one of a pid namespace of its own.
pub(crate) fn is_init(process: Process) -> bool {
    fs::read_to_string(format!("/proc/{}/status", process.pid())).is_ok_and(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("NSpid:"))
            .is_some_and(|pids| pids.split_whitespace().next_back() == Some("1"))
    })
}

/// Every process of the node whose first process is `init` and whose control group is `group`: those in its pid namespace and
/// those in one below it, as Docker's containers are.
pub(crate) fn of_node(init: i32, group: &Path) -> Vec<i32> {
    let Some(namespace) = pid_namespace(init) else {
        return Vec::new();
    };
    let own = pid_namespace(std::process::id().cast_signed());
    let group = format!(":/{}/", group.display());
    let belongs = |pid: i32| match pid_namespace(pid) {
        Some(found) if found == namespace => true,
        found if found == own => false,
        _ => fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| groups.contains(&group)),
    };
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| belongs(*pid))
        .collect()
}

fn pid_namespace(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

/// Mounts of a process: (`major:minor`, mount point).
pub(crate) fn mounts(pid: i32) -> Vec<(String, PathBuf)> {
    fs::read_to_string(format!("/proc/{pid}/mountinfo"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(2);
            let device = fields.next()?.to_owned();
            Some((device, PathBuf::from(fields.nth(1)?)))
        })
        .collect()
}

/// Whether an IPv4 address is assigned in the network namespace of a process.
pub(crate) fn has_address(pid: i32, address: &str) -> bool {
    is_local(
        &fs::read_to_string(format!("/proc/{pid}/net/fib_trie")).unwrap_or_default(),
        address,
    )
}

/// In the kernel's trie an own address is a leaf `|-- ADDRESS` followed by `/32 host LOCAL`.
fn is_local(fib_trie: &str, address: &str) -> bool {
    let mut leaf = "";
    for line in fib_trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address;
        } else if leaf == address && line.starts_with("/32 host LOCAL") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIB_TRIE: &str = "Main:
  +-- 10.77.0.0/24 2 0 2
     |-- 10.77.0.0
        /24 link UNICAST
     |-- 10.77.0.11
        /32 host LOCAL
Local:
     |-- 10.77.0.100
        /32 host LOCAL
     |-- 10.77.0.255
        /32 link BROADCAST
";

    #[test]
    fn own_addresses_are_told_from_routes() {
        assert!(is_local(FIB_TRIE, "10.77.0.11"));
        assert!(is_local(FIB_TRIE, "10.77.0.100"));
        assert!(!is_local(FIB_TRIE, "10.77.0.10"));
        assert!(!is_local(FIB_TRIE, "10.77.0.255"));
        assert!(!is_local(FIB_TRIE, "10.77.0.0"));
    }

    #[test]
    fn this_process_is_seen() {
        let own = Process::current().unwrap();
        let first = own.arguments().unwrap().swap_remove(0).into_string().unwrap();
        assert!(has_argument(own, &first) && !has_argument(own, "--no-such-argument"));
        assert!(of_node(own.pid(), Path::new("none")).contains(&own.pid()));
        assert!(children(own.parent().unwrap()).any(|process| process == own));
        assert!(
            mounts(own.pid())
                .iter()
                .any(|(_, point)| point.as_os_str() == "/")
        );
        assert!(has_address(own.pid(), "127.0.0.1"));
    }
}
