//! The other service, and whether anybody has touched it.

use anyhow::{Context, Error, Result, ensure};
use lab::{Lab, Node};
use operator::{deadline, epoch};
use pacemaker::xml::Element;

/// Its address has the id that the guide gives the database's.
const RESOURCES: &str = "\
pcs resource create WebFS ocf:heartbeat:Filesystem device=tmpfs directory=/srv/web fstype=tmpfs op monitor interval=7s --group WebGrp
pcs resource create Web ocf:heartbeat:anything binfile=/usr/bin/python3 \
  cmdline_options='-m http.server 8088 --directory /srv/web' pidfile=/run/web.pid op monitor interval=7s --group WebGrp
pcs resource create ClusterIP ocf:heartbeat:IPaddr2 ip=10.77.0.50 cidr_netmask=24 op monitor interval=7s --group WebGrp
pcs resource meta WebGrp resource-stickiness=500
";

/// Asks it all the time, from a unit, and notes each question that was not answered.
const CLIENT: &str = "\
systemctl stop web-client 2>/dev/null || true; rm -f /root/web-asked /root/web-missed
systemd-run --quiet --unit=web-client sh -c 'while :; do \
  if curl -s -m 10 -o /dev/null http://10.77.0.50:8088/; then echo >>/root/web-asked; else date >>/root/web-missed; fi; sleep 0.3; done'
";

/// How it is now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Web {
    group: Element,
    node: String,
    pid: String,
}

/// Makes it and begins to ask it.
pub(crate) fn start(lab: &Lab) -> Result<Web> {
    let node = &lab.nodes()[0];
    for one in lab.nodes() {
        one.shell("mkdir -p /srv/web", deadline())?;
    }
    node.shell(&format!("set -e; {RESOURCES}"), deadline())?;
    lab.cluster().wait_active("ClusterIP", deadline())?;
    lab.cluster().wait_idle(deadline())?;
    listen(lab)?;
    look(lab)
}

/// Begins to ask it.
pub(crate) fn listen(lab: &Lab) -> Result<()> {
    lab.nodes()[0].shell(CLIENT, deadline()).map(drop)
}

/// Looks at it.
pub(crate) fn look(lab: &Lab) -> Result<Web> {
    let cib = Element::parse(&lab.cluster().cib()?).map_err(Error::msg)?;
    let node = lab.cluster().wait_active("Web", deadline())?;
    Ok(Web {
        group: cib.by_id("WebGrp").context("WebGrp is gone")?.clone(),
        node: node.name().to_owned(),
        pid: node.shell("cat /run/web.pid", deadline())?,
    })
}

/// Nobody has: its configuration is the same, it is the same process on the same node, and it has always answered.
pub(crate) fn untouched(lab: &Lab, before: &Web) -> Result<()> {
    let now = look(lab)?;
    ensure!(now == *before, "{before:?} has become {now:?}");
    let asker: &Node = &lab.nodes()[0];
    let missed = asker.shell("cat /root/web-missed 2>/dev/null || true", deadline())?;
    let asked = asker.shell("wc -l </root/web-asked", deadline())?;
    ensure!(
        missed.is_empty() && asked.trim() != "0",
        "{asked} answers, none at {missed}; configuration {}",
        epoch(asker)?
    );
    Ok(())
}
