//! Values that cannot be.

use super::error::Place;
use super::model::{Device, DrbdSettings, NodeSettings, Scalar, Settings, Storage, VirtualIp};
use crate::language::Text;
use crate::roles;
use crate::tables;
use crate::texts::settings as texts;
use crate::value::{
    is_address, is_device, is_drbd_device, is_fence_agent, is_file_system, is_host, is_interface, is_name,
    is_options, is_ssh_target, is_store_directory,
};
use anyhow::Result;
use std::net::IpAddr;
use std::time::Duration;
use toml::Spanned;

/// A fencing delay beyond this is no head start but an outage.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// A key, its value, what it must look like, and what is allowed in words.
type Rule<'a> = (&'a str, &'a Option<Spanned<String>>, fn(&str) -> bool, Text);

/// Looks at every value.
pub(super) fn check(settings: &Settings, place: &Place<'_>) -> Result<()> {
    if !matches!(settings.nodes.len(), 0 | 2) {
        let count = settings.nodes.len().to_string();
        let why = texts::TWO_NODES.fill(place.language, &[("count", &count)]);
        return Err(place.at_word("nodes", &why));
    }
    for (name, node) in &settings.nodes {
        check_node(name, node, place)?;
    }
    check_addresses(settings, place)?;
    if let Some(virtual_ip) = &settings.virtual_ip {
        check_virtual_ip(virtual_ip, place)?;
    }
    check_storage(&settings.storage, place)?;
    if let Some(drbd) = &settings.drbd {
        check_drbd(settings, drbd, place)?;
    }
    check_fencing(settings, place)?;
    check_database(settings, place)?;
    if let Some(pair) = &settings.metrics.pair {
        word("[metrics] pair", pair, is_name, texts::NAME, place)?;
    }
    for name in &settings.certificates.names {
        word("[certificates] names", name, is_host, texts::HOST, place)?;
    }
    match &settings.alerts {
        Some(alerts) => alerts.check(place),
        None => Ok(()),
    }
}

/// A text that must look like something.
fn word(
    key: &str,
    value: &Spanned<String>,
    fits: fn(&str) -> bool,
    allowed: Text,
    place: &Place<'_>,
) -> Result<()> {
    if fits(value.get_ref()) {
        Ok(())
    } else {
        Err(place.impossible(key, value, allowed))
    }
}

fn check_node(name: &str, node: &NodeSettings, place: &Place<'_>) -> Result<()> {
    if !is_name(name) {
        let values = [("name", name), ("allowed", texts::NAME.of(place.language))];
        return Err(place.at_word(name, &texts::WRONG_NAME.fill(place.language, &values)));
    }
    let table = format!("[nodes.{name}]");
    let rules: [Rule<'_>; 5] = [
        ("address", &node.address, is_address, texts::ADDRESS),
        ("ssh", &node.ssh, is_ssh_target, texts::SSH_TARGET),
        ("host", &node.host, is_host, texts::HOST),
        ("disk", &node.disk, is_device, texts::DEVICE),
        (
            "replication_address",
            &node.replication_address,
            is_address,
            texts::ADDRESS,
        ),
    ];
    for (key, value, fits, allowed) in rules {
        if let Some(value) = value {
            word(&format!("{table} {key}"), value, fits, allowed, place)?;
        }
    }
    if let Some(device) = &node.fencing {
        check_device(&format!("[nodes.{name}.fencing]"), device, place)?;
    }
    Ok(())
}

/// An address belongs to one of the nodes, or to the database.
fn check_addresses(settings: &Settings, place: &Place<'_>) -> Result<()> {
    let mut known: Vec<(&str, IpAddr)> = Vec::new();
    for (name, node) in &settings.nodes {
        if let Some(address) = &node.address
            && let Ok(ip) = address.get_ref().parse()
        {
            if known.iter().any(|(_, other)| *other == ip) {
                return Err(place.impossible(&format!("[nodes.{name}] address"), address, texts::TWICE));
            }
            known.push((name, ip));
        }
    }
    if let Some(virtual_ip) = &settings.virtual_ip
        && let Ok(ip) = virtual_ip.address.get_ref().parse::<IpAddr>()
        && let Some((node, _)) = known.iter().find(|(_, other)| *other == ip)
    {
        let allowed = texts::NOT_A_NODES.fill(place.language, &[("node", node)]);
        return Err(place.impossible_in_words("[virtual_ip] address", &virtual_ip.address, &allowed));
    }
    Ok(())
}

