//! The virtual IP and the nodes' own interfaces.

use super::finding::Finding;
use super::rule;
use super::scene::Scene;
use pacemaker::cib::Primitive;
use site::facts::Interface;
use std::net::IpAddr;

/// Looks at every address of the database on every node.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for address in &scene.roles.addresses {
        let written = address.parameter("ip").and_then(|ip| ip.split('/').next());
        let Some(ip) = written.and_then(|ip| ip.parse::<IpAddr>().ok()) else {
            continue;
        };
        for (node, facts) in scene.facts() {
            // A release that does not tell, or a node without a network of its own.
            if facts
                .interfaces
                .iter()
                .all(|interface| interface.addresses.is_empty())
            {
                continue;
            }
            outside(address, ip, node, &facts.interfaces, findings);
            twice(scene, address, ip, node, &facts.interfaces, findings);
        }
    }
}

fn outside(
    address: &Primitive,
    ip: IpAddr,
    node: &str,
    interfaces: &[Interface],
    findings: &mut Vec<Finding>,
) {
    // Whoever names both knows of a subnet in which no node has another address.
    let is_named = ["nic", "cidr_netmask"]
        .iter()
        .all(|name| address.parameter(name).is_some());
    if is_named || interfaces.iter().any(|interface| interface.reaches(ip)) {
        return;
    }
    let own: Vec<&str> = interfaces
        .iter()
        .flat_map(|interface| &interface.addresses)
        .map(String::as_str)
        .filter(|entry| !entry.starts_with("fe80:"))
        .collect();
    findings.push(
        Finding::of(
            rule::ADDRESS_OUTSIDE_SUBNETS,
            format!("{}: ip={ip}; {}", address.id, own.join(" ")),
        )
        .on(node)
        .fix(format!(
            "pcs resource update {address} nic=INTERFACE cidr_netmask=PREFIX  # or give an interface of this node an address in the subnet of {ip}",
            address = address.id
        )),
    );
}

fn twice(
    scene: &Scene<'_>,
    address: &Primitive,
    ip: IpAddr,
    node: &str,
    interfaces: &[Interface],
    findings: &mut Vec<Finding>,
) {
    // What the cluster does not know of, or does not look after now, it may run anywhere.
    let Ok(status) = &scene.cluster.status else { return };
    let is_member = status
        .nodes
        .iter()
        .any(|member| member.name == node && member.online);
    let mut instances = status.instances_of(&address.id);
    let is_here = instances.any(|instance| !instance.managed || instance.node.as_deref() == Some(node));
    if !is_member || is_here {
        return;
    }
    for interface in interfaces {
        if let Some(entry) = interface.entry(ip) {
            findings.push(
                Finding::of(
                    rule::ADDRESS_TWICE,
                    format!("{}: {entry}; {}: -", interface.name, address.id),
                )
                .on(node)
                .fix(format!(
                    "ip address del {entry} dev {interface}  # and from what sets it up at boot",
                    interface = interface.name
                )),
            );
        }
    }
}
