//! A machine of namespaces with a stock installation of the server.

use crate::call::Call;
use crate::process::{self, Process};
use crate::programs::{Programs, repository};
use crate::{release, store};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where the server's store is mounted: the default of the agent.
pub const DATA_ROOT: &str = "/var/lib/kaiwudb";
/// Where the agent is installed.
pub const AGENT: &str = "/usr/lib/ocf/resource.d/kaiwudb/kaiwudb";
/// The server program of a stock installation.
pub const BINARY: &str = "/usr/local/kaiwudb/bin/kwbase";
/// The variables that the server gets.
pub const ENVIRONMENT: &str = "/etc/kaiwudb/script/kaiwudb_env";
/// Where the certificates lie.
pub const CERTS: &str = "/etc/kaiwudb/certs";
/// What agent and sentinel write down for the resource that [`Call`] names.
pub const RUN_DIRECTORY: &str = "/run/kaiwudb-ha/KaiwuDB";
/// How long an event may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The service user's and group's number.
pub const SERVICE_ID: u32 = 1987;

/// Directories that a machine may change without changing the host.
const PRIVATE: [&str; 6] = [
    "/etc",
    "/usr/local",
    "/usr/sbin",
    "/usr/lib/ocf",
    "/var/lib",
    "/dev",
];
const TOOLS: [&str; 5] = [
    "crm_resource",
    "crm_attribute",
    "crm_node",
    "crm_mon",
    "attrd_updater",
];

/// A machine. Dropped, all its processes end, and with the test's thread its mounts go.
#[derive(Debug)]
pub struct Machine {
    init: Child,
    /// The first process ends with this pipe, which ends all others, also when the test is killed.
    life: Option<ChildStdin>,
    log: UnixDatagram,
}

/// Runs a test on a new machine, in a thread of its own, because namespaces belong to a thread. The store that a server
/// has made there is mounted.
pub fn on_a_machine<R: Send>(test: impl FnOnce(&Machine) -> R + Send) -> R {
    // Made on a machine of its own, before this thread is on one.
    let template = store::template();
    on_a_bare_machine(|machine| {
        store::mount(&store::copy_of(template));
        test(machine)
    })
}

