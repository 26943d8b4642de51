//! The attackers' side: what an account without rights can do on a machine of the contract tests, and what it must not have gained.

use contract::machine::{AGENT, DATA_ROOT, Machine, SERVICE_ID, shell};
use contract::process::{self, Process};
use contract::programs::Programs;
use contract::{Call, Outcome};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The server's account.
pub const SERVICE: u32 = SERVICE_ID;
/// An account that has nothing to do with it.
pub const NEIGHBOUR: u32 = 4712;
/// Said by files of root that nobody may be shown.
pub const SECRET: &str = "root-only-7f3a";
/// A file with the secret.
pub const CANARY: &str = "/root/canary";
/// Whoever needs longer than this for an action of seconds has waited for the attacker.
pub const SOON: Duration = Duration::from_secs(15);

/// How often a race is run: `RACES`, or `few`, which fits into the time of the suite.
pub fn races(few: u32) -> u32 {
    std::env::var("RACES")
        .ok()
        .map_or(few, |count| count.parse().expect("RACES is a number"))
}

/// Gives the directories of the installation to the server's account, as the vendor's installer does.
pub fn stock_layout() {
    // The checkout may lie below one of the directories that are the test's own.
    let programs = Programs::get()
        .command
        .parent()
        .expect("a file lies in a directory");
    let programs = programs.display();
    shell(&format!(
        "mkdir -p /etc/kaiwudb/info /etc/kaiwudb/certs /root /tmp /run/programs
         mount --bind '{programs}' /run/programs; mount -t tmpfs none /root; mount -t tmpfs -o mode=1777 none /tmp
         case '{programs}' in /root/*|/tmp/*) mkdir -p '{programs}'; mount --bind /run/programs '{programs}';; esac
         umount /run/programs
         printf 'bare\\nsingle\\n/usr/local/kaiwudb\\n{DATA_ROOT}\\n26257\\n8080\\nkaiwudb\\ninsecure\\nfalse\\n127.0.0.1\\n' \
         >/etc/kaiwudb/info/MODE
         chown -R kaiwudb: /etc/kaiwudb {DATA_ROOT}
         echo {SECRET} >{CANARY}; chmod 600 {CANARY}"
    ));
}

/// Runs a script as this account, without any right; its exit status does not matter.
pub fn as_account(uid: u32, script: &str) -> String {
    let output = account(uid, script)
        .stdin(Stdio::null())
        .output()
        .expect("setpriv is part of util-linux");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Starts a script as this account.
pub fn start_as(uid: u32, script: &str) -> Attacker {
    let child = account(uid, script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("setpriv is part of util-linux");
    Attacker(child)
}

fn account(uid: u32, script: &str) -> Command {
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={uid}"))
        .arg(format!("--regid={uid}"))
        .args(["--clear-groups", "--inh-caps=-all", "/bin/sh", "-c", script]);
    command
}

/// A process of an attacker's; killed when dropped.
#[derive(Debug)]
pub struct Attacker(Child);

impl Attacker {
    /// Whether it goes on.
    pub fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("pids are small")
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program called `kwbase` that looks like a server of the store: Perl, with a script that is called as the server's command is.
pub fn pretender(uid: u32, script: &str) -> Attacker {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let directory = format!("/tmp/of-{uid}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = as_account(
        uid,
        &format!(
            "mkdir -p {directory} && cd {directory} && cp /usr/bin/perl kwbase && cat >start <<'END'\n{script}\nEND"
        ),
    );
    assert_eq!(made, "", "the attacker's own directory cannot be made");
    start_as(
        uid,
        &format!(
            "cd {directory} && exec ./kwbase start --store={DATA_ROOT} --insecure --listen-addr=0.0.0.0:26257"
        ),
    )
}

/// Perl: does nothing until it is killed, whatever it is told.
pub const STUBBORN: &str = "$SIG{TERM} = $SIG{HUP} = 'IGNORE'; sleep 600 while 1;";

/// Perl: takes the server's ports and answers as a healthy server does, with a cluster id that is an error.
pub const IMPOSTOR: &str = include_str!("../files/impostor.pl");

/// Whether a program of this account listens on the port.
pub fn listens(port: u16) -> bool {
    let wanted = format!(":{port:04X} 00000000:0000 0A");
    // The machine's /proc does not know the test's own process.
    shell("cat /proc/net/tcp").contains(&wanted)
}

/// Servers that run under the server's account: the honest ones.
pub fn honest_servers() -> Vec<Process> {
    let mut servers = process::servers();
    servers.retain(|server| server.user() == SERVICE);
    servers
}

/// Asserts that the honest service starts, is monitored and stops, all as soon as ever.
#[track_caller]
pub fn the_service_goes_on(machine: &Machine) {
    machine.agent("start").run().succeeds();
    let [server] = honest_servers()[..] else {
        panic!("not one honest server: {:?}", process::servers());
    };
    assert!(server.is_running());
    for level in [0, 10, 20] {
        machine.monitor().level(level).run().within(SOON).succeeds();
    }
    machine.agent("stop").run().within(SOON * 2).succeeds();
    assert!(honest_servers().is_empty());
}

/// Asserts that an action has told nobody what only root may read, and that root's file is as it was.
#[track_caller]
pub fn keeps_the_secret(outcome: &Outcome, machine: &Machine) {
    let told = format!("{outcome:?} {:?} {:?}", machine.log(), machine.cluster_calls());
    assert!(!told.contains(SECRET), "{told}");
    canary_is_untouched();
}

/// Asserts that root's file is as it was.
#[track_caller]
pub fn canary_is_untouched() {
    let found = shell(&format!("cat {CANARY}; stat -c '%u %a %h' {CANARY}"));
    assert_eq!(found, format!("{SECRET}\n0 600 1\n"));
}

/// A call of cert-sync for the machine's store.
pub fn cert_sync(action: &str) -> Call {
    Call::new(Programs::get().agent("cert-sync"), action)
        .env("OCF_RESOURCE_INSTANCE", "KaiwuCerts")
        .env("OCF_RESOURCE_TYPE", "cert-sync")
        .set("authkey", "/etc/corosync/authkey")
}

/// The database's agent, whatever its resource is called.
pub fn database(action: &str) -> Call {
    Call::new(AGENT.into(), action)
}

/// Where [`file_system`] is mounted.
pub const POINT: &str = "/var/lib/mounted";

/// A call of the agent for file systems, of this device.
pub fn file_system(action: &str, device: &str) -> Call {
    Call::new(Programs::get().agent("filesystem"), action)
        .env("OCF_RESOURCE_INSTANCE", "KaiwuFS")
        .env("OCF_RESOURCE_TYPE", "filesystem")
        .set("device", device)
        .set("directory", POINT)
        .set("fstype", "ext4")
}
