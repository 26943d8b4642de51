//! The lab as a whole.

use crate::audit::Audit;
use crate::cluster::Cluster;
use crate::container::{self, Container};
use crate::fence::{FenceEvent, PowerSwitch};
use crate::namespace::Namespace;
use crate::network::{Link, Network};
use crate::node::Node;
use crate::{Suite, cgroup, cib, corosync, image};
use anyhow::{Context, Result, bail, ensure};
use host::Deadline;
use host::lock::FileLock;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Where labs keep what must be seen from outside: `NAME.json`, `NAME.lock`, `NAME.log`, an empty directory `NAME`.
const RUN: &str = "/run/kaiwudb-ha-lab";

/// The fence agent in the nodes.
const FENCE_AGENT: &str = include_str!("../files/fence_lab.py");

/// A first election waits for `dc-deadtime`, 20 s unless the configuration says otherwise: so there is one from the start.
const FIRST_CIB: &str = include_str!("../files/first-cib.sh");

/// Among others makes the device node of the shared disk: a bind mount would be unmounted by the Filesystem agent.
const MACHINE_UNIT: &str = include_str!("../files/lab-machine.service");
const MACHINE_UNIT_NAME: &str = "lab-machine.service";

/// What the lab needs on this machine: (tool, Debian package).
const TOOLS: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("losetup", "mount"),
    ("mkfs.ext4", "e2fsprogs"),
    ("ip", "iproute2"),
];

/// What a lab is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name, for telling several labs apart; letters, digits and `-`, at most 32. Default: made from the process id.
    pub name: Option<String>,
    /// Debian release of both nodes.
    pub suite: Suite,
    /// Names of the nodes in the cluster, where they are not to be the host names.
    pub cluster_names: Option<[String; 2]>,
    /// Form a cluster at once; otherwise the nodes only boot.
    pub cluster: bool,
    /// How long corosync waits for the token before it declares the peer lost. Default 600 ms, where a real
    /// cluster has 1 to 3 s: corosync runs with real-time priority and the network is this machine's memory.
    pub token: Duration,
    /// How long a node that was fenced with "reboot" stays off. Default 3 s: a real server's firmware takes longer, and the
    /// survivor, which has a machine of its own there, shares this one with the booting node here.
    pub boot_delay: Duration,
    /// Size of the shared disk, as `truncate --size` reads it. Default 2G (sparse).
    pub disk_size: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: None,
            suite: Suite::default(),
            cluster_names: None,
            cluster: true,
            token: Duration::from_millis(600),
            boot_delay: Duration::from_secs(3),
            disk_size: "2G".to_owned(),
        }
    }
}

/// What another process must know to use a lab.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// The process that holds the lab.
    owner: u32,
    /// The first process of its namespaces.
    pid: i32,
    disk: PathBuf,
    image: PathBuf,
    cluster_names: [String; 2],
}

