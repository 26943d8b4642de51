//! The running server: told to load new certificates, and looked at.
#![allow(missing_docs, clippy::unwrap_used)]

mod cluster;

use certs::CertificateSet;
use cluster::support::{Authority, Pair};
use cluster::{Cluster, NAMES};
use host::{Deadline, Process};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

testing::tests![
    a_rotation_reaches_the_server_once_and_a_young_server_is_spared,
    a_server_that_keeps_its_old_certificate_is_told,
    a_server_that_cannot_be_asked_is_the_database_resources_business,
];

fn main() -> ExitCode {
    testing::run(&[TESTS], testing::without_root())
}

/// A server is young for 5 s.
const OLD: Duration = Duration::from_millis(5200);

/// A process that looks like the server of the store and writes down every SIGHUP.
struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    #[allow(clippy::disallowed_methods)] // it must go on while the agent is called
    fn start(cluster: &Cluster) -> Self {
        let program = cluster.path("kwbase");
        // Copied by a process of its own: a file that is open for writing here would be so in a child that another test
        // forks meanwhile, and could not be executed.
        let copied = Command::new("cp")
            .arg("/bin/bash")
            .arg(&program)
            .status()
            .unwrap();
        assert!(copied.success());
        let log = cluster.path("signals");
        fs::write(&log, "").unwrap();
        // The first argument is the word of the server's command line and the name of the script.
        // It waits without a child: between fork and exec a child looks like a second, young server.
        let script = format!(
            "trap 'echo HUP >> {0}' HUP\nmkfifo {0}.fifo\nexec 3<>{0}.fifo\nwhile :; do read -r -t 0.05 -u 3; done\n",
            log.display()
        );
        fs::write(cluster.path("start-single-node"), script).unwrap();
        let child = Command::new(&program)
            .arg("start-single-node")
            .arg(format!("--store={}", cluster.volume().display()))
            .current_dir(cluster.path("."))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    fn signals(&self) -> usize {
        fs::read_to_string(&self.log).unwrap().lines().count()
    }

    fn wait_for_signals(&self, count: usize) {
        let deadline = Deadline::after(Duration::from_secs(60));
        while self.signals() < count && deadline.pause(Duration::from_millis(20)) {}
        assert_eq!(self.signals(), count);
    }

    fn grow_old(&self) {
        let me = Process::with_pid(i32::try_from(self.child.id()).unwrap()).unwrap();
        assert!(me.is_running());
        Deadline::after(OLD).pause(OLD);
    }
}

impl Drop for Server {
    #[allow(clippy::disallowed_methods)] // SIGKILL ends it at once
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = kill(pid, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// What shows certificates at a port of this host; which one can be changed, as the server does after SIGHUP.
struct Front {
    port: u16,
    shown: Arc<Mutex<Arc<ServerConfig>>>,
}

fn config(set: &CertificateSet) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(set.contents("node.crt").unwrap())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(set.contents("node.key").unwrap()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

impl Front {
    fn open(set: &CertificateSet) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shown = Arc::new(Mutex::new(config(set)));
        let now = shown.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let config = now.lock().unwrap().clone();
                let mut connection = rustls::ServerConnection::new(config).unwrap();
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
                let _ = connection.complete_io(&mut stream);
            }
        });
        Self { port, shown }
    }

    fn show(&self, set: &CertificateSet) {
        *self.shown.lock().unwrap() = config(set);
    }
}

fn a_rotation_reaches_the_server_once_and_a_young_server_is_spared() {
    let cluster = Cluster::new(None);
    let one = cluster.node("one");
    let authority = Authority::new("CA");
    one.write(&authority.set(&NAMES));
    one.ok("start");
    let server = (1..=10).find_map(|attempt| {
        let rotated = authority.set(&NAMES);
        let began = Instant::now();
        let server = Server::start(&cluster);
        one.write(&rotated);
        one.healthy();
        assert_eq!(cluster.generation(), 1 + attempt);
        let (young, told) = (began.elapsed() < Duration::from_secs(5), server.signals());
        assert!(
            told == 0 || !young,
            "a server that has just been started may not catch the signal yet"
        );
        // On a busy machine it may not have been young any more.
        young.then_some(server)
    });
    let server = server.expect("a machine on which a monitor takes less than 5 s");
    server.grow_old();
    one.healthy();
    server.wait_for_signals(1);
    one.healthy();
    assert_eq!(server.signals(), 1, "once is enough");
    // Half a rotation is kept from it.
    let Pair { certificate, key } = authority.issue("node", &NAMES, cluster::support::Days(-1, 90));
    fs::write(one.certs.join("node.crt"), certificate).unwrap();
    one.degraded(&["node.key is not the key"]);
    assert_eq!(server.signals(), 1);
    fs::write(one.certs.join("node.key"), key).unwrap();
    one.healthy();
    server.wait_for_signals(2);
}

fn a_server_that_keeps_its_old_certificate_is_told() {
    let cluster = Cluster::new(None);
    let authority = Authority::new("CA");
    let (old, new) = (authority.set(&NAMES), authority.set(&NAMES));
    let front = Front::open(&old);
    let one = cluster.node("one").with("http_port", &front.port.to_string());
    one.write(&old);
    one.ok("start");
    let server = Server::start(&cluster);
    server.grow_old();
    assert_eq!(one.monitor_at("10").code, 0);
    one.write(&new);
    let answer = one.monitor_at("10");
    assert_eq!(answer.code, 190);
    assert!(
        answer.reason.contains("the certificate served on port"),
        "{}",
        answer.reason
    );
    server.wait_for_signals(1);
    one.degraded(&["the certificate served on port"]);
    server.wait_for_signals(2);
    front.show(&new);
    assert_eq!(one.monitor_at("10").code, 0, "told again, and looked at again");
    assert_eq!(one.monitor_at("10").code, 0);
    assert_eq!(server.signals(), 2);
}

fn a_server_that_cannot_be_asked_is_the_database_resources_business() {
    let cluster = Cluster::new(None);
    // Nobody listens there, or nobody who speaks TLS.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for port in ["1".to_owned(), silent.local_addr().unwrap().port().to_string()] {
        let one = cluster.node("one").with("http_port", &port);
        one.write(&Authority::new("CA").set(&NAMES));
        one.ok("start");
        let server = Server::start(&cluster);
        server.grow_old();
        let answer = one.monitor_at("10");
        assert_eq!((answer.code, answer.reason.as_str()), (0, ""));
        assert!(answer.elapsed < Duration::from_secs(6), "{:?}", answer.elapsed);
        one.ok("stop");
        fs::remove_dir_all(&one.certs).unwrap();
    }
}
