//! What a monitor costs does not grow with what others do on the machine: it is measured quiet, then among thousands of mounts, processes
//! and connections of others, then quiet again, in one run. `cargo test -p contract -- --nocapture cost` prints the table.

use crate::filesystem::{Device, POINT};
use contract::machine::{AGENT, CERTS, DATA_ROOT, Machine, eventually};
use contract::programs::Programs;
use contract::{Call, Lan, on_a_machine};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// The virtual IP, in the network of [`Lan`].
const ADDRESS: &str = "10.0.0.9";
/// A set of certificates that the server of this test does without: what they cost it is not measured here.
const CERTIFICATES: &str = "/etc/set/certs";
const AUTHKEY: &str = "/etc/corosync/authkey";
/// Where they are shown in the place of the server's.
const SHOWN_AT: &str = "8443";
const MOUNTS: usize = 3000;
const PROCESSES: usize = 5000;
/// Of each of those who connect; every connection has two ends, which are both on this machine.
const CONNECTIONS: usize = 400;
const CONNECTED: usize = 25;
/// The most that a monitor may cost among them, as a multiple of what it costs without.
const MOST: f64 = 1.5;
/// Milliseconds that starting any program costs more in a machine with so many processes, which is no matter of the agents.
const START: f64 = 0.5;
/// How many calls are measured together, and how often: the cheapest time is the one that nothing else has disturbed.
const CALLS: usize = 20;
const TIMES: usize = 5;

/// A monitor: its name, its program, and its variables.
type Monitor = (&'static str, String, Vec<(&'static str, String)>);

