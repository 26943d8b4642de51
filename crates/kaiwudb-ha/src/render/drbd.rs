//! DRBD's resource file for both nodes, with a secret of its own. Making meta-data and the first synchronisation destroy what is on the
//! disks: `apply --new-disks` does it where they hold nothing, and otherwise it stays in the operator's hands, as commands in the file's head.

use crate::design::parameters::address_of;
use crate::design::sources::{Missing, Sources};
use crate::design::storage::{DRBD_DEVICE, Storage};
use crate::texts::plan as texts;
use anyhow::{Context as _, Result, anyhow};
use site::drbd_dialect::{Dialect, quote};
use site::settings;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

const PORT: i64 = 7789;
/// Seconds. A lost link stops all writes until DRBD has noticed it; at its default of 10 s the agent's `hang_timeout` may be over first.
const PING_INTERVAL: u32 = 3;
/// Bytes of the shared secret; DRBD takes 63 characters.
const SECRET: usize = 24;

/// One node as DRBD's file names it.
struct Host {
    /// What `uname -n` says there.
    name: String,
    disk: String,
    address: String,
}

/// The text of the file; or what is missing for it.
pub(crate) fn text(
    sources: &Sources<'_>,
    nodes: &[String],
    storage: &Storage,
) -> Result<Result<String, Vec<Missing>>> {
    let settings = sources.context.settings.drbd.as_ref();
    let Some(resource) = settings.map(|drbd| drbd.resource.get_ref().as_str()) else {
        let lines = "[drbd]\nresource = \"kwdb\"\ndevice = \"/dev/drbd0\"\nport = 7789\n";
        return Ok(Err(vec![sources.missing(texts::MISSING_DRBD_FILE, lines)]));
    };
    let (hosts, missing): (Vec<_>, Vec<_>) = nodes
        .iter()
        .map(|node| host(sources, node).ok_or(node))
        .partition(Result::is_ok);
    if !missing.is_empty() {
        let lines = missing
            .into_iter()
            .filter_map(Result::err)
            .fold(String::new(), |mut text, node| {
                let node = settings::key(node);
                let _ = writeln!(
                    text,
                    "[nodes.{node}]\naddress = \"192.0.2.1\"\ndisk = \"/dev/disk/by-id/...\"\n"
                );
                text
            });
        return Ok(Err(vec![sources.missing(texts::MISSING_DISKS, &lines)]));
    }
    let device = settings
        .and_then(|drbd| drbd.device.as_ref())
        .map_or(DRBD_DEVICE, |device| device.get_ref());
    let port = settings
        .and_then(|drbd| drbd.port.as_ref())
        .map_or(PORT, |port| *port.get_ref());
    let file = format!("/etc/drbd.d/{resource}.res");
    let values = [
        ("file", file.as_str()),
        ("resource", resource),
        ("device", device),
        ("type", &storage.kind),
    ];
    let mut text = texts::DRBD_HEAD
        .fill(sources.context.language, &values)
        .lines()
        .fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "# {line}");
            text
        });
    let dialect = Dialect::of_all(sources.nodes).map_err(|versions| {
        let values = [("versions", versions.as_str())];
        anyhow!(texts::DRBD_DIFFERS.fill(sources.context.language, &values))
    })?;
    text += &resource_head(resource, device, dialect, &secret()?);
    for host in hosts.into_iter().flatten() {
        let address = if host.address.contains(':') {
            format!("ipv6 [{}]", host.address)
        } else {
            host.address
        };
        let _ = write!(
            text,
            "    on {} {{\n        disk {};\n        address {address}:{port};\n    }}\n",
            quote(&host.name),
            quote(&host.disk)
        );
    }
    text.push_str("}\n");
    Ok(Ok(text))
}

fn host(sources: &Sources<'_>, node: &str) -> Option<Host> {
    let settings = sources.context.settings.nodes.get(node)?;
    let written = |value: &Option<toml::Spanned<String>>| value.as_ref().map(|value| value.get_ref().clone());
    let facts = sources.nodes.iter().find(|one| one.name == node);
    let known = facts.and_then(|one| one.facts.as_ref().ok());
    Some(Host {
        name: written(&settings.host)
            .or_else(|| known.map(|facts| facts.host.clone()))
            .unwrap_or_else(|| node.to_owned()),
        disk: written(&settings.disk)?,
        address: written(&settings.replication_address).or_else(|| address_of(sources, node))?,
    })
}

/// Everything but the nodes.
fn resource_head(resource: &str, device: &str, dialect: Dialect, secret: &str) -> String {
    // A node that has lost sight of its peer does not go on before the peer is outdated or switched off.
    let fencing = |section: &str| {
        if dialect.fencing_section() == section {
            "        fencing resource-and-stonith;\n"
        } else {
            ""
        }
    };
    // With version 9 a mere mount would promote, which is the cluster's to do.
    let options = match dialect {
        Dialect::V8 => "",
        Dialect::V9 => "    options {\n        auto-promote no;\n    }\n",
    };
    let handlers = dialect
        .handlers()
        .iter()
        .fold(String::new(), |mut text, (name, program)| {
            let _ = writeln!(text, "        {name} \"{program}\";");
            text
        });
    format!(
        "resource {} {{\n    device {};\n    meta-disk internal;\n{options}    net {{\n        protocol C;\n        \
         cram-hmac-alg sha256;\n        shared-secret \"{secret}\";\n        after-sb-0pri disconnect;\n        \
         after-sb-1pri disconnect;\n        after-sb-2pri disconnect;\n        verify-alg crc32c;\n        ping-int {PING_INTERVAL};\n{}    }}\n    \
         disk {{\n        on-io-error detach;\n{}    }}\n    handlers {{\n{handlers}    }}\n",
        quote(resource),
        quote(device),
        fencing("net"),
        fencing("disk"),
    )
}

/// Random, in hexadecimal digits.
fn secret() -> Result<String> {
    let mut bytes = [0; SECRET];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
