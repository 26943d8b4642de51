//! The cluster, asked through whichever node answers.

use crate::cib::Cib;
use crate::crm_mon::{self, Status};
use crate::node::Node;
use anyhow::{Context, Result, anyhow, bail};
use host::Deadline;
use std::path::Path;
use std::time::Duration;

/// How long one question to one node may take.
const QUESTION: Duration = Duration::from_secs(15);

/// Set by the cluster about itself.
const OWN_PROPERTIES: [&str; 4] = [
    "have-watchdog",
    "dc-version",
    "cluster-infrastructure",
    "cluster-name",
];

/// The option of the cluster that names the store it owns.
const PIN: &str = "kaiwudb-store-KaiwuDB";

/// The cluster that the lab's nodes form.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'lab> {
    nodes: &'lab [Node; 2],
}

impl<'lab> Cluster<'lab> {
    pub(crate) fn new(nodes: &'lab [Node; 2]) -> Self {
        Self { nodes }
    }

    /// The first answer that any powered node gives.
    fn ask<T>(self, question: impl Fn(&Node) -> Result<T>) -> Result<T> {
        let mut last = anyhow!("both nodes are off");
        for node in self.nodes.iter().filter(|node| node.is_on()) {
            match question(node) {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The configuration and state, as XML.
    pub fn cib(self) -> Result<String> {
        self.ask(|node| node.exec_ok(["cibadmin", "--query"], Deadline::after(QUESTION)))
    }

    /// Replaces the whole configuration, but for what the cluster itself keeps about its nodes, in one change.
    pub fn load(self, cib: &Cib) -> Result<()> {
        let deadline = Deadline::after(Duration::from_secs(30));
        loop {
            let result = self.ask(|node| load(node, cib));
            // The cluster writes, too: between our query and our replacement it may have made a newer version.
            match result {
                Err(_) if deadline.pause(Duration::from_millis(200)) => {}
                other => return other.context("cannot load the configuration"),
            }
        }
    }

    /// The same for another configuration of the same store: it stays pinned.
    pub fn reload(self, cib: &Cib) -> Result<()> {
        let cib = cib.clone();
        self.load(&match self.pin()? {
            Some(pin) => cib.kept_by_agent(PIN, &pin),
            None => cib,
        })
    }

    /// The pinned store.
    pub fn pin(self) -> Result<Option<String>> {
        let query = [
            "crm_attribute",
            "--type",
            "crm_config",
            "--name",
            PIN,
            "--query",
            "--quiet",
        ];
        let output = self.ask(|node| node.exec(query, Deadline::after(QUESTION)))?;
        let value = output.stdout.trim().to_owned();
        Ok(Some(value).filter(|value| output.status == Some(0) && !value.is_empty()))
    }

    /// What `crm_mon` says, as XML.
    pub fn crm_mon_xml(self) -> Result<String> {
        self.ask(|node| crm_mon::read_xml(node, Deadline::after(QUESTION)))
    }

    /// What `crm_mon` says.
    pub fn status(self) -> Result<Status> {
        self.ask(|node| crm_mon::read(node, Deadline::after(QUESTION)))
    }

    /// The node on which a resource is active, by its name in the cluster; `None` when it is stopped.
    pub fn where_is(self, resource: &str) -> Result<Option<String>> {
        let status = self.status()?;
        let found = status
            .resource(resource)
            .with_context(|| format!("the cluster has no resource '{resource}'"))?;
        match found.nodes.as_slice() {
            [] => Ok(None),
            [node] => Ok(Some(node.clone())),
            several => bail!("{resource} is active on {}", several.join(" and ")),
        }
    }

    /// The node on which a resource is active, or an error when it is not active within the deadline.
    pub fn wait_active(self, resource: &str, deadline: Deadline) -> Result<&'lab Node> {
        loop {
            let found = self.where_is(resource);
            if let Ok(Some(name)) = &found {
                return self
                    .nodes
                    .iter()
                    .find(|node| node.cluster_name() == name)
                    .with_context(|| format!("{resource} is active on '{name}', which is not of this lab"));
            }
            if !deadline.pause(self.nodes[0].poll_interval().max(Duration::from_millis(100))) {
                found.with_context(|| format!("{resource} is not active in time"))?;
                bail!("{resource} is not active in time\n{}", self.text());
            }
        }
    }

    /// Waits until the cluster has nothing left to do.
    pub fn wait_idle(self, deadline: Deadline) -> Result<()> {
        loop {
            let left = deadline.remaining().as_secs().max(1);
            let result = self.ask(|node| {
                let wait = format!("--timeout={left}s");
                node.exec_ok(
                    ["crm_resource", "--wait", &wait],
                    Deadline::after(Duration::from_secs(left + 5)),
                )
            });
            match result.and_then(|_| self.controller_is_idle()) {
                Ok(true) => return Ok(()),
                // During an election there is nobody who could tell.
                Ok(false) | Err(_) if deadline.pause(Duration::from_millis(200)) => {}
                Ok(false) => bail!("the cluster is not idle in time\n{}", self.text()),
                Err(error) => {
                    return Err(error.context(format!("the cluster is not idle in time\n{}", self.text())));
                }
            }
        }
    }

    /// `crm_resource --wait` (2.1.5) also returns while an action is still on its way.
    fn controller_is_idle(self) -> Result<bool> {
        let status = self.status()?;
        let dc = status.nodes.iter().find(|node| node.is_dc).context("no DC")?;
        let answer =
            self.ask(|node| node.exec_ok(["crmadmin", "--status", &dc.name], Deadline::after(QUESTION)))?;
        Ok(answer.contains("S_IDLE"))
    }

    /// Forgets the failures of a resource, or of all. A cleanup takes the resources from the nodes' executors for a moment, and a
    /// controller (2.1.5) that is to start one of them just then ends itself; so nothing may be on its way.
    pub fn cleanup(self, resource: Option<&str>, deadline: Deadline) -> Result<()> {
        self.forget("--cleanup", resource, deadline)
    }

    /// Forgets all that is known of a resource, so that it is looked at anew: also what stays of an operation that is no longer
    /// configured. The same holds.
    pub fn refresh(self, resource: &str, deadline: Deadline) -> Result<()> {
        self.forget("--refresh", Some(resource), deadline)
    }

    fn forget(self, how: &str, resource: Option<&str>, deadline: Deadline) -> Result<()> {
        self.wait_idle(deadline)?;
        let words = ["crm_resource", how].into_iter();
        let words: Vec<&str> = words
            .chain(resource.iter().flat_map(|id| ["--resource", id]))
            .collect();
        self.ask(|node| node.exec_ok(words.iter().copied(), deadline))?;
        self.wait_idle(deadline)
    }

    /// Waits until both nodes are online members.
    pub fn wait_online(self, deadline: Deadline) -> Result<()> {
        loop {
            let status = self.status();
            if let Ok(status) = &status
                && status.has_quorum
                && status.nodes.iter().filter(|node| node.is_online()).count() == self.nodes.len()
            {
                return Ok(());
            }
            if !deadline.pause(self.nodes[0].poll_interval().max(Duration::from_millis(100))) {
                bail!("the nodes do not form a cluster in time\n{}", self.text());
            }
        }
    }

    /// What `crm_mon` tells people; says why when it cannot be had.
    pub fn text(self) -> String {
        self.ask(|node| {
            node.exec_ok(
                ["crm_mon", "--one-shot", "--inactive", "--failcounts"],
                Deadline::after(QUESTION),
            )
        })
        .unwrap_or_else(|error| format!("{error:#}"))
    }

    /// Copies both nodes' logs and the cluster's configuration into `directory`, for looking at afterwards. What cannot
    /// be had is left out: a node may be off.
    pub fn collect_logs(self, directory: &Path) -> Result<()> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let keep = |name: String, content: Result<String>| -> Result<()> {
            let Ok(content) = content else { return Ok(()) };
            let path = directory.join(name);
            std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
        };
        keep("cib.xml".to_owned(), self.cib())?;
        keep("crm_mon.txt".to_owned(), Ok(self.text()))?;
        for node in self.nodes {
            let name = node.name();
            for log in ["pacemaker/pacemaker.log", "corosync/corosync.log"] {
                let text = node.exec_ok(
                    ["tail", "--bytes=1000000", &format!("/var/log/{log}")],
                    Deadline::after(QUESTION),
                );
                keep(format!("{name}-{}", log.rsplit('/').next().unwrap_or(log)), text)?;
            }
            let journal = node.exec_ok(
                [
                    "journalctl",
                    "--no-pager",
                    "--lines=5000",
                    "--output=short-precise",
                ],
                Deadline::after(QUESTION),
            );
            keep(format!("{name}-journal.log"), journal)?;
        }
        Ok(())
    }
}

fn load(node: &Node, cib: &Cib) -> Result<()> {
    let scope = "--scope=configuration";
    let old = node.exec_ok(["cibadmin", "--query", scope], Deadline::after(QUESTION))?;
    let nodes = element(&old, "nodes").unwrap_or("<nodes/>");
    let [options, resources, constraints, defaults] = keep_own_properties(cib, &old).sections();
    let new =
        format!("<configuration>\n{options}{nodes}\n{resources}{constraints}{defaults}</configuration>\n");
    let output = node.exec_with_input(
        ["cibadmin", "--replace", scope, "--xml-pipe"],
        new.as_bytes(),
        Deadline::after(QUESTION),
    )?;
    match output.status {
        Some(0) => Ok(()),
        _ => bail!("{}: cibadmin refused: {output}", node.name()),
    }
}

/// The properties that the cluster sets about itself would be missing until the next election.
fn keep_own_properties(cib: &Cib, old: &str) -> Cib {
    OWN_PROPERTIES.iter().fold(cib.clone(), |cib, name| {
        let value = old
            .split("<nvpair ")
            .find(|pair| pair.contains(&format!("name=\"{name}\"")))
            .and_then(|pair| pair.split_once("value=\"")?.1.split('"').next());
        match value {
            Some(value) => cib.property(name, value),
            None => cib,
        }
    })
}

/// The first element of that name with everything in it.
fn element<'xml>(xml: &'xml str, name: &str) -> Option<&'xml str> {
    let end = format!("</{name}>");
    let start = xml.find(&format!("<{name}>"))?;
    let length = xml[start..].find(&end)? + end.len();
    Some(&xml[start..start + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_section_is_kept() {
        let xml = "<configuration><crm_config/><nodes>\n<node id=\"1\"/></nodes><resources/></configuration>";
        assert_eq!(element(xml, "nodes"), Some("<nodes>\n<node id=\"1\"/></nodes>"));
        assert_eq!(element("<configuration><nodes/></configuration>", "nodes"), None);
    }

    #[test]
    fn what_the_cluster_says_of_itself_is_kept() {
        let old = "<crm_config><nvpair id=\"a\" name=\"dc-version\" value=\"2.1.5-a3f\"/>\
                   <nvpair id=\"b\" name=\"stonith-enabled\" value=\"false\"/></crm_config>";
        let [options, ..] = keep_own_properties(&crate::cib::fenced(), old).sections();
        assert!(
            options.contains("name=\"dc-version\" value=\"2.1.5-a3f\""),
            "{options}"
        );
        assert!(
            options.contains("name=\"stonith-enabled\" value=\"true\""),
            "{options}"
        );
    }
}
