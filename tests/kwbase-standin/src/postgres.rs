//! The PostgreSQL server behind the stand-in: where it is, how its data directory is made, its process.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::client::protocol::Connection;
use crate::store::POSTGRES;
use crate::{leftovers, passwd, version};

/// Where Debian keeps its PostgreSQL versions, one directory each.
const INSTALLED: &str = "/usr/lib/postgresql";
/// How long one run of initdb or of the single-user server may take; a small emulated machine needs about 20 s.
const BOOTSTRAP_LIMIT: Duration = Duration::from_secs(300);
/// How long crash recovery may take before the start counts as failed: as long as the vendor's installer waits.
const RECOVERY_LIMIT: Duration = Duration::from_secs(600);

/// The first version that can sync the whole file system before it recovers.
const SYNCFS_SINCE: u32 = 14;
/// The line of `postmaster.pid`, from 0, that holds the server's status.
const STATUS_LINE: usize = 7;

/// A PostgreSQL data directory and the program that serves it.
pub(crate) struct Postgres {
    version: u32,
    programs: PathBuf,
    data: PathBuf,
    log: PathBuf,
    /// The user and group it must run as, because PostgreSQL refuses root.
    run_as: Option<(u32, u32)>,
}

impl Postgres {
    /// Finds the programs that fit the store: of the version that made it, or the newest for a new one.
    pub(crate) fn find(store: &Path, logs: &Path) -> Result<Self> {
        let data = store.join(POSTGRES);
        let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
        let mut versions: Vec<u32> = fs::read_dir(INSTALLED)
            .with_context(|| format!("PostgreSQL is not installed: cannot read {INSTALLED}"))?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|version| {
                Path::new(INSTALLED)
                    .join(format!("{version}/bin/postgres"))
                    .exists()
            })
            .collect();
        versions.sort_unstable();
        let version = match made_by.as_deref().map(str::trim) {
            Some(wanted) => {
                let found = versions.iter().find(|version| version.to_string() == wanted);
                found.with_context(|| {
                    format!("this store was made with PostgreSQL {wanted}, which is not in {INSTALLED}")
                })?
            }
            None => versions
                .last()
                .with_context(|| format!("no PostgreSQL server in {INSTALLED}"))?,
        };
        Ok(Self {
            version: *version,
            programs: Path::new(INSTALLED).join(format!("{version}/bin")),
            data,
            log: logs.join("postgresql.log"),
            run_as: geteuid()
                .is_root()
                .then(|| passwd::database_user(store))
                .transpose()?,
        })
    }

    /// Makes the data directory of a new store. It is made under another name, so that an interrupted try leaves nothing
    /// that looks like a store.
    pub(crate) fn create(&self) -> Result<()> {
        let fresh = self.data.with_extension("bootstrap");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).with_context(|| format!("cannot remove {}", fresh.display()))?;
        }
        fs::create_dir(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o700))?;
        if let Some((user, group)) = self.run_as {
            chown(&fresh, Some(user), Some(group))?;
        }
        let mut initdb = self.command("initdb");
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--username=root",
            "--locale=C",
            "--encoding=UTF8",
        ]);
        initdb.args(["--wal-segsize=1", "-D"]).arg(&fresh);
        self.run(initdb, "")?;
        let mut single = self.command("postgres");
        single.args(["--single", "-F", "-D"]).arg(&fresh).arg("template1");
        self.run(single, include_str!("bootstrap.sql"))?;
        fs::rename(&fresh, &self.data).context("cannot put the new data directory in place")
    }

    /// Ends what an earlier run left behind.
    pub(crate) fn clear_leftovers(&self) -> Result<()> {
        leftovers::clear(&self.data)
    }

    /// Starts the server. It dies with the calling *thread* (`PR_SET_PDEATHSIG`), which must therefore never end.
    pub(crate) fn spawn(&self, cluster_id: &str) -> Result<Child> {
        self.own_data()?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o640)
            .open(&self.log)
            .with_context(|| format!("cannot open {}", self.log.display()))?;
        let mut server = self.command("postgres");
        server.arg("-D").arg(&self.data);
        for setting in [
            "listen_addresses=",
            // Relative to the data directory: a socket's path has little room.
            "unix_socket_directories=.",
            "port=5432",
            "max_connections=200",
            "shared_buffers=16MB",
            "huge_pages=off",
            "dynamic_shared_memory_type=mmap",
            "wal_level=minimal",
            "max_wal_senders=0",
            "max_logical_replication_workers=0",
            "max_parallel_workers=0",
            "restart_after_crash=off",
            "jit=off",
            "logging_collector=off",
            "log_timezone=UTC",
            "timezone=UTC",
            "password_encryption=scram-sha-256",
            // Before pg_catalog, so that version() is the stand-in's.
            "search_path=\"$user\",public,crdb_internal,pg_catalog",
        ] {
            server.arg("-c").arg(setting);
        }
        if self.version >= SYNCFS_SINCE {
            // Instead of one fsync for each of a thousand files, after every crash.
            server.args(["-c", "recovery_init_sync_method=syncfs"]);
        }
        server.arg("-c").arg(format!("kwbase.cluster_id={cluster_id}"));
        server.arg("-c").arg(format!("kwbase.version={}", version::sql()));
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        server.spawn().context("cannot start PostgreSQL")
    }

    /// Waits until the server answers; an error when it ends first.
    pub(crate) fn wait_ready(&self, child: &mut Child) -> Result<()> {
        let deadline = Instant::now() + RECOVERY_LIMIT;
        loop {
            if let Some(status) = child.try_wait()? {
                bail!(
                    "PostgreSQL ended with {status} while starting: {}",
                    self.last_words()
                );
            }
            if self.says_ready() {
                return self.administrator("postgres").map(drop);
            }
            if Instant::now() > deadline {
                bail!(
                    "PostgreSQL did not become ready within {} s",
                    RECOVERY_LIMIT.as_secs()
                );
            }
            thread::sleep(Duration::from_millis(3));
        }
    }

    /// Whether the server has written that it accepts connections. Asking it by connecting would cost a process each time.
    fn says_ready(&self) -> bool {
        let status = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        status
            .lines()
            .nth(STATUS_LINE)
            .is_some_and(|line| line.trim() == "ready")
    }

    /// A connection to the server's socket.
    pub(crate) fn connect(&self) -> std::io::Result<UnixStream> {
        // Through a descriptor of the directory, because the whole path may be too long for a socket address.
        let directory = fs::File::open(&self.data)?;
        UnixStream::connect(format!("/proc/self/fd/{}/.s.PGSQL.5432", directory.as_raw_fd()))
    }

    /// A session as the superuser `root`.
    pub(crate) fn administrator(&self, database: &str) -> Result<Connection<UnixStream>> {
        let stream = self.connect()?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Connection::open(
            stream,
            &[("user", "root"), ("database", database)],
            None,
        )?)
    }

    /// The last line of PostgreSQL's log that tells of a failure.
    pub(crate) fn last_words(&self) -> String {
        let tail = || -> std::io::Result<String> {
            let mut file = fs::File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(8192)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = tail().unwrap_or_default();
        let telling = |line: &&str| ["PANIC:", "FATAL:"].iter().any(|word| line.contains(word));
        text.lines()
            .rev()
            .find(telling)
            .or(text.lines().last())
            .unwrap_or("its log is empty")
            .to_owned()
    }

    /// Gives the data directory to the user that PostgreSQL runs as.
    fn own_data(&self) -> Result<()> {
        let Some((user, group)) = self.run_as else {
            return Ok(());
        };
        if fs::metadata(&self.data)?.uid() == user {
            return Ok(());
        }
        let mut pending = vec![self.data.clone()];
        while let Some(path) = pending.pop() {
            std::os::unix::fs::lchown(&path, Some(user), Some(group))
                .with_context(|| format!("cannot change the owner of {}", path.display()))?;
            if fs::symlink_metadata(&path)?.is_dir() {
                for entry in fs::read_dir(&path)? {
                    pending.push(entry?.path());
                }
            }
        }
        Ok(())
    }

    /// A PostgreSQL program that gets SIGQUIT (an immediate shutdown) when the calling thread ends.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command.args(["--pdeathsig", "QUIT"]);
        if let Some((user, group)) = self.run_as {
            command
                .arg(format!("--reuid={user}"))
                .arg(format!("--regid={group}"))
                .arg("--clear-groups");
            // The store's parent directories may be root's alone.
            command.args(["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]);
        }
        // A signal from the terminal is for kwbase alone.
        command.arg(self.programs.join(program)).process_group(0);
        command
    }

    fn run(&self, mut command: Command, input: &str) -> Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {command:?}"))?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes())?;
        }
        let deadline = Instant::now() + BOOTSTRAP_LIMIT;
        loop {
            match child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("{command:?} ended with {status}: {}", self.last_words()),
                None if Instant::now() > deadline => {
                    child.kill()?;
                    child.wait()?;
                    bail!("{command:?} took longer than {} s", BOOTSTRAP_LIMIT.as_secs());
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}
