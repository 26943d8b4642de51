//! A settings file to begin with: what was found out is filled in, what was not is left to be written, the rest is there as a comment.

use crate::design::parameters::{address, address_of};
use crate::design::sources::{Sources, node_names};
use crate::design::storage::storage;
use crate::texts::plan as texts;
use site::roles::{self, Roles};
use site::settings;
use site::tables;
use std::fmt::Write;

/// The text of the file.
pub(crate) fn text(sources: &Sources<'_>) -> String {
    let language = sources.context.language;
    let installed = sources.site.data_root.as_str();
    let roles = Roles::of(&sources.live.cib, sources.site);
    let mut text = String::new();
    let comment = |text: &mut String, words: site::language::Text| {
        for line in words.of(language).lines() {
            let _ = writeln!(text, "# {line}");
        }
    };
    comment(&mut text, texts::INIT_HEAD);
    text.push('\n');
    comment(&mut text, texts::INIT_NODES);
    let unknown = || ["NAME1".to_owned(), "NAME2".to_owned()].to_vec();
    for name in node_names(sources).unwrap_or_else(unknown) {
        let own = address_of(sources, &name).unwrap_or_default();
        let name = settings::key(&name);
        let _ = writeln!(
            text,
            "[nodes.{name}]\naddress = \"{own}\"\n# disk = \"/dev/disk/by-id/...\"\n# [nodes.{name}.fencing]\n# agent = \"fence_ipmilan\"\n\
             # ip = \"192.0.2.21\"\n# username = \"admin\"\n# password_script = \"/etc/kaiwudb-ha/fence-password\"\n# lanplus = true\n"
        );
    }
    comment(&mut text, texts::INIT_ADDRESS);
    let known = address(sources, &roles).unwrap_or_default();
    let of = |name: &str| {
        known
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let _ = writeln!(
        text,
        "[virtual_ip]\naddress = \"{}\"",
        of("ip").unwrap_or_default()
    );
    match of("cidr_netmask") {
        Some(prefix) => _ = writeln!(text, "prefix = {prefix}"),
        None => text.push_str("# prefix = 24\n"),
    }
    match of("nic") {
        Some(interface) => _ = writeln!(text, "interface = \"{interface}\"\n"),
        None => text.push_str("# interface = \"eth0\"\n\n"),
    }
    comment(&mut text, texts::INIT_STORAGE);
    match storage(sources, &roles, installed) {
        Ok(found) => {
            if let Some(resource) = &found.drbd {
                let _ = writeln!(text, "[drbd]\nresource = \"{resource}\"\n");
            }
            let _ = writeln!(
                text,
                "[storage]\ndevice = \"{}\"\ndirectory = \"{}\"\ntype = \"{}\"\n",
                found.device, found.directory, found.kind
            );
        }
        Err(_) => {
            let _ = writeln!(
                text,
                "# [drbd]\n# resource = \"kwdb\"\n# device = \"/dev/drbd0\"\n# port = 7789\n\n[storage]\n# device = \"/dev/...\"\n\
                 # directory = \"{installed}\"\ntype = \"ext4\"\n"
            );
        }
    }
    comment(&mut text, texts::INIT_FENCING);
    text.push_str("[fencing]\n# delay = \"2s\"\n# [fencing.device]\n# agent = \"fence_...\"\n\n");
    comment(&mut text, texts::INIT_DATABASE);
    text.push_str("[database]\n");
    let database = tables::parameters(roles::DATABASE).iter();
    for parameter in database.filter(|parameter| parameter.name() == "drain_timeout") {
        let default = parameter.default_value().unwrap_or_default();
        let _ = writeln!(text, "# {} = \"{default}\"\n", parameter.name());
    }
    comment(&mut text, texts::INIT_CERTIFICATES);
    text.push_str("[certificates]\n# sync = true\n# names = [\"db.example\"]\n\n");
    comment(&mut text, texts::INIT_ALERTS);
    text.push_str(
        "# [alerts]\n# [[alerts.mail]]\n# server = \"localhost\"\n# from = \"ha@example.com\"\n# to = [\"dba@example.com\"]\n",
    );
    text
}
