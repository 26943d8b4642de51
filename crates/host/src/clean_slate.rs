//! What a program that outlives us must not inherit. Pacemaker hands on what it has; an operator's shell may have been given
//! limits, a priority or ignored signals. A service manager starts every service with the same, and so do we.
//!
//! Not changed: the control group (a service of its own would need systemd) and `oom_score_adj`, which [`crate::daemon`] sets.

use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;
use std::fs;

/// The soft limit of open files that systemd gives; some programs close every possible descriptor.
const OPEN_FILES: u64 = 1024;
/// The kernel's own.
const TIMER_SLACK_NS: libc::c_ulong = 50_000;
const IOPRIO_WHO_PROCESS: libc::c_long = 1;
const HIGHEST_SIGNAL: libc::c_int = 64;

const LIMITS: [Resource; 16] = [
    Resource::RLIMIT_AS,
    Resource::RLIMIT_CORE,
    Resource::RLIMIT_CPU,
    Resource::RLIMIT_DATA,
    Resource::RLIMIT_FSIZE,
    Resource::RLIMIT_LOCKS,
    Resource::RLIMIT_MEMLOCK,
    Resource::RLIMIT_MSGQUEUE,
    Resource::RLIMIT_NICE,
    Resource::RLIMIT_NOFILE,
    Resource::RLIMIT_NPROC,
    Resource::RLIMIT_RSS,
    Resource::RLIMIT_RTPRIO,
    Resource::RLIMIT_RTTIME,
    Resource::RLIMIT_SIGPENDING,
    Resource::RLIMIT_STACK,
];

/// Prepared before the fork, so that applying it is nothing but system calls.
#[derive(Debug)]
pub(crate) struct CleanSlate {
    /// Limit, soft and hard.
    limits: Vec<(Resource, u64, u64)>,
    processors: Option<CpuSet>,
    highest_descriptor: i32,
}

impl CleanSlate {
    /// Limits and processors are those of the machine's first process, from which services have them.
    pub(crate) fn prepare() -> Self {
        let descriptors = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        Self {
            limits: LIMITS
                .into_iter()
                .filter_map(|resource| {
                    let (soft, hard) = limit_of_init(resource)?;
                    let (_, ours) = getrlimit(resource).ok()?;
                    let hard = permitted(resource, hard, ours);
                    let soft = match resource {
                        Resource::RLIMIT_NOFILE => soft.min(OPEN_FILES),
                        _ => soft,
                    };
                    Some((resource, soft.min(hard), hard))
                })
                .collect(),
            processors: sched_getaffinity(Pid::from_raw(1)).ok(),
            highest_descriptor: descriptors
                .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
                .max()
                .unwrap_or(2),
        }
    }

    /// In the child. A refusal is no reason not to start: a container may lack the capability.
    pub(crate) fn apply(&self) {
        for (resource, soft, hard) in &self.limits {
            let _ = setrlimit(*resource, *soft, *hard);
        }
        if let Some(processors) = &self.processors {
            let _ = sched_setaffinity(Pid::from_raw(0), processors);
        }
        // SAFETY: system calls that change only this process and take numbers, or pointers to values on this stack that
        // they do not keep; none allocates.
        unsafe {
            let priority: libc::c_int = 0;
            // musl's own function does nothing.
            libc::syscall(
                libc::SYS_sched_setscheduler,
                0,
                libc::SCHED_OTHER,
                &raw const priority,
            );
            libc::setpriority(libc::PRIO_PROCESS, 0, 0);
            libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0);
            libc::syscall(libc::SYS_set_mempolicy, 0, 0, 0);
            libc::prctl(libc::PR_SET_TIMERSLACK, TIMER_SLACK_NS);
            libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0);
            libc::personality(0);
            libc::umask(0o022);
            for signal in 1..=HIGHEST_SIGNAL {
                libc::signal(signal, libc::SIG_DFL);
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            // Our caller may have left descriptors open, such as a pipe that another process waits on.
            for descriptor in 3..=self.highest_descriptor {
                libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
}

/// Soft and hard limit of the first process; `None` where we may not ask.
fn limit_of_init(resource: Resource) -> Option<(u64, u64)> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes into `limit`, which outlives the call, and sets nothing.
    let answer = unsafe { libc::prlimit(1, resource as _, std::ptr::null(), &raw mut limit) };
    (answer == 0).then_some((limit.rlim_cur, limit.rlim_max))
}

/// The hard limit that this machine lets us have, when `hard` is ours.
pub(crate) fn permitted(resource: Resource, wanted: u64, hard: u64) -> u64 {
    if wanted <= hard {
        return wanted;
    }
    // Raising a hard limit takes a capability. Whether we have it is found out by raising our own by nothing but that.
    let soft = getrlimit(resource).map_or(hard, |(soft, _)| soft);
    match setrlimit(resource, soft, wanted) {
        Ok(()) => wanted,
        Err(_) => hard,
    }
}