/// As [`on_a_machine`], with nothing mounted on `DATA_ROOT`.
pub fn on_a_bare_machine<R: Send>(test: impl FnOnce(&Machine) -> R + Send) -> R {
    let programs = Programs::get();
    let result = thread::scope(|scope| scope.spawn(|| test(&Machine::new(programs))).join());
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// As [`on_a_bare_machine`], on the real Debian of the lab's image, with its Pacemaker, pcs, crmsh and DRBD tools, in no cluster. Nothing
/// of ours is installed; the source tree and the built programs are where they are here.
pub fn on_debian<R: Send>(test: impl FnOnce() -> R + Send) -> R {
    let programs = Programs::get();
    let image = release::image_or_default();
    let result = thread::scope(|scope| {
        let on_it = || {
            let _machine = Machine::of(Some(image), programs);
            test()
        };
        scope.spawn(on_it).join()
    });
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Machine {
    fn new(programs: &Programs) -> Self {
        let machine = Self::of(release::image(), programs);
        install(programs);
        machine
    }

    /// On this root tree, else on this machine's own.
    fn of(image: Option<&Path>, programs: &Programs) -> Self {
        unshare(
            CloneFlags::CLONE_NEWNS
                | CloneFlags::CLONE_NEWPID
                | CloneFlags::CLONE_NEWNET
                | CloneFlags::CLONE_NEWIPC,
        )
        .expect("root may make namespaces");
        let nothing = None::<&str>;
        mount(
            nothing,
            "/",
            nothing,
            MsFlags::MS_REC | MsFlags::MS_PRIVATE,
            nothing,
        )
        .expect("mounts become private");
        if let Some(image) = image {
            // A real one finds its libraries beside its directory.
            let depth = if programs.is_standin { 1 } else { 2 };
            let server = programs.server.ancestors().nth(depth);
            let server = server.expect("a file lies in a directory");
            release::enter(image, &[repository(), &programs.agents, server]);
        }
        empty_run();
        for directory in PRIVATE {
            overlay(directory);
        }
        let (init, life) = boot();
        let log = UnixDatagram::bind("/dev/log").expect("/dev/log is free");
        log.set_nonblocking(true)
            .expect("a socket can be read without blocking");
        Self {
            init,
            life: Some(life),
            log,
        }
    }

    /// A call of the agent.
    pub fn agent(&self, action: &str) -> Call {
        Call::new(AGENT.into(), action)
    }

    /// A recurring monitor.
    pub fn monitor(&self) -> Call {
        self.agent("monitor").every(Duration::from_secs(10))
    }

    /// A monitor that asks what runs.
    pub fn probe(&self) -> Call {
        self.agent("monitor").every(Duration::ZERO)
    }

    /// Starts the server through the agent.
    #[track_caller]
    pub fn start(&self) -> Process {
        self.agent("start").run().succeeds();
        process::server()
    }

    /// Gives the server variables; those of an earlier call are gone.
    pub fn server_variables(&self, variables: &[(&str, &str)]) {
        write_environment(variables);
    }

    /// Sends a signal to a process of the machine.
    #[track_caller]
    pub fn signal(&self, process: Process, signal: &str) {
        self.shell(&format!("kill -{signal} {}", process.0));
    }

    /// Runs a shell command on the machine; its output. It must succeed.
    #[track_caller]
    pub fn shell(&self, script: &str) -> String {
        shell(script)
    }

    /// What was said to the system log since the last call.
    pub fn log(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut buffer = [0; 8192];
        while let Ok(length) = self.log.recv(&mut buffer) {
            lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        lines
    }

    /// The calls of Pacemaker's tools that changed or asked something, without their times.
    pub fn cluster_calls(&self) -> Vec<String> {
        let text = fs::read_to_string("/run/cib.log").unwrap_or_default();
        text.lines()
            .filter_map(|line| Some(line.split_once(' ')?.1.to_owned()))
            .collect()
    }

    /// Makes certificates as the installer does, for a node with these names.
    pub fn make_certificates(&self, names: &str) {
        shell(&format!(
            "mkdir -p {CERTS}; cert() {{ {BINARY} cert \"$@\" --certs-dir={CERTS} --ca-key={CERTS}/ca.key >/dev/null; }}
             cert create-ca; cert create-node {names}; cert create-client root; chown -R kaiwudb: {CERTS}"
        ));
    }

    /// Replaces the node's certificate by one that expired yesterday.
    pub fn expire_certificates(&self) {
        shell(&format!(
            "cd {CERTS}; work=$(mktemp -d); touch $work/index; echo 4096 >$work/serial
             printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\n\
             policy=p\ncopy_extensions=copy\nx509_extensions=v\n[v]\nextendedKeyUsage=serverAuth,clientAuth\n[p]\norganizationName=optional\ncommonName=supplied\n' $work $work $work >$work/cnf
             openssl req -new -key node.key -subj /O=KWDB/CN=node -addext subjectAltName=IP:127.0.0.1 -out $work/csr
             openssl ca -batch -notext -config $work/cnf -cert ca.crt -keyfile ca.key -in $work/csr -out $work/crt \
             -startdate 20200101000000Z -enddate 20210101000000Z 2>/dev/null
             cat $work/crt >node.crt; rm -r $work"
        ));
    }

    /// From now on Pacemaker does not answer on this machine.
    pub fn leave_cluster(&self) {
        fs::remove_dir_all("/run/cib").expect("the machine was in a cluster");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.life.take());
        let _ = self.init.kill();
        let _ = self.init.wait();
    }
}

/// Waits for an event. It may take its time on a busy machine: what has to happen soon is bounded with [`wait_until`].
#[track_caller]
pub fn eventually(what: &str, condition: impl FnMut() -> bool) {
    wait_until(what, PATIENCE, condition);
}

/// Waits until `condition` holds, which must be within `limit`.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a shell command in the namespaces of this thread.
#[track_caller]
pub fn shell(script: &str) -> String {
    let output = Command::new("/bin/sh")
        .args(["-ec", script])
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    assert!(
        output.status.success(),
        "{script}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes a directory writable without changing it.
fn overlay(directory: &str) {
    assert!(
        Path::new(directory).is_dir(),
        "{directory} does not exist: the tests need Debian's resource-agents"
    );
    let name = directory.replace('/', "_");
    let (upper, work) = (
        format!("/run/overlay/{name}"),
        format!("/run/overlay/{name}.work"),
    );
    for part in [&upper, &work] {
        fs::create_dir_all(part).expect("/run can be written");
    }
    mount_overlay(Path::new(directory), [&upper, &work], directory);
}

/// Mounts an overlay over `lower`; `[upper, work]` exist and are empty.
pub(crate) fn mount_overlay(lower: &Path, [upper, work]: [&str; 2], at: &str) {
    let options = format!("lowerdir={},upperdir={upper},workdir={work}", lower.display());
    mount(
        Some("overlay"),
        at,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .unwrap_or_else(|error| panic!("cannot mount an overlay over {}: {error}", lower.display()));
}

/// Gives this thread's mounts an empty `/run` in memory.
pub(crate) fn empty_run() {
    mount(
        Some("tmpfs"),
        "/run",
        Some("tmpfs"),
        MsFlags::empty(),
        Some("mode=755"),
    )
    .expect("/run can be mounted");
}

/// Shows a file or a directory, with what is mounted in it, at another place.
pub(crate) fn bind(from: &Path, to: &str) {
    let parent = Path::new(to).parent().expect("a file lies in a directory");
    fs::create_dir_all(parent).expect("private directories can be written");
    if from.is_dir() {
        fs::create_dir_all(to).expect("private directories can be written");
    } else if !Path::new(to).exists() {
        File::create(to).expect("private directories can be written");
    }
    let nothing = None::<&str>;
    mount(
        Some(from),
        to,
        nothing,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        nothing,
    )
    .unwrap_or_else(|error| panic!("cannot show {} at {to}: {error}", from.display()));
}

/// Starts the first process; it has made /proc when this returns.
fn boot() -> (Child, ChildStdin) {
    let mut init = Command::new("/bin/sh")
        .args(["-c", include_str!("../files/init.sh")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let life = init.stdin.take().expect("its input is a pipe");
    let mut line = String::new();
    let mut words = BufReader::new(init.stdout.take().expect("its output is a pipe"));
    words.read_line(&mut line).expect("its output can be read");
    assert_eq!(line, "ready\n", "the machine does not come up");
    (init, life)
}

/// Writes the file that the vendor's unit reads, with the flags of `KWBASE_EXTRA_ARGS`.
fn write_environment(variables: &[(&str, &str)]) {
    let flags = std::env::var("KWBASE_EXTRA_ARGS").unwrap_or_default();
    let fixed = [
        // The stand-in's own drain of 2 s would be most of the time of these tests.
        ("KWBASE_STANDIN_DRAIN_SECONDS", "0.1"),
        ("KAIWUDB_START_ARG", flags.as_str()),
    ];
    let text: String = fixed
        .iter()
        .chain(variables)
        .flat_map(|(name, value)| [name, "=\"", value, "\"\n"])
        .collect();
    fs::write(ENVIRONMENT, text).expect("the environment file can be written");
}

/// Installs server, agent, service user and Pacemaker's tools.
fn install(programs: &Programs) {
    bind(&programs.server, BINARY);
    if !programs.is_standin {
        let lib = programs.server.with_file_name("../lib");
        symlink(
            fs::canonicalize(lib).expect("KWBASE_HOME has lib"),
            "/usr/local/kaiwudb/lib",
        )
        .expect("a free name");
    }
    bind(&programs.agent("kaiwudb"), AGENT);

    let define = |file: &str, line: String| {
        let text = fs::read_to_string(file).expect("every machine has users and groups");
        let others: String = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("kaiwudb:"))
            .collect();
        fs::write(file, others + &line).expect("/etc is private");
    };
    define(
        "/etc/passwd",
        format!("kaiwudb:x:{SERVICE_ID}:{SERVICE_ID}::/nonexistent:/bin/sh\n"),
    );
    define("/etc/group", format!("kaiwudb:x:{SERVICE_ID}:\n"));

    // Starting the server raises it, and it is the host's.
    fs::write("/run/max_map_count", "65530\n").expect("/run can be written");
    bind(Path::new("/run/max_map_count"), "/proc/sys/vm/max_map_count");

    fs::create_dir_all("/etc/kaiwudb/script").expect("/etc is private");
    write_environment(&[]);
    fs::create_dir_all(DATA_ROOT).expect("/var/lib is private");
    fs::create_dir("/run/cib").expect("/run is empty");
    for tool in TOOLS {
        let path = format!("/usr/sbin/{tool}");
        let _ = fs::remove_file(&path);
        fs::write(&path, include_str!("../files/pacemaker.sh")).expect("/usr/sbin is private");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
    }
}
