//! Starting a program that outlives us: own session, own account, and nothing inherited that a service would not have.

use crate::account::User;
use crate::clean_slate::{CleanSlate, permitted};
use nix::libc;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid, getpid, getppid, setgroups, setsid};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A program to start in a session of its own, so that a signal to our process group never reaches it, with none of our
/// descriptors, an empty standard input, and a clean slate of limits, priorities and signals.
#[derive(Debug)]
pub struct Daemon {
    program: PathBuf,
    name: Option<OsString>,
    arguments: Vec<OsString>,
    /// `None`: ours.
    environment: Option<Vec<(OsString, OsString)>>,
    account: Option<(User, u32, Vec<u32>)>,
    directory: PathBuf,
    limits: Vec<(Resource, u64)>,
    oom_score_adj: Option<i64>,
    dies_with_parent: bool,
    no_new_privileges: bool,
}

/// Where the standard output and error of a daemon go.
#[derive(Debug)]
pub enum DaemonOutput {
    /// Both to this file.
    File(File),
    /// Output to a pipe that is returned, error to /dev/null.
    Pipe,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

impl End {
    /// In words that follow "ended".
    pub fn how(self) -> String {
        match self {
            Self::Exited(_) => format!("with {self}"),
            Self::Signaled(_) => format!("by {self}"),
        }
    }
}

impl Daemon {
    /// A daemon of this program, as root, in `/`, with our environment.
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            name: None,
            arguments: Vec::new(),
            environment: None,
            account: None,
            directory: PathBuf::from("/"),
            limits: Vec::new(),
            oom_score_adj: None,
            dies_with_parent: false,
            no_new_privileges: false,
        }
    }

    /// What `ps` shows instead of the program's path.
    #[must_use]
    pub fn name(mut self, name: impl Into<OsString>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Replaces the environment.
    #[must_use]
    pub fn environment(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.environment = Some(variables);
        self
    }

    /// Runs it under this account, with group `gid` and these further groups.
    #[must_use]
    pub fn account(mut self, user: User, gid: u32, groups: Vec<u32>) -> Self {
        self.account = Some((user, gid, groups));
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        self.directory = PathBuf::from(directory);
        self
    }

    /// Raises the limit of open files to `count`, as far as this machine permits.
    #[must_use]
    pub fn open_files(mut self, count: u64) -> Self {
        self.limits.push((Resource::RLIMIT_NOFILE, count));
        self
    }

    /// Permits it to lock any amount of memory, as far as this machine permits.
    #[must_use]
    pub fn locked_memory_unlimited(mut self) -> Self {
        self.limits.push((Resource::RLIMIT_MEMLOCK, RLIM_INFINITY));
        self
    }

    /// How willingly the kernel kills it when memory runs out: -1000 (never) to 1000.
    #[must_use]
    pub fn oom_score_adj(mut self, value: i64) -> Self {
        self.oom_score_adj = Some(value);
        self
    }

    /// Has the kernel kill it when the thread that starts it ends, and with it our process.
    #[must_use]
    pub const fn die_with_parent(mut self) -> Self {
        self.dies_with_parent = true;
        self
    }

    /// Whatever it executes gets no more rights than it has: set-user-id bits and file capabilities are ignored (`no_new_privs`), and no
    /// capability can ever come back (an empty bounding set). For a daemon with an account of its own.
    #[must_use]
    pub fn no_new_privileges(mut self) -> Self {
        self.no_new_privileges = true;
        self
    }

    /// What this machine will refuse: a sentence for each limit that cannot be raised as asked. Worth a warning, no more.
    pub fn refused_limits(&self) -> Vec<String> {
        self.limits
            .iter()
            .filter_map(|(resource, wanted)| {
                let (_, hard) = getrlimit(*resource).ok()?;
                // CAP_SYS_RESOURCE may be missing (containers), and the kernel's own ceiling may be lower.
                let permitted = permitted(*resource, *wanted, hard);
                (permitted < *wanted).then(|| {
                    format!(
                        "{resource:?} can only be raised to {permitted}, not to {}",
                        limit_name(*wanted)
                    )
                })
            })
            .collect()
    }

    /// Starts it. Returns its pid and, with [`DaemonOutput::Pipe`], the reading end of its standard output.
    #[allow(clippy::disallowed_methods)] // not waited for
    pub fn spawn(&self, output: DaemonOutput) -> io::Result<(i32, Option<OwnedFd>)> {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        if let Some(name) = &self.name {
            command.arg0(name);
        }
        if let Some(variables) = &self.environment {
            command
                .env_clear()
                .envs(variables.iter().map(|(name, value)| (name, value)));
        }
        match output {
            DaemonOutput::File(file) => command.stdout(file.try_clone()?).stderr(file),
            DaemonOutput::Pipe => command.stdout(Stdio::piped()).stderr(Stdio::null()),
        };
        let limits: Vec<(Resource, u64)> = self
            .limits
            .iter()
            .filter_map(|(resource, wanted)| {
                let (_, hard) = getrlimit(*resource).ok()?;
                Some((*resource, permitted(*resource, *wanted, hard)))
            })
            .collect();
        let slate = CleanSlate::prepare();
        let parent = self.dies_with_parent.then(getpid);
        let oom = self.oom_score_adj.map(|value| value.to_string());
        let account = self.account.as_ref().map(|(user, gid, groups)| {
            let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
            (Uid::from_raw(user.uid), Gid::from_raw(*gid), groups)
        });
        let no_new_privileges = self.no_new_privileges;
        // SAFETY: between fork and exec nothing but system calls on what was prepared before: no allocation, no lock, so
        // other threads of this process do not matter.
        unsafe {
            command.pre_exec(move || {
                setsid()?;
                if let Some(parent) = parent {
                    set_pdeathsig(Signal::SIGKILL)?;
                    // It may have ended before the request to end with it.
                    if getppid() != parent {
                        libc::_exit(1);
                    }
                }
                slate.apply();
                for (resource, value) in &limits {
                    // Failing here would keep the database down for a limit; refused_limits has logged it.
                    let _ = setrlimit(*resource, *value, *value);
                }
                if let Some(value) = &oom {
                    let file = libc::open(
                        c"/proc/self/oom_score_adj".as_ptr(),
                        libc::O_WRONLY | libc::O_CLOEXEC,
                    );
                    libc::write(file, value.as_ptr().cast(), value.len());
                }
                if no_new_privileges {
                    // Needs a capability that the change of account takes away.
                    drop_bounding_set()?;
                    nix::sys::prctl::set_no_new_privs()?;
                }
                if let Some((uid, gid, groups)) = &account {
                    setgroups(groups)?;
                    nix::unistd::setgid(*gid)?;
                    nix::unistd::setuid(*uid)?;
                }
                Ok(())
            });
        }
        let mut child = command.spawn()?;
        let pipe = child.stdout.take().map(OwnedFd::from);
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        Ok((pid, pipe))
    }
}

