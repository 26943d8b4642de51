//! A server under test in a directory of its own, and the ways to talk to it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;

/// Any of the waits below: generous, because the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What the stores of all tests that run at the same time may need, in bytes.
const ROOM: u64 = 2 << 30;
/// The ordinary user that servers run as when the tests run as root.
const USER: u32 = 65_534;

/// The program under test, as the ordinary user if `as_user`.
pub(crate) fn kwbase(as_user: bool) -> Command {
    if as_user && geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            format!("--reuid={USER}"),
            format!("--regid={USER}"),
            "--clear-groups".into(),
        ]);
        command.arg(program());
        return command;
    }
    Command::new(program())
}

/// The binary, in a place where every user may execute it.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // Programs cannot always be run from memory.
        let place = directory_in(&std::env::temp_dir());
        let path = place.path().join("kwbase");
        fs::copy(env!("CARGO_BIN_EXE_kwbase"), &path).unwrap();
        // Lives as long as the test process; removed by `sweep`.
        keep(place);
        path
    })
}

/// Keeps a directory until the test process ends; then a child that waits for that removes it.
fn keep(place: TempDir) {
    let path = place.keep();
    let script = format!(
        "while kill -0 {} 2>/dev/null; do sleep 0.2; done; rm -rf '{}'",
        std::process::id(),
        path.display()
    );
    let mut remover = Command::new("setsid");
    remover.args(["--fork", "sh", "-c", &script]);
    remover
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    assert!(remover.status().unwrap().success());
}

/// A temporary directory that the ordinary user may use.
pub(crate) fn directory() -> TempDir {
    // In memory where there is room: copying stores is what takes the time of these tests.
    let memory = Path::new("/dev/shm");
    let room = statvfs(memory).is_ok_and(|space| space.blocks_available() * space.fragment_size() > ROOM);
    if room {
        directory_in(memory)
    } else {
        directory_in(&std::env::temp_dir())
    }
}

fn directory_in(place: &Path) -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("kwbase-standin-")
        .tempdir_in(place)
        .unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if geteuid().is_root() {
        chown(directory.path(), Some(USER), Some(USER)).unwrap();
    }
    directory
}

/// Waits until `probe` gives something.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A port that nobody has and that nobody gets by chance: it is below those that the kernel gives to connections. One of those,
/// free a moment ago, may be another test's connection when the server comes to it.
fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Another run of these tests, at the same time, begins elsewhere.
        let next = std::process::id()
            .wrapping_mul(101)
            .wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from(next % COUNT).unwrap();
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
}

/// How to start a server.
pub(crate) struct Setup {
    directory: TempDir,
    pub(crate) store: PathBuf,
    pub(crate) sql_port: u16,
    pub(crate) http_port: u16,
    certs: Option<PathBuf>,
    as_user: bool,
    variables: Vec<(&'static str, String)>,
    flags: Vec<String>,
}

impl Setup {
    /// A server with an empty directory.
    pub(crate) fn empty() -> Self {
        let directory = directory();
        Self {
            store: directory.path().join("store"),
            directory,
            sql_port: free_port(),
            http_port: free_port(),
            certs: None,
            as_user: true,
            variables: Vec::new(),
            flags: Vec::new(),
        }
        .with("DRAIN_SECONDS", "0.2")
    }

