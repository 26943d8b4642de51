//! What all threads of the server share: its phase, its options and its parts.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::log::Log;
use crate::options::Options;
use crate::own::Own;
use crate::postgres::Postgres;
use crate::series::Series;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::store::Store;
use crate::temporary::Temporary;
use crate::tls::Security;

/// How old the last heartbeat may be before the node calls itself unhealthy.
const LIVENESS: Duration = Duration::from_secs(20);

/// The life of a server, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Ports are open, the storage engine is not.
    Starting,
    /// The engine is open, the node is not live yet.
    Unhealthy,
    /// `/health?ready=1` answers 200; SQL follows a little later.
    Ready,
    /// SQL is served.
    Serving,
    /// Asked to drain: clients are sent away.
    Draining,
    /// Ports are closed, the engine is closing.
    Closing,
}

/// Where the server can be reached, as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) listen: String,
    pub(crate) advertise: String,
    pub(crate) sql: String,
    pub(crate) advertise_sql: String,
    pub(crate) http: String,
}

/// The server.
pub(crate) struct Node {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) log: Log,
    pub(crate) security: Option<Security>,
    pub(crate) settings: Settings,
    pub(crate) sessions: Sessions,
    pub(crate) own: Own,
    pub(crate) series: Series,
    /// Set once the engine is open.
    pub(crate) postgres: OnceLock<Postgres>,
    /// Process id of the running PostgreSQL, set with `postgres`.
    pub(crate) postgres_pid: OnceLock<i32>,
    pub(crate) started: Instant,
    pub(crate) temporary: Temporary,
    /// Known once the ports are open.
    pub(crate) addresses: OnceLock<Addresses>,
    /// The unix socket of `--socket-dir`.
    pub(crate) socket_file: OnceLock<PathBuf>,
    listeners: Mutex<Vec<OwnedFd>>,
    phase: Mutex<Phase>,
    phase_changed: Condvar,
    postgres_ended: Mutex<bool>,
    postgres_end: Condvar,
    /// `/_admin/v1/health` and `/_status/vars` come late.
    pub(crate) late_pages: AtomicBool,
    hung: AtomicBool,
    last_beat: AtomicU64,
}

impl Node {
    pub(crate) fn new(
        options: Options,
        store: Store,
        log: Log,
        security: Option<Security>,
        settings: Settings,
        temporary: Temporary,
    ) -> Self {
        Self {
            options,
            store,
            log,
            security,
            settings,
            sessions: Sessions::default(),
            own: Own::default(),
            series: Series::default(),
            postgres: OnceLock::new(),
            postgres_pid: OnceLock::new(),
            started: Instant::now(),
            temporary,
            addresses: OnceLock::new(),
            socket_file: OnceLock::new(),
            listeners: Mutex::default(),
            postgres_ended: Mutex::new(false),
            postgres_end: Condvar::new(),
            phase: Mutex::new(Phase::Starting),
            phase_changed: Condvar::new(),
            late_pages: AtomicBool::new(false),
            hung: AtomicBool::new(false),
            last_beat: AtomicU64::new(0),
        }
    }

    /// Descriptors of the listening sockets.
    pub(crate) fn listeners(&self) -> MutexGuard<'_, Vec<OwnedFd>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses; empty before the ports are open.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.get().cloned().unwrap_or_default()
    }

    /// Notes that PostgreSQL has ended and is reaped.
    pub(crate) fn postgres_has_ended(&self) {
        *self.postgres_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.postgres_end.notify_all();
    }

    /// Runs `stop` if PostgreSQL has not ended, and waits, as long as it takes, until it has.
    pub(crate) fn end_postgres(&self, stop: impl FnOnce()) {
        let ended = self.postgres_ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !*ended {
            stop();
        }
        drop(self.postgres_end.wait_while(ended, |ended| !*ended));
    }

    pub(crate) fn remove_socket_file(&self) {
        if let Some(path) = self.socket_file.get() {
            let _ = fs::remove_file(path);
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves on to `next` and tells whether it did: a phase never goes back.
    pub(crate) fn advance(&self, next: Phase) -> bool {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = *phase < next;
        if moves {
            *phase = next;
            self.phase_changed.notify_all();
        }
        moves
    }

    /// Waits, as long as it takes, until the phase is at least `wanted`.
    pub(crate) fn wait_for(&self, wanted: Phase) {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.phase_changed.wait_while(phase, |phase| *phase < wanted));
    }

    /// Waits at most `limit` until the phase is at least `wanted`, and tells whether it is.
    pub(crate) fn reaches(&self, wanted: Phase, limit: Duration) -> bool {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .phase_changed
            .wait_timeout_while(phase, limit, |phase| *phase < wanted);
        *waited.unwrap_or_else(PoisonError::into_inner).0 >= wanted
    }

    /// From now on nothing answers.
    pub(crate) fn hang(&self) {
        self.log
            .warning("KWBASE_STANDIN_HANG_AFTER_READY: from now on nothing answers");
        self.hung.store(true, Ordering::SeqCst);
    }

    /// Every thread that would answer somebody passes here first; while the server hangs it never returns.
    pub(crate) fn answer_gate(&self) {
        while self.hung.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_secs(3600));
        }
    }

    fn since_start(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes that the store took a write.
    pub(crate) fn beat(&self) {
        self.last_beat.store(self.since_start(), Ordering::SeqCst);
    }

    /// Time since the store last took a write.
    pub(crate) fn last_beat(&self) -> Duration {
        Duration::from_millis(
            self.since_start()
                .saturating_sub(self.last_beat.load(Ordering::SeqCst)),
        )
    }

    /// `None` when the node is ready; otherwise what `/health?ready=1` says.
    pub(crate) fn not_ready(&self) -> Option<&'static str> {
        match self.phase() {
            Phase::Starting => Some("node is waiting for cluster initialization"),
            Phase::Draining | Phase::Closing => Some("node is shutting down"),
            Phase::Unhealthy => Some("node is not healthy"),
            Phase::Ready | Phase::Serving if self.last_beat() > LIVENESS => Some("node is not healthy"),
            Phase::Ready | Phase::Serving => None,
        }
    }
}