fn check_virtual_ip(virtual_ip: &VirtualIp, place: &Place<'_>) -> Result<()> {
    let address = &virtual_ip.address;
    let Ok(ip) = address.get_ref().parse::<IpAddr>() else {
        return Err(place.impossible("[virtual_ip] address", address, texts::VIRTUAL_ADDRESS));
    };
    if let Some(prefix) = &virtual_ip.prefix {
        let (most, allowed) = match ip {
            IpAddr::V4(_) => (32, texts::PREFIX_4),
            IpAddr::V6(_) => (128, texts::PREFIX_6),
        };
        if !(1..=most).contains(prefix.get_ref()) {
            return Err(place.impossible("[virtual_ip] prefix", prefix, allowed));
        }
    }
    match &virtual_ip.interface {
        Some(interface) => word(
            "[virtual_ip] interface",
            interface,
            is_interface,
            texts::INTERFACE,
            place,
        ),
        None => Ok(()),
    }
}

fn check_storage(storage: &Storage, place: &Place<'_>) -> Result<()> {
    let rules: [Rule<'_>; 4] = [
        ("device", &storage.device, is_device, texts::DEVICE),
        (
            "directory",
            &storage.directory,
            is_store_directory,
            texts::DIRECTORY,
        ),
        ("type", &storage.kind, is_file_system, texts::FILE_SYSTEM),
        ("options", &storage.options, is_options, texts::OPTIONS),
    ];
    for (key, value, fits, allowed) in rules {
        if let Some(value) = value {
            word(&format!("[storage] {key}"), value, fits, allowed, place)?;
        }
    }
    Ok(())
}

fn check_drbd(settings: &Settings, drbd: &DrbdSettings, place: &Place<'_>) -> Result<()> {
    word("[drbd] resource", &drbd.resource, is_name, texts::NAME, place)?;
    if let Some(device) = &drbd.device {
        word("[drbd] device", device, is_drbd_device, texts::DRBD_DEVICE, place)?;
    }
    if let Some(port) = &drbd.port
        && !(1..=65_535).contains(port.get_ref())
    {
        return Err(place.impossible("[drbd] port", port, texts::PORT));
    }
    if let Some(protocol) = &drbd.protocol
        && protocol.get_ref() != "C"
    {
        return Err(place.impossible("[drbd] protocol", protocol, texts::PROTOCOL));
    }
    if let (Some(device), Some(other)) = (&settings.storage.device, &drbd.device)
        && device.get_ref() != other.get_ref()
    {
        let allowed = texts::SAME_DEVICE.fill(place.language, &[("device", other.get_ref())]);
        return Err(place.impossible_in_words("[storage] device", device, &allowed));
    }
    Ok(())
}

fn check_fencing(settings: &Settings, place: &Place<'_>) -> Result<()> {
    let fencing = &settings.fencing;
    if let Some(delay) = &fencing.delay
        && ocf::parse_interval(delay.get_ref()).is_none_or(|delay| delay > LONGEST_DELAY)
    {
        return Err(place.impossible("[fencing] delay", delay, texts::DELAY));
    }
    if let Some(device) = &fencing.device {
        check_device("[fencing.device]", device, place)?;
    }
    let own: Vec<&Spanned<Device>> = settings
        .nodes
        .values()
        .filter_map(|node| node.fencing.as_ref())
        .collect();
    match (own.as_slice(), &fencing.device) {
        ([first, ..], Some(_)) => Err(place.at(first.span().start, texts::FENCED_TWICE.of(place.language))),
        ([one], None) => Err(place.at(one.span().start, texts::FENCED_HALF.of(place.language))),
        _ => Ok(()),
    }
}

fn check_device(table: &str, device: &Spanned<Device>, place: &Place<'_>) -> Result<()> {
    let Some(agent) = device.get_ref().get("agent") else {
        let why = texts::NO_AGENT.fill(place.language, &[("table", table)]);
        return Err(place.at(device.span().start, &why));
    };
    if !matches!(agent.get_ref(), Scalar::Text(name) if is_fence_agent(name)) {
        return Err(place.impossible(&format!("{table} agent"), agent, texts::FENCE_AGENT));
    }
    // It could not be printed in a script as it is. The value may be a password.
    let unprintable = device.get_ref().iter().find(
        |(_, value)| matches!(value.get_ref(), Scalar::Text(text) if !text.chars().all(host::is_printable)),
    );
    match unprintable {
        Some((name, value)) => {
            let key = format!("{table} {name}");
            let why = texts::UNPRINTABLE.fill(place.language, &[("key", &key)]);
            Err(place.at(value.span().start, &why))
        }
        None => Ok(()),
    }
}

fn check_database(settings: &Settings, place: &Place<'_>) -> Result<()> {
    let known = tables::parameters(roles::DATABASE);
    for (name, value) in &settings.database {
        let Some(parameter) = known.iter().find(|known| known.name() == name) else {
            let names: Vec<&str> = known.iter().map(|known| known.name()).collect();
            // The key stands before its value.
            return Err(place.at(value.span().start, &place.unknown(name, &names)));
        };
        // What the agent itself would refuse, in its words.
        if let Err(why) = parameter.check(&value.get_ref().to_string()) {
            return Err(place.at(value.span().start, &format!("[database] {why}")));
        }
    }
    Ok(())
}
