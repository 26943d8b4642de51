//! The virtual IP and the nodes' own interfaces.

use super::finding::Finding;
use super::report::MIGRATE;
use super::rule;
use super::scene::Scene;
use pacemaker::cib::Primitive;
use site::facts::Interface;
use site::roles;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The agent before `ocf:heartbeat:IPaddr2`.
const OLD_AGENT: &str = "ocf:heartbeat:IPaddr";

/// Inspects every address of the database on every node.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for address in &scene.roles.addresses {
        agent(address, findings);
    }
    for (address, ip) in scene.virtual_ips() {
        of_a_node(scene, address, ip, findings);
        for (node, facts) in scene.facts() {
            // A release that does not tell, or a node without a network of its own.
            if facts
                .interfaces
                .iter()
                .all(|interface| interface.addresses.is_empty())
            {
                continue;
            }
            place(address, ip, node, &facts.interfaces, findings);
            twice(scene, address, ip, node, &facts.interfaces, findings);
        }
    }
    answered(scene, findings);
}

/// What the network says. A host that is about to take the address asks as we do, so a node's own question is no answer.
fn answered(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for answer in &scene.answers {
        let (id, ip, hardware) = (&answer.resource, answer.ip, &answer.hardware);
        let owner = scene.facts().find_map(|(node, facts)| {
            let interface = facts.interfaces.iter().find(|one| one.hardware == *hardware)?;
            Some((node, facts, interface))
        });
        let Some((node, facts, interface)) = owner else {
            // It may be the hardware of a node that does not tell what it has.
            if scene.nodes.iter().any(|node| node.facts.is_err()) {
                continue;
            }
            let finding = Finding::of(rule::ADDRESS_ANSWERED, format!("{id}: {ip}: {hardware}"));
            findings.push(finding.on(&answer.asked_by).fix(format!(
                "ip neigh show {ip}  # find the host with this hardware address; one of the two needs another address"
            )));
            continue;
        };
        let place = facts.interfaces.iter().find(|one| one.entry(ip).is_some());
        // What lies below a bond has no address of its own.
        if let Some(place) =
            place.filter(|place| place.name != interface.name && !interface.addresses.is_empty())
        {
            let evidence = format!("{id}: {ip}: {} {}, not {}", interface.name, hardware, place.name);
            let finding = Finding::of(rule::ADDRESS_OTHER_HARDWARE, evidence);
            findings.push(
                finding
                    .on(node)
                    .fix("sysctl -w net.ipv4.conf.all.arp_ignore=1  # and in /etc/sysctl.d"),
            );
        }
    }
}

/// What it is with the agent, wherever the address runs.
fn agent(address: &Primitive, findings: &mut Vec<Finding>) {
    let agent = address.agent();
    if agent == roles::ADDRESS {
        return;
    }
    let is_old = agent == OLD_AGENT;
    let rule = if is_old {
        rule::ADDRESS_AGENT_OLD
    } else {
        rule::ADDRESS_AGENT_SILENT
    };
    findings.push(Finding::of(rule, format!("{}: {agent}", address.id)).fix(MIGRATE));
    if address.parameter("cidr_netmask").is_none() {
        findings.push(
            Finding::of(rule::ADDRESS_NETMASK_MISSING, format!("{}: cidr_netmask", address.id)).fix(format!(
                "pcs resource update {address} cidr_netmask=PREFIX  # restarts the address; or {MIGRATE}, whose agent needs none",
                address = address.id
            )),
        );
    }
}

/// Whether a node cannot be without it.
fn of_a_node(scene: &Scene<'_>, address: &Primitive, ip: IpAddr, findings: &mut Vec<Finding>) {
    let is_it = |text: &String| text.parse() == Ok(ip);
    let mut found: BTreeSet<String> = BTreeSet::new();
    for (node, facts) in scene.facts() {
        let corosync = facts.corosync.iter().flat_map(|corosync| &corosync.nodes);
        let named = corosync.filter(|(_, addresses)| addresses.iter().any(is_it));
        found.extend(named.map(|(node, _)| format!("corosync.conf: {node}: {ip}")));
        if facts.database.address.as_ref().is_some_and(is_it) {
            found.insert(format!("{node}: MODE: {ip}"));
        }
    }
    findings.extend(found.into_iter().map(|evidence| {
        Finding::of(rule::ADDRESS_OF_A_NODE, format!("{}; {evidence}", address.id)).fix(format!(
            "pcs resource update {address} ip=ADDRESS  # one that no host has; interrupts the connections of clients",
            address = address.id
        ))
    }));
}

/// Whether the node has a place for it.
fn place(address: &Primitive, ip: IpAddr, node: &str, interfaces: &[Interface], findings: &mut Vec<Finding>) {
    let nic = address.parameter_on("nic", node).filter(|nic| !nic.is_empty());
    let named: Vec<&Interface> = interfaces
        .iter()
        .filter(|interface| nic.is_none_or(|nic| interface.is_called(nic)))
        .collect();
    if let (Some(nic), []) = (nic, named.as_slice()) {
        let names: Vec<&str> = interfaces
            .iter()
            .map(|interface| interface.name.as_str())
            .collect();
        let finding = Finding::of(
            rule::ADDRESS_INTERFACE_MISSING,
            format!("{}: nic={nic}; {}", address.id, names.join(" ")),
        );
        // Then each node takes the interface that has the subnet.
        findings.push(finding.on(node).fix(format!(
            "pcs resource update {address} nic=  # restarts the address; interfaces of two nodes may have different names then",
            address = address.id
        )));
        return;
    }
    // Whoever names both knows of a subnet in which no node has another address.
    let is_given = nic.is_some() && address.parameter_on("cidr_netmask", node).is_some();
    let right: Vec<&Interface> = named
        .into_iter()
        .filter(|interface| is_given || interface.reaches(ip))
        .collect();
    if right.is_empty() {
        outside(address, ip, node, interfaces, findings);
    } else if right.iter().all(|interface| interface.trouble.is_some()) {
        findings.extend(right.iter().map(|one| {
            let (interface, trouble) = (&one.name, one.trouble.as_deref().unwrap_or_default());
            Finding::of(
                rule::ADDRESS_LINK_DEAD,
                format!("{}: {interface}: {trouble}", address.id),
            )
            .on(node)
            .fix(format!(
                "ip link set dev {interface} up  # cable and switch, if it is; or what lies below a bond, a bridge, a VLAN"
            ))
        }));
    }
}

fn outside(
    address: &Primitive,
    ip: IpAddr,
    node: &str,
    interfaces: &[Interface],
    findings: &mut Vec<Finding>,
) {
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