/// Empties the capability bounding set. The kernel knows some more with each release and says which is the first it does not know.
fn drop_bounding_set() -> io::Result<()> {
    const MOST: libc::c_ulong = 64;
    for capability in 0..MOST {
        // SAFETY: takes rights from this process only.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } != 0 {
            let error = io::Error::last_os_error();
            return if error.raw_os_error() == Some(libc::EINVAL) {
                Ok(())
            } else {
                Err(error)
            };
        }
    }
    Ok(())
}

fn limit_name(value: u64) -> String {
    if value == RLIM_INFINITY {
        "unlimited".into()
    } else {
        value.to_string()
    }
}

/// How the child `pid` ended; `None` while it runs. Call it for own children only.
pub fn collect(pid: i32) -> Option<End> {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, status)) => Some(End::Exited(status)),
        Ok(WaitStatus::Signaled(_, signal, _)) => Some(End::Signaled(signal as i32)),
        _ => None,
    }
}

/// Leaves the caller's session and drops its standard streams; for a daemon that we are ourselves.
pub fn detach_output() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    for number in 0..3 {
        // SAFETY: dup2 onto the three standard descriptors, which nothing in this process owns.
        if unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Signaled(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "signal {number} ({})", signal.as_str()),
                Err(_) => write!(f, "signal {number}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deadline, Process, wait_for_end};
    use std::io::Read;
    use std::time::Duration;

    fn ended(pid: i32) -> End {
        let deadline = Deadline::after(Duration::from_secs(60));
        loop {
            if let Some(end) = collect(pid) {
                return end;
            }
            assert!(deadline.pause(Duration::from_millis(5)), "the child did not end");
        }
    }

    #[test]
    fn it_has_its_own_session_and_environment() {
        let daemon = Daemon::new(Path::new("/bin/sh"))
            .args([
                "-c",
                "echo $A $HOME; cut -d' ' -f6 /proc/$$/stat; echo $$; exit 3",
            ])
            .environment(vec![("A".into(), "b".into())]);
        let (pid, pipe) = daemon.spawn(DaemonOutput::Pipe).unwrap();
        let mut text = String::new();
        File::from(pipe.unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("b\n{pid}\n{pid}\n"));
        assert_eq!(ended(pid), End::Exited(3));
        assert_eq!(ended_by_signal().to_string(), "signal 9 (SIGKILL)");
    }

    /// As a shell or a daemon may have been started: each of these was seen to reach the server.
    #[test]
    fn nothing_is_inherited_that_a_service_would_not_have() {
        const SPOILT: &str = "trap '' TERM HUP USR1; umask 077; ulimit -S -n 256; ulimit -S -f 1000; ulimit -S -t 600; \
                              exec nice -n 10 ionice -c 3 taskset 1 env --block-signal \"$@\"";
        // This test as a program of its own, because all of it would spoil the others.
        let daemon_of = |script: &str| {
            let output = crate::Command::new("/bin/sh")
                .args(["-c", script, "sh"])
                .arg(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "--nocapture",
                    "daemon::tests::a_daemon_that_shows_what_it_has",
                ])
                .env("SHOW", "1")
                .run_ok(Deadline::after(Duration::from_secs(20)))
                .unwrap();
            let text = output.text();
            text.split_once("<<<")
                .unwrap()
                .1
                .split_once(">>>")
                .unwrap()
                .0
                .to_owned()
        };
        let clean = daemon_of("exec \"$@\"");
        assert!(clean.starts_with("0022\n"), "{clean}");
        assert_eq!(daemon_of(SPOILT), clean);
    }

    #[test]
    fn a_daemon_that_shows_what_it_has() {
        const SHOW: &str = "umask; ulimit -S -n; ulimit -S -f; ulimit -S -t; nice; ionice; taskset -p $$ | cut -d: -f2; \
                            grep -E '^Sig(Blk|Ign)' /proc/self/status; cat /proc/self/timerslack_ns";
        if std::env::var_os("SHOW").is_none() {
            return;
        }
        let (_, pipe) = Daemon::new(Path::new("/bin/sh"))
            .args(["-c", SHOW])
            .spawn(DaemonOutput::Pipe)
            .unwrap();
        let mut text = String::new();
        File::from(pipe.unwrap()).read_to_string(&mut text).unwrap();
        println!("<<<{text}>>>");
    }

    fn ended_by_signal() -> End {
        let (pid, _) = Daemon::new(Path::new("/bin/sleep"))
            .args(["60"])
            .spawn(DaemonOutput::Pipe)
            .unwrap();
        let process = Process::with_pid(pid).unwrap();
        process.signal(Signal::SIGKILL).unwrap();
        wait_for_end(process, Deadline::after(Duration::from_secs(60)));
        ended(pid)
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(
            Daemon::new(Path::new("/no/such/program"))
                .spawn(DaemonOutput::Pipe)
                .is_err()
        );
    }
}