fn monitors(device: &str) -> Vec<Monitor> {
    let of = |name, program: &Path, instance: &str, level: &str, parameters: &[(&'static str, &str)]| {
        let mut variables = vec![
            ("OCF_ROOT", "/usr/lib/ocf".to_owned()),
            ("OCF_RESOURCE_INSTANCE", instance.to_owned()),
            ("OCF_CHECK_LEVEL", level.to_owned()),
            ("OCF_RESKEY_CRM_meta_interval", "10000".to_owned()),
            ("OCF_RESKEY_CRM_meta_timeout", "30000".to_owned()),
        ];
        variables.extend(
            parameters
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        (name, program.display().to_string(), variables)
    };
    let program = |name| Programs::get().agent(name);
    let (file_system, address) = (program("filesystem"), program("virtual-ip"));
    let certificates = program("cert-sync");
    let disk = [
        ("OCF_RESKEY_device", device),
        ("OCF_RESKEY_directory", POINT),
        ("OCF_RESKEY_fstype", "ext4"),
    ];
    let ip = [("OCF_RESKEY_ip", ADDRESS)];
    // It publishes what it finds, as one that knows its node does.
    let set = [
        ("OCF_RESKEY_certs_dir", CERTIFICATES),
        ("OCF_RESKEY_authkey", AUTHKEY),
        ("OCF_RESKEY_http_port", SHOWN_AT),
        ("OCF_RESKEY_CRM_meta_on_node", "node1"),
    ];
    vec![
        of("kaiwudb, level 0", Path::new(AGENT), "KaiwuDB", "0", &[]),
        of("kaiwudb, level 10", Path::new(AGENT), "KaiwuDB", "10", &[]),
        of("kaiwudb, level 20", Path::new(AGENT), "KaiwuDB", "20", &[]),
        of("filesystem, level 0", &file_system, "KaiwuFS", "0", &disk),
        of("filesystem, level 20", &file_system, "KaiwuFS", "20", &disk),
        of("virtual-ip, level 0", &address, "ClusterIP", "0", &ip),
        of("virtual-ip, level 10", &address, "ClusterIP", "10", &ip),
        of("cert-sync, level 0", &certificates, "KaiwuCerts", "0", &set),
        of("cert-sync, level 10", &certificates, "KaiwuCerts", "10", &set),
    ]
}

/// What the monitors look at, besides the server.
fn start_the_others(machine: &Machine, device: &Device) -> Lan {
    fs::create_dir_all(POINT).expect("/var/lib is private");
    device.call("start").run().succeeds();
    let lan = Lan::new();
    Call::new(Programs::get().agent("virtual-ip"), "start")
        .env("OCF_RESOURCE_INSTANCE", "ClusterIP")
        .set("ip", ADDRESS)
        .run()
        .succeeds();
    machine.make_certificates("localhost 127.0.0.1");
    machine.shell(&format!(
        "mkdir -p {CERTIFICATES} /etc/corosync; mv {CERTS}/* {CERTIFICATES}; chown kaiwudb: {CERTIFICATES}
         head -c 128 /dev/urandom >{AUTHKEY}; chmod 400 {AUTHKEY}
         openssl s_server -www -quiet -accept {SHOWN_AT} -cert {CERTIFICATES}/node.crt -key {CERTIFICATES}/node.key </dev/null >/dev/null 2>&1 &"
    ));
    eventually("certificates are shown", || {
        TcpStream::connect(format!("127.0.0.1:{SHOWN_AT}")).is_ok()
    });
    Call::new(Programs::get().agent("cert-sync"), "start")
        .env("OCF_RESOURCE_INSTANCE", "KaiwuCerts")
        .set("certs_dir", CERTIFICATES)
        .set("authkey", AUTHKEY)
        .run()
        .succeeds();
    lan
}

/// Processor time of one call, everything that it starts included, in milliseconds.
fn cost((name, program, variables): &Monitor) -> f64 {
    let script = format!(
        "TIMEFORMAT='%U %S'; time (for i in {{1..{CALLS}}}; do \"$0\" monitor >/dev/null 2>&1 || exit 1; done)"
    );
    let once = || {
        let output = Command::new("bash")
            .args(["-c", &script, program])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(variables.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .output()
            .expect("there is a bash");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {said}");
        let seconds: f64 = said
            .split_whitespace()
            .map(|number| number.parse::<f64>().expect("bash prints numbers"))
            .sum();
        seconds * 1000.0
    };
    let times = (0..TIMES).map(|_| once() / f64::from(u32::try_from(CALLS).expect("a small number")));
    times.fold(f64::INFINITY, f64::min)
}

fn others_mount() {
    let nothing = None::<&str>;
    for number in 0..MOUNTS {
        let point = format!("/run/others/{number}");
        fs::create_dir_all(&point).expect("/run is private");
        mount(
            Some("tmpfs"),
            point.as_str(),
            Some("tmpfs"),
            MsFlags::empty(),
            nothing,
        )
        .expect("root may mount");
    }
}

fn others_unmount() {
    for number in 0..MOUNTS {
        umount2(format!("/run/others/{number}").as_str(), MntFlags::MNT_DETACH).expect("it was mounted");
    }
}

/// Their pids are in files; they end with the machine, if not before.
fn others_run_and_connect(machine: &Machine) {
    machine.shell(&format!(
        "(i=0; while [ $i -lt {PROCESSES} ]; do sleep 10000 & i=$((i+1)); done; echo >/run/others.ready; wait) >/dev/null 2>&1 & echo $! >/run/others.pid"
    ));
    // Each with no more descriptors than anybody may have.
    let connect = format!(
        "use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalAddr => q(127.0.0.1), Listen => {CONNECTIONS}) or die; \
         for (1..{CONNECTIONS}) {{ my $c = IO::Socket::INET->new(PeerAddr => q(127.0.0.1), PeerPort => $l->sockport) or die; \
         push @kept, $c, $l->accept; }} open my $f, q(>), qq(/run/connected/$$); close $f; sleep 10000;"
    );
    machine.shell(&format!(
        "mkdir /run/connected; for i in $(seq {CONNECTED}); do perl -e '{connect}' >/dev/null 2>&1 & done"
    ));
    eventually("others are there", || {
        let connected = fs::read_dir("/run/connected").map_or(0, Iterator::count);
        Path::new("/run/others.ready").exists() && connected == CONNECTED
    });
}

fn others_end(machine: &Machine) {
    machine.shell("kill -9 $(ls /run/connected); pkill -9 -P $(cat /run/others.pid); kill -9 $(cat /run/others.pid) 2>/dev/null || true");
}

#[test]
fn a_monitor_costs_the_same_whatever_others_do() {
    on_a_machine(|machine| {
        let device = Device::new();
        let _lan = start_the_others(machine, &device);
        machine.start();
        assert!(Path::new(DATA_ROOT).is_dir());
        let monitors = monitors(&device.path);
        let all = || monitors.iter().map(cost).collect::<Vec<f64>>();
        let before = all();
        others_mount();
        others_run_and_connect(machine);
        // What is remembered from quieter times is not what is measured.
        let _ = fs::remove_file("/run/kaiwudb-ha/KaiwuDB/walk.json");
        let among = all();
        others_end(machine);
        others_unmount();
        let after = all();
        let mut worse = Vec::new();
        for (at, (name, ..)) in monitors.iter().enumerate() {
            let quiet = f64::midpoint(before[at], after[at]);
            let line = format!(
                "{name:20} quiet {quiet:6.2} ms, among others {:6.2} ms: {:.2}",
                among[at],
                among[at] / quiet
            );
            println!("{line}");
            if among[at] > MOST * quiet + START {
                worse.push(line);
            }
        }
        device.call("stop").run().succeeds();
        assert!(
            worse.is_empty(),
            "more than {MOST} times as much, and {START} ms:\n{}",
            worse.join("\n")
        );
    });
}