    /// A server with a store that was made and stopped before.
    pub(crate) fn existing() -> Self {
        static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let setup = Self::empty();
            let mut server = setup.start();
            server.wait_for_sql();
            assert_eq!(server.stop().code(), Some(0));
            drop(server);
            let path = setup.store.clone();
            keep(setup.directory);
            path
        });
        let setup = Self::empty();
        assert!(
            Command::new("cp")
                .arg("-a")
                .args([template, &setup.store])
                .status()
                .unwrap()
                .success()
        );
        // What a test finds in the log, its own server has written.
        fs::remove_dir_all(setup.store.join("logs")).unwrap();
        setup
    }

    /// Sets a fault.
    pub(crate) fn with(mut self, fault: &str, value: &str) -> Self {
        let name: &'static str = format!("KWBASE_STANDIN_{fault}").leak();
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Runs the server in secure mode.
    pub(crate) fn secure(mut self, certs: &Path) -> Self {
        self.certs = Some(certs.to_owned());
        self
    }

    /// Runs the server in insecure mode again.
    pub(crate) fn insecure(mut self) -> Self {
        self.certs = None;
        self
    }

    /// Runs the server as the user of the tests, which must be root.
    pub(crate) fn run_as_root(mut self) -> Self {
        assert!(geteuid().is_root(), "this test must run as root");
        self.as_user = false;
        self
    }

    /// Uses this directory for the store.
    pub(crate) fn store_at(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.store);
        self
    }

    /// A directory beside the store that vanishes with it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The command that starts the server.
    pub(crate) fn command(&self) -> Command {
        let mut command = kwbase(self.as_user);
        command.arg("start-single-node");
        match &self.certs {
            Some(certs) => command.arg(format!("--certs-dir={}", certs.display())),
            None => command.arg("--insecure"),
        };
        command
            .arg(format!("--listen-addr=127.0.0.1:{}", self.sql_port))
            .arg(format!("--http-addr=127.0.0.1:{}", self.http_port))
            .arg(format!("--store={}", self.store.display()))
            .args(&self.flags)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Starts the server without waiting for anything.
    pub(crate) fn start(&self) -> Server<'_> {
        let errors = fs::File::create(self.beside("stderr")).unwrap();
        let child = self.command().stderr(errors).spawn().unwrap();
        Server {
            setup: self,
            child,
            began: Instant::now(),
        }
    }

    /// Starts the server and waits until SQL answers.
    pub(crate) fn serve(&self) -> Server<'_> {
        let mut server = self.start();
        server.wait_for_sql();
        server
    }

    /// Starts a server that must end by itself, soon; returns its exit code and what it wrote to stderr.
    pub(crate) fn fails(&self) -> (Option<i32>, String) {
        let mut server = self.start();
        let status = server.wait();
        (status.code(), server.errors())
    }

    pub(crate) fn sql_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.sql_port).into()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.store.join("logs/kwbase.log")).unwrap_or_default()
    }

    /// Runs SQL through `kwbase sql`.
    pub(crate) fn sql(&self, statement: &str) -> Output {
        let mut command = kwbase(self.as_user);
        command
            .args(["sql", "-e", statement])
            .env("KWBASE_CONNECT_TIMEOUT", PATIENCE.as_secs().to_string());
        command.arg(format!("--host=localhost:{}", self.sql_port));
        match &self.certs {
            Some(certs) => command.arg(format!("--certs-dir={}", certs.display())),
            None => command.arg("--insecure"),
        };
        command.output().unwrap()
    }

    /// The last line that `statement` prints; it must succeed.
    pub(crate) fn value(&self, statement: &str) -> String {
        let output = self.sql(statement);
        assert!(output.status.success(), "{statement}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// Waits until a session runs this statement.
    pub(crate) fn wait_for_query(&self, query: &str) {
        let running =
            format!("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{query}'");
        eventually(query, || (self.value(&running) == "1").then_some(()));
    }

    /// Asks the HTTP port in clear; returns status and body, or `None` when the server refuses or hangs up.
    pub(crate) fn http(&self, path: &str) -> Option<(u16, String)> {
        self.http_within(path, PATIENCE)
    }

    /// Whether nothing answers at the HTTP port for a second.
    pub(crate) fn is_silent(&self) -> bool {
        self.http_within("/health?ready=1", Duration::from_secs(1))
            .is_none()
    }

    fn http_within(&self, path: &str, limit: Duration) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http_port)).ok()?;
        stream.set_read_timeout(Some(limit)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
            self.http_port
        )
        .ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let status = text.split(' ').nth(1)?.parse().ok()?;
        Some((status, text))
    }

    /// Waits until the log has these words so often.
    pub(crate) fn wait_for_log(&self, words: &str, times: usize) {
        eventually(words, || {
            (self.log().matches(words).count() >= times).then_some(())
        });
    }

    pub(crate) fn status(&self, path: &str) -> Option<u16> {
        self.http(path).map(|(status, _)| status)
    }

    /// PostgreSQL processes that still use the store.
    pub(crate) fn postgres(&self) -> Vec<i32> {
        let data = self.store.join("pg");
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == data))
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    }
}

/// A running server; dropped, it is killed and nothing of it remains.
pub(crate) struct Server<'a> {
    setup: &'a Setup,
    child: Child,
    pub(crate) began: Instant,
}

impl Server<'_> {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// What it wrote to stderr.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(self.setup.beside("stderr")).unwrap()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the process has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the server ends", || child.try_wait().unwrap())
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    pub(crate) fn wait_for_sql(&mut self) {
        let setup = self.setup;
        eventually("SQL answers", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "the server ended with {status}: {}\n{}",
                    self.errors(),
                    setup.log()
                );
            }
            // The late page exists only when SQL follows at once; in secure mode it is not to be had in clear.
            let path = if setup.certs.is_some() {
                "/health?ready=1"
            } else {
                "/_admin/v1/health?ready=1"
            };
            (setup.status(path) == Some(200)).then_some(())
        });
        assert_eq!(setup.value("SELECT 1"), "1");
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = kill(self.pid(), Signal::SIGCONT);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // A store of another test's server may go on being served.
        if !thread::panicking() && self.setup.store.starts_with(self.setup.directory.path()) {
            eventually("PostgreSQL is gone", || {
                self.setup.postgres().is_empty().then_some(())
            });
        }
    }
}

/// The signal that ended a process.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}
