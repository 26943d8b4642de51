//! The start commands: checks that come before the ports, then signals until the end.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{AccessFlags, access};
use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;
use time::OffsetDateTime;

use crate::log::Log;
use crate::node::{Node, Phase};
use crate::options::Options;
use crate::settings::Settings;
use crate::store::{Store, describe};
use crate::tls::Security;
use crate::{engine, environment, shutdown};

/// A signal before this moment after exec kills: the real server has no handlers yet.
const HANDLERS_AFTER: Duration = Duration::from_millis(60);
/// The cluster settings that differ from their defaults.
const SETTINGS: &str = "standin.cluster-settings";

/// Where Go programs look for the time zone database.
const TIME_ZONES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// The time zone that the server loads at start to see whether there are any.
const SOME_TIME_ZONE: &str = "America/New_York";

/// Runs a server until it ends. Returns only with an error that was found before the ports were opened.
pub(crate) fn run(mode: &'static str, args: &[String]) -> Result<(), String> {
    let began = Instant::now();
    let options = Options::parse(mode, args, environment)?;
    if options.background {
        return crate::background::run(mode, args);
    }
    // Held until the process ends.
    std::mem::forget(vec![1_u8; options.faults.memory_mib << 20]);
    if let Some(code) = options.faults.exit_at_start {
        std::process::exit(code);
    }
    // What the server writes is not for everybody: as the real one, whatever the caller's mask allows.
    umask(umask(Mode::empty()) | Mode::from_bits_truncate(0o007));
    let node = Arc::new(prepare(options)?);
    thread::sleep(HANDLERS_AFTER.saturating_sub(began.elapsed()));
    let signals = Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGABRT]);
    let mut signals = signals.map_err(|error| format!("cannot install signal handlers: {error}"))?;
    let shared = node.clone();
    thread::spawn(move || engine::run(&shared));
    obey(&node, &mut signals)
}

/// Everything that is checked before a port is opened.
fn prepare(options: Options) -> Result<Node, String> {
    let store = Store {
        path: options.store.clone(),
    };
    make_directory(&store.path)?;
    if access(&store.path, AccessFlags::W_OK | AccessFlags::X_OK) == Err(nix::errno::Errno::EACCES) {
        return Err(format!("open {}: permission denied", store.path.display()));
    }
    make_directory(&options.log_dir)?;
    let log = Log::open(&options.log_dir, options.log_to_stderr);
    log.info(&format!(
        "kwbase {} starting as {}",
        crate::version::VERSION,
        options.mode
    ));
    enough_files()?;
    if let Some(alert) = store.critical_alert()? {
        log.fatal(&format!(
            "startup forbidden by {}:\n\n{alert}",
            store.file("auxiliary").display()
        ));
    }
    let noted = |error: String| {
        log.error(&error);
        error
    };
    if !TIME_ZONES
        .iter()
        .any(|directory| Path::new(directory).join(SOME_TIME_ZONE).exists())
    {
        return Err(noted(
            "unable to load named timezones\nCheck that the time zone database is installed on your system, or set the \
             ZONEINFO environment variable to a Go time zone .zip archive."
                .to_owned(),
        ));
    }
    store.clean_temporary().map_err(noted)?;
    let check_modes = environment("KWBASE_SKIP_KEY_PERMISSION_CHECK").as_deref() != Some("true");
    let security = options.certs_dir.as_deref().map(|directory| {
        Security::load(directory, check_modes).map_err(|error| {
            noted(format!(
                "cannot load certificates.\nCheck your certificate settings, set --certs-dir, or use --insecure for \
                 insecure clusters.\n\n{error}"
            ))
        })
    });
    let security = security.transpose()?;
    let settings = Settings::load(store.file(SETTINGS))
        .map_err(|error| noted(describe("open", &store.file(SETTINGS), &error)))?;
    make_directory(&options.temp_dir)?;
    let temporary = store.make_temporary(&options.temp_dir).map_err(noted)?;
    Ok(Node::new(options, store, log, security, settings, temporary))
}

/// The real server refuses less, whatever it would need.
fn enough_files() -> Result<(), String> {
    const LEAST: u64 = 1956;
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((_, hard)) if hard < LEAST => Err(format!(
            "hard open file descriptor limit of {hard} is under the minimum required {LEAST}"
        )),
        _ => Ok(()),
    }
}

fn make_directory(path: &Path) -> Result<(), String> {
    match fs::create_dir_all(path) {
        // A file system that went read-only is for the log to notice.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        Err(error) => Err(describe("mkdir", path, &error)),
        Ok(()) => Ok(()),
    }
}

/// Handles signals until the process ends.
fn obey(node: &Arc<Node>, signals: &mut Signals) -> ! {
    let mut draining = false;
    loop {
        let arrived = signals.wait();
        thread::sleep(node.options.faults.signal_delay);
        for signal in arrived {
            take(node, signal, &mut draining);
        }
    }
}

fn take(node: &Arc<Node>, signal: i32, draining: &mut bool) {
    match signal {
        SIGHUP => reload(node),
        SIGUSR1 => dump(node),
        SIGABRT => swallow_abort(node),
        SIGTERM if node.options.faults.ignore_sigterm => {
            node.log.info("SIGTERM is ignored, as asked for");
        }
        SIGTERM | SIGINT | SIGQUIT if *draining => {
            node.log.info(&format!(
                    "received signal {signal} during shutdown, initiating hard shutdown - node may take longer to restart"
                ));
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
        SIGTERM | SIGINT | SIGQUIT => {
            let code = i32::from(signal == SIGINT);
            node.log.info(&format!("received signal {signal}"));
            if node.phase() < Phase::Ready {
                node.log.info("too early to drain; used hard shutdown instead");
                let _ = node.temporary.remove();
                std::process::exit(code);
            }
            *draining = true;
            let shared = node.clone();
            thread::spawn(move || {
                shutdown::drain(&shared);
                shutdown::close(&shared);
                shutdown::end(&shared, code);
            });
        }
        _ => {}
    }
}

fn reload(node: &Node) {
    let Some(security) = &node.security else { return };
    match security.reload() {
        Ok(()) => node.log.info("successfully reloaded certificates"),
        Err(error) => node.log.warning(&format!(
            "could not reload certificates: reload would lose valid node cert: {error}"
        )),
    }
}

/// The first one from outside ends nothing: the real server writes this file and goes on.
fn swallow_abort(node: &Node) {
    let path = node.store.file("errlog.log");
    if path.exists() {
        let _ = signal_hook::low_level::emulate_default_handler(SIGABRT);
    }
    if let Err(error) = fs::write(&path, "signal 6\n") {
        node.log.warning(&describe("write", &path, &error));
    }
}

/// Writes what the threads are doing, where the real server writes its goroutines.
fn dump(node: &Node) {
    let millis = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    let mut text = format!("phase {:?}, {} sessions\n", node.phase(), node.sessions.count());
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let field = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let state = field("stat");
        let state = state
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap_or("?")
            .to_owned();
        let line = [
            field("comm").trim().to_owned(),
            state,
            field("wchan").trim().to_owned(),
        ]
        .join(" ");
        let _ = writeln!(text, "thread {} {line}", task.file_name().to_string_lossy());
    }
    let path = node.store.file(&format!("goroutine_backtrace.{millis}.txt"));
    if let Err(error) = fs::write(&path, text) {
        node.log.warning(&describe("write", &path, &error));
    }
}