impl Record {
    fn read(name: &str, directory: &Path) -> Result<Self> {
        ensure!(
            is_alive(directory)?,
            "no lab named '{name}' is up: 'lab up' starts one"
        );
        let path = directory.with_extension("json");
        let text = host::file::read_text(&path)?.with_context(|| {
            format!(
                "the lab '{name}' is still starting: {} is not there yet",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}

/// Two nodes, their networks and their shared disk. Everything ends with the process that made it, however that one ends.
#[derive(Debug)]
pub struct Lab {
    name: String,
    nodes: Arc<[Node; 2]>,
    image: PathBuf,
    namespace: Arc<Namespace>,
    /// Only in the process that made the lab; tells others that it lives.
    lock: Option<FileLock>,
    switch: Option<PowerSwitch>,
}

impl Lab {
    /// Makes a lab; returns when both nodes are up and, unless told otherwise, online members of a cluster.
    pub fn up(options: &Options) -> Result<Self> {
        requirements()?;
        remove_leftovers()?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None => unused_name(),
        };
        let directory = directory(&name)?;
        let image = image::ensure(options.suite)?;
        fs::create_dir_all(RUN).with_context(|| format!("cannot create {RUN}"))?;
        let lock = host::lock::try_lock(&directory.with_extension("lock"))?
            .with_context(|| format!("a lab named '{name}' is up already: 'lab down' ends it"))?;
        // Only now: a directory without a lock is what a killed lab leaves.
        fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let namespace = Arc::new(Namespace::create(
            &directory,
            &options.disk_size,
            &image::cache_directory(),
        )?);
        let cluster_names = options
            .cluster_names
            .clone()
            .unwrap_or_else(|| ["node1".to_owned(), "node2".to_owned()]);
        let record = Record {
            owner: std::process::id(),
            pid: namespace.pid(),
            disk: namespace.disk().to_owned(),
            image,
            cluster_names,
        };
        let mut lab = Self::assemble(&name, &record, namespace);
        lab.lock = Some(lock);
        lab.switch = Some(PowerSwitch::start(
            &lab.namespace,
            Arc::clone(&lab.nodes),
            options.boot_delay,
        )?);
        lab.prepare(options)?;
        lab.boot(options)?;
        host::file::replace(
            &directory.with_extension("json"),
            &serde_json::to_string(&record)?,
        )?;
        Ok(lab)
    }

    /// The lab of that name which another process holds.
    pub fn attach(name: &str) -> Result<Self> {
        let directory = directory(name)?;
        let record = Record::read(name, &directory)?;
        let namespace = Arc::new(Namespace::attach(record.pid, &directory, &record.disk));
        Ok(Self::assemble(name, &record, namespace))
    }

    /// Ends the lab of that name, whichever process holds it.
    pub fn down(name: &str) -> Result<()> {
        let directory = directory(name)?;
        let record = Record::read(name, &directory)?;
        let owner = nix::unistd::Pid::from_raw(record.owner.cast_signed());
        nix::sys::signal::kill(owner, nix::sys::signal::Signal::SIGTERM)
            .with_context(|| format!("cannot end process {owner}, which holds the lab '{name}'"))?;
        let deadline = Deadline::after(Duration::from_secs(30));
        while is_alive(&directory)? || Path::new(&format!("/proc/{}", record.pid)).exists() {
            ensure!(
                deadline.pause(Duration::from_millis(10)),
                "process {owner} is still there 30 s after SIGTERM"
            );
        }
        // The kernel is still ending the nodes' processes; their control groups can go when the last one has.
        while directory.exists() {
            remove_leftovers()?;
            ensure!(
                deadline.pause(Duration::from_millis(10)),
                "processes of the lab '{name}' do not end"
            );
        }
        Ok(())
    }

    fn assemble(name: &str, record: &Record, namespace: Arc<Namespace>) -> Self {
        let node = |number: u8| {
            let name = format!("node{number}");
            let container = Container::new(number, &record.image, &namespace);
            Node::new(
                &name,
                &record.cluster_names[usize::from(number - 1)],
                number,
                Box::new(container),
            )
        };
        Self {
            name: name.to_owned(),
            nodes: Arc::new([node(1), node(2)]),
            image: record.image.clone(),
            namespace,
            lock: None,
            switch: None,
        }
    }

    /// What the nodes have on their disks before they boot for the first time.
    fn prepare(&self, options: &Options) -> Result<()> {
        let device = container::device_number(self.namespace.disk())
            .with_context(|| format!("cannot look at {}", self.namespace.disk().display()))?;
        let (major, minor) = device.split_once(':').context("a device number has two parts")?;
        let unit = MACHINE_UNIT
            .replace("@MAJOR@", major)
            .replace("@MINOR@", minor)
            .replace("@DISK@", cib::DISK);
        let names = self.nodes.each_ref().map(|node| node.cluster_name().to_owned());
        let corosync = corosync::configuration(&names, options.token);
        let [first, second] = self
            .nodes
            .each_ref()
            .map(|node| (node.address(Network::Cluster), node.name()));
        let hosts = format!(
            "127.0.0.1 localhost\n{} {}\n{} {}\n",
            first.0, first.1, second.0, second.1
        );
        for node in &*self.nodes {
            Container::new(node.number(), &self.image, &self.namespace).make_root()?;
            node.write_file("/etc/hostname", format!("{}\n", node.name()))?;
            node.write_file("/etc/hosts", &hosts)?;
            node.write_file("/etc/corosync/corosync.conf", &corosync)?;
            node.write_file_with_mode("/usr/sbin/fence_lab", FENCE_AGENT, 0o755)?;
            node.write_file(format!("/etc/systemd/system/{MACHINE_UNIT_NAME}"), &unit)?;
        }
        Ok(())
    }

    fn boot(&self, options: &Options) -> Result<()> {
        for node in &*self.nodes {
            node.power_on()?;
        }
        let deadline = Deadline::after(Duration::from_secs(60));
        let services: &[&str] = if options.cluster {
            &["corosync.service", "pacemaker.service"]
        } else {
            &[]
        };
        for node in &*self.nodes {
            node.wait_booted(deadline)?;
            if options.cluster {
                node.shell(FIRST_CIB, deadline)?;
            }
            // Enabled as well, so that a node that was fenced comes back by itself.
            node.exec_ok(
                ["systemctl", "enable", "--quiet", MACHINE_UNIT_NAME]
                    .iter()
                    .chain(services),
                deadline,
            )?;
            node.exec_ok(
                ["systemctl", "start", "--no-block", MACHINE_UNIT_NAME]
                    .iter()
                    .chain(services),
                deadline,
            )?;
        }
        if options.cluster {
            self.cluster().wait_online(deadline)?;
        }
        Ok(())
    }

    /// The cluster that the nodes form.
    pub fn cluster(&self) -> Cluster<'_> {
        Cluster::new(&self.nodes)
    }

    /// What the power switch has done so far. Empty when another process holds the lab.
    pub fn fence_events(&self) -> Vec<FenceEvent> {
        self.switch.as_ref().map(PowerSwitch::events).unwrap_or_default()
    }

    /// Debian release of its nodes, as the image is named.
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Both nodes.
    pub fn nodes(&self) -> &[Node; 2] {
        &self.nodes
    }

    /// Node 1 or 2, by host name or cluster name.
    pub fn node(&self, name: &str) -> Result<&Node> {
        self.nodes
            .iter()
            .find(|node| node.name() == name || node.cluster_name() == name)
            .with_context(|| format!("no node '{name}'; allowed are node1 and node2"))
    }

    /// The cable between a node and a network.
    pub fn link(&self, node: &Node, network: Network) -> Link {
        Link::new(node.number(), network, &self.image, &self.namespace)
    }

    /// The cable `NODE/NETWORK`, or, for just `NETWORK`, those of both nodes.
    pub fn links_named(&self, name: &str) -> Result<Vec<Link>> {
        let links: Vec<Link> = self
            .links()
            .into_iter()
            .filter(|link| link.to_string() == name || link.network().name() == name)
            .collect();
        ensure!(
            !links.is_empty(),
            "no link '{name}'; allowed are node1/NETWORK, node2/NETWORK and NETWORK for both, where NETWORK is cluster, \
             replication or management"
        );
        Ok(links)
    }

    /// All cables.
    pub fn links(&self) -> Vec<Link> {
        self.nodes
            .iter()
            .flat_map(|node| Network::ALL.map(|network| self.link(node, network)))
            .collect()
    }

    /// Starts to watch that nothing happens twice at once.
    pub fn audit(&self) -> Result<Audit> {
        Audit::start(Arc::clone(&self.nodes))
    }

    /// Where a client on this machine finds the certificates of a server with TLS; not there without.
    pub fn certificates_directory(&self) -> PathBuf {
        self.namespace.directory().with_extension("certs")
    }

    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    /// Moves the calling thread into the lab's network, where the nodes and the virtual IP can be reached.
    pub fn enter_network(&self) -> Result<()> {
        self.namespace.enter_network()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.lock.is_none() {
            return;
        }
        // First, or it could switch a node on again.
        self.switch = None;
        for node in &*self.nodes {
            let _ = node.power_off();
        }
        // The namespaces go with their last owner, after this; the control groups are empty by now.
        remove_files(self.namespace.directory());
    }
}

/// Host-side directory of a lab.
fn directory(name: &str) -> Result<PathBuf> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(allowed) {
        bail!("lab name is '{name}'; allowed are letters, digits and '-', at most 32");
    }
    Ok(Path::new(RUN).join(name))
}

/// Whether a process holds the lab.
fn is_alive(directory: &Path) -> Result<bool> {
    Ok(directory.exists() && host::lock::try_lock(&directory.with_extension("lock"))?.is_none())
}

fn unused_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn requirements() -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the lab makes namespaces and mounts: run it as root"
    );
    for (tool, package) in TOOLS {
        let installed = host::Command::new(tool).is_installed();
        ensure!(installed, "{tool} is not installed: apt-get install {package}");
    }
    Ok(())
}

/// Names of the labs that are up.
pub fn names() -> Vec<String> {
    fs::read_dir(RUN)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && is_alive(path).unwrap_or(false))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect()
}

/// Removes what labs whose process was killed could not: control groups and files. Living labs are left alone.
pub fn remove_leftovers() -> Result<()> {
    for entry in fs::read_dir(RUN).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        if let Some(_dead) = host::lock::try_lock(&path.with_extension("lock"))? {
            remove_files(&path);
        }
    }
    Ok(())
}

/// The directory goes last, and only when nothing runs in the control groups any more: as long as it is there, the next
/// call finds the lab again.
fn remove_files(lab: &Path) {
    if !cgroup::remove(lab) {
        return;
    }
    for extension in ["json", "log", "node1.lock", "node2.lock", "lock"] {
        let _ = fs::remove_file(lab.with_extension(extension));
    }
    let _ = fs::remove_dir_all(lab.with_extension("certs"));
    let _ = fs::remove_dir(lab);
}
