//! Makes a node look as the KWDB installer for bare metal leaves it.
//!
//! Sources: `kaiwudb_install/utils/kaiwudb_install.sh` of KWDB 3.2.1 for names, modes, MODE file and unit.

use crate::lab::{Lab, Machines};
use crate::network::{Network, VIRTUAL_IP};
use crate::node::Node;
use crate::vm::{DRBD_DEVICE, DRBD_RESOURCE};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const UNIT: &str = include_str!("../files/kaiwudb.service");
const INSTALL: &str = include_str!("../files/install.sh");
const CERTIFICATES: &str = include_str!("../files/certificates.sh");
const HOME: &str = "/usr/local/kaiwudb";
const CERTS: &str = "/etc/kaiwudb/certs";

/// Copying a real server and its libraries takes the longest.
const STEP: Duration = Duration::from_secs(60);

/// Which server program the nodes get, and how it is run.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Where the program comes from.
    pub program: Program,
    /// TLS with certificates in `/etc/kaiwudb/certs`; otherwise `--insecure`.
    pub tls: bool,
    /// Content of `KAIWUDB_START_ARG`: further server flags.
    pub start_arguments: String,
}

/// A server program on this machine.
#[derive(Clone, Debug)]
pub enum Program {
    /// One file that runs by itself.
    Binary(PathBuf),
    /// A directory with `bin/kwbase` and `lib/`.
    Home(PathBuf),
}

impl Installation {
    /// The server that this run is about, insecure: of `$KWBASE_HOME`, else the stand-in `$KAIWUDB_HA_STANDIN`, else the
    /// program `kwbase` in the build directory that we were started from. `$KWBASE_EXTRA_ARGS` are further flags.
    pub fn from_environment() -> Result<Self> {
        let program = match (
            std::env::var_os("KWBASE_HOME"),
            std::env::var_os("KAIWUDB_HA_STANDIN"),
        ) {
            (Some(home), _) => Program::Home(PathBuf::from(home)),
            (None, Some(stand_in)) => Program::Binary(PathBuf::from(stand_in)),
            (None, None) => Program::Binary(built_stand_in()?),
        };
        let start_arguments = std::env::var_os("KWBASE_EXTRA_ARGS")
            .map(|arguments| arguments.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            program,
            tls: false,
            start_arguments,
        })
    }
}

/// Beside us, or above us when we are a test.
fn built_stand_in() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("kwbase"))
        .find(|path| path.is_file())
        .context("no server program: set KAIWUDB_HA_STANDIN to the stand-in or KWBASE_HOME to a real server's directory")
}

/// Installs on both nodes, which must be up, and gives the empty shared file system to the server's user.
pub fn provision(lab: &Lab, installation: &Installation) -> Result<()> {
    for node in lab.nodes() {
        install(node, installation).with_context(|| format!("cannot install KWDB on {}", node.name()))?;
    }
    let [first, second] = lab.nodes();
    if installation.tls {
        let addresses = [first, second].map(|node| node.address(Network::Cluster).to_string());
        let arguments = [
            "sh",
            "-c",
            CERTIFICATES,
            "certificates",
            &addresses[0],
            &addresses[1],
            VIRTUAL_IP,
        ];
        first
            .exec_ok(arguments, Deadline::after(STEP))
            .context("cannot make certificates")?;
        copy_certificates(first, second)?;
        save_certificates(first, &lab.certificates_directory())?;
    }
    let own = match lab.machines() {
        Machines::Containers => format!(
            "mount {disk} /mnt && chown kaiwudb:kaiwudb /mnt; umount /mnt",
            disk = crate::cib::DISK
        ),
        Machines::Virtual => format!(
            "drbdadm primary {DRBD_RESOURCE} && mount {DRBD_DEVICE} /mnt && chown kaiwudb:kaiwudb /mnt; umount /mnt; \
             drbdadm secondary {DRBD_RESOURCE}"
        ),
    };
    first
        .shell(&own, Deadline::after(STEP))
        .context("cannot give the shared file system to kaiwudb")?;
    Ok(())
}

fn install(node: &Node, installation: &Installation) -> Result<()> {
    match &installation.program {
        Program::Binary(path) => copy_file(node, path, &Path::new(HOME).join("bin/kwbase"))?,
        Program::Home(home) => {
            ensure!(
                home.join("bin/kwbase").is_file(),
                "{} has no bin/kwbase",
                home.display()
            );
            for part in ["bin", "lib"] {
                copy_tree(node, &home.join(part), &Path::new(HOME).join(part))?;
            }
        }
    }
    let address = node.address(Network::Cluster);
    let (mode, flag) = if installation.tls {
        ("tls", format!("--certs-dir={CERTS}"))
    } else {
        ("insecure", "--insecure".to_owned())
    };
    let unit = UNIT
        .replace("@SECURITY@", &flag)
        .replace("@ADDRESS@", &address.to_string());
    node.write_file("/etc/systemd/system/kaiwudb.service", unit)?;
    let info =
        format!("bare\nsingle\n{HOME}\n/var/lib/kaiwudb\n26257\n8080\nkaiwudb\n{mode}\nfalse\n{address}\n");
    node.write_file("/etc/kaiwudb/info/MODE", info)?;
    node.write_file("/etc/kaiwudb/info/.version", "3.2.1\n\n")?;
    let environment = format!("KAIWUDB_START_ARG=\"{}\"\n", installation.start_arguments);
    node.write_file("/etc/kaiwudb/script/kaiwudb_env", environment)?;
    for (name, command) in [("kw-status", "node status"), ("kw-sql", "sql")] {
        let script = format!(
            "#!/bin/bash\ncd {HOME}/bin && exec sudo -u kaiwudb ./kwbase {command} {flag} --host=127.0.0.1:26257 \"$@\"\n"
        );
        node.write_file_with_mode(format!("{HOME}/bin/{name}.sh"), script, 0o755)?;
    }
    node.shell(INSTALL, Deadline::after(STEP))?;
    Ok(())
}

fn copy_file(node: &Node, from: &Path, to: &Path) -> Result<()> {
    let read = || Ok::<_, std::io::Error>((fs::read(from)?, fs::metadata(from)?.permissions().mode()));
    let (content, mode) = read().with_context(|| format!("cannot read {}", from.display()))?;
    node.write_file_with_mode(to, content, mode & 0o777)
}

fn copy_tree(node: &Node, from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        // A link among libraries becomes a copy of what it names.
        if from.is_dir() {
            copy_tree(node, &from, &to)?;
        } else {
            copy_file(node, &from, &to)?;
        }
    }
    Ok(())
}

/// What the guide does with `scp`.
fn copy_certificates(from: &Node, to: &Node) -> Result<()> {
    for name in certificate_names(from)? {
        let path = format!("{CERTS}/{name}");
        let mode = if Path::new(&name).extension().is_some_and(|kind| kind == "key") {
            0o700
        } else {
            0o644
        };
        to.write_file_with_mode(&path, from.read_file(&path)?, mode)?;
    }
    to.exec_ok(["chown", "-R", "kaiwudb:kaiwudb", CERTS], Deadline::after(STEP))?;
    Ok(())
}

/// What a client on this machine needs.
fn save_certificates(node: &Node, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for name in ["ca.crt", "client.root.crt", "client.root.key"] {
        let path = directory.join(name);
        fs::write(&path, node.read_file(&format!("{CERTS}/{name}"))?)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn certificate_names(node: &Node) -> Result<Vec<String>> {
    let names = node.exec_ok(["ls", CERTS], Deadline::after(STEP))?;
    Ok(names.lines().map(str::to_owned).collect())
}
