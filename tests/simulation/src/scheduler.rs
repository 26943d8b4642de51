//! `crm_simulate` of a Debian release, run with that release's own loader and libraries.

use host::{Command, Deadline};
use pacemaker::xml::Element;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One run takes 50 ms.
const ONE_RUN: Duration = Duration::from_secs(60);

/// The program in a tree.
#[derive(Clone, Debug)]
pub struct Scheduler {
    tree: PathBuf,
    scratch: PathBuf,
}

impl Scheduler {
    /// The one in the tree of a Debian release; its files go into `scratch`, which is nobody else's.
    pub fn of(tree: &Path, scratch: &Path) -> Self {
        Self {
            tree: tree.to_owned(),
            scratch: scratch.to_owned(),
        }
    }

    /// What becomes of the CIB when that happens and the cluster has done what it then does.
    pub fn outcome(&self, cib: &Element, happens: &[String]) -> Result<Element, String> {
        let (before, after) = (self.scratch.join("before.xml"), self.scratch.join("after.xml"));
        std::fs::write(&before, cib.text()).map_err(|error| error.to_string())?;
        let inside = |path: &str| self.tree.join(path);
        let library = |name: &str| inside(&format!("usr/lib/{}-linux-gnu{name}", std::env::consts::ARCH));
        let libraries = [library(""), inside("usr/lib")].map(|path| path.display().to_string());
        let loader = match std::env::consts::ARCH {
            "aarch64" => inside("usr/lib/ld-linux-aarch64.so.1"),
            _ => library("/ld-linux-x86-64.so.2"),
        };
        Command::new(loader)
            .arg("--library-path")
            .arg(libraries.join(":"))
            .arg(inside("usr/sbin/crm_simulate"))
            .args(["--simulate", "--quiet", "--xml-file"])
            .arg(&before)
            .arg("--save-output")
            .arg(&after)
            .args(happens)
            .env("PCMK_schema_directory", inside("usr/share/pacemaker"))
            .run_ok(Deadline::after(ONE_RUN))
            .map_err(|error| error.to_string())?;
        let text = std::fs::read_to_string(&after).map_err(|error| error.to_string())?;
        Element::parse(&text)
    }
}
