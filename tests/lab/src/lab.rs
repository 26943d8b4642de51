//! The lab as a whole.

use crate::audit::Audit;
use crate::cluster::Cluster;
use crate::container::Container;
use crate::fence::{FenceEvent, PowerSwitch};
use crate::namespace::Namespace;
use crate::network::{Link, Network};
use crate::node::{Machine, Node};
use crate::registry::{self, Record};
use crate::vm::{self, Vm};
use crate::{Suite, image, setup};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use host::lock::LivenessLock;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What the nodes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Machines {
    /// systemd-nspawn containers: this machine's kernel and speed, a shared disk.
    #[default]
    Containers,
    /// QEMU virtual machines: a kernel of their own, with DRBD; up to twenty times slower. Debian bookworm only.
    Virtual,
}

/// What a lab is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name, for telling several labs apart; letters, digits and `-`, at most 32. Default: made from the process id.
    pub name: Option<String>,
    /// What the nodes are.
    pub machines: Machines,
    /// Debian release of both nodes.
    pub suite: Suite,
    /// Debian packages that the nodes have besides what every lab needs; containers only.
    pub packages: Vec<String>,
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
            machines: Machines::default(),
            suite: Suite::default(),
            packages: Vec::new(),
            cluster_names: None,
            cluster: true,
            token: Duration::from_millis(600),
            boot_delay: Duration::from_secs(3),
            disk_size: "2G".to_owned(),
        }
    }
}

impl Options {
    /// Containers that run the Debian release `$SUITE`, by default bookworm.
    pub fn from_environment() -> Result<Self> {
        let suite = match std::env::var_os("SUITE") {
            None => Suite::default(),
            Some(name) => name.to_string_lossy().parse()?,
        };
        Ok(Self {
            suite,
            ..Self::default()
        })
    }

    /// Virtual machines, with a token of 5 s: an emulated machine may not run for a second when others want the processor.
    pub fn virtual_machines() -> Self {
        Self {
            machines: Machines::Virtual,
            token: Duration::from_secs(5),
            ..Self::default()
        }
    }
}

/// Two nodes, their networks and their shared disk. Everything ends with the process that made it, however that one ends.
#[derive(Debug)]
pub struct Lab {
    name: String,
    nodes: Arc<[Node; 2]>,
    machines: Machines,
    image: PathBuf,
    namespace: Arc<Namespace>,
    /// Only in the process that made the lab; tells others that it lives.
    lock: Option<LivenessLock>,
    switch: Option<PowerSwitch>,
}

impl Lab {
    /// Makes a lab; returns when both nodes are up and, unless told otherwise, online members of a cluster.
    pub fn up(options: &Options) -> Result<Self> {
        setup::requirements()?;
        setup::usual_umask();
        registry::remove_leftovers()?;
        let name = match &options.name {
            Some(name) => name.clone(),
            None => registry::unused_name(),
        };
        let image = image::ensure_with(options.suite, &options.packages)?;
        let (directory, lock) = registry::claim(&name)?;
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
            machines: options.machines,
        };
        let mut lab = Self::assemble(&name, &record, namespace);
        lab.lock = Some(lock);
        lab.switch = Some(PowerSwitch::start(
            &lab.namespace,
            Arc::clone(&lab.nodes),
            options.boot_delay,
        )?);
        match options.machines {
            Machines::Containers => {
                lab.prepare(options)?;
                lab.boot(options)?;
            }
            Machines::Virtual => vm::up(&lab, options)?,
        }
        record.write(&directory)?;
        Ok(lab)
    }

    /// The lab of that name which another process holds.
    pub fn attach(name: &str) -> Result<Self> {
        setup::usual_umask();
        let directory = registry::directory(name)?;
        let record = Record::read(name, &directory)?;
        let namespace = Arc::new(Namespace::attach(record.pid, &directory, &record.disk));
        Ok(Self::assemble(name, &record, namespace))
    }

    /// Ends the lab of that name, whichever process holds it.
    pub fn down(name: &str) -> Result<()> {
        let directory = registry::directory(name)?;
        let record = Record::read(name, &directory)?;
        let owner = nix::unistd::Pid::from_raw(record.owner.cast_signed());
        nix::sys::signal::kill(owner, nix::sys::signal::Signal::SIGTERM)
            .with_context(|| format!("cannot end process {owner}, which holds the lab '{name}'"))?;
        let deadline = Deadline::after(Duration::from_secs(30));
        while registry::is_alive(&directory)? || Path::new(&format!("/proc/{}", record.pid)).exists() {
            ensure!(
                deadline.pause(Duration::from_millis(10)),
                "process {owner} is still there 30 s after SIGTERM"
            );
        }
        // The kernel is still ending the nodes' processes; their control groups can go when the last one has.
        while directory.exists() {
            registry::remove_leftovers()?;
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
            let machine: Box<dyn Machine> = match record.machines {
                Machines::Containers => Box::new(Container::new(number, &record.image, &namespace)),
                Machines::Virtual => Box::new(Vm::new(number, &namespace)),
            };
            Node::new(
                &name,
                &record.cluster_names[usize::from(number - 1)],
                number,
                machine,
            )
        };
        Self {
            name: name.to_owned(),
            nodes: Arc::new([node(1), node(2)]),
            machines: record.machines,
            image: record.image.clone(),
            namespace,
            lock: None,
            switch: None,
        }
    }

    /// The cluster that the nodes form.
    pub fn cluster(&self) -> Cluster<'_> {
        Cluster::new(&self.nodes)
    }

    /// How long to wait here for what takes a container at most `duration`.
    pub fn patience(&self, duration: Duration) -> Duration {
        match self.machines {
            Machines::Containers => duration,
            Machines::Virtual => duration * 6,
        }
    }

    /// What the power switch has done so far. Empty when another process holds the lab.
    pub fn fence_events(&self) -> Vec<FenceEvent> {
        self.switch.as_ref().map(PowerSwitch::events).unwrap_or_default()
    }

    /// What its nodes are.
    pub fn machines(&self) -> Machines {
        self.machines
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
        registry::remove_files(self.namespace.directory());
    }
}
