//! A plan for tests, without a cluster and without a terminal.

use super::plan::{Found, Plan};
use super::sources::Sources;
use super::wanted::wanted;
use pacemaker::compare::compare;
use pacemaker::live::Live;
use pacemaker::xml::Element;
use site::context::Context;
use site::language::Language;
use site::roles::Site;
use site::settings::Settings;
use std::collections::BTreeSet;

/// Nodes `a` and `b`, DRBD below the store, an address.
pub(crate) const SETTINGS: &str = "[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\naddress = \"10.0.0.2\"\n[virtual_ip]\naddress = \"192.0.2.100\"\n\
                        [drbd]\nresource = \"kwdb\"\ndevice = \"/dev/drbd0\"\n[storage]\ntype = \"ext4\"\n";

/// What the operator says.
pub(crate) fn context(settings: &str) -> Context {
    Context {
        language: Language::English,
        settings: Settings::parse(settings, "ha.toml", Language::English).unwrap(),
        config: "ha.toml".into(),
        resource: None,
        chosen: site::context::Chosen::default(),
        can_ask: false,
    }
}

/// What is known besides: the DRBD resources of the database and of somebody else.
pub(crate) fn site(context: &Context) -> Site {
    let devices = [("kwdb", "/dev/drbd0"), ("o0", "/dev/drbd7")];
    let drbd = context.settings.drbd.as_ref();
    Site {
        data_root: "/var/lib/kaiwudb".to_owned(),
        drbd: drbd.map(|drbd| drbd.resource.get_ref().clone()),
        address: Some("192.0.2.100".to_owned()),
        devices: devices
            .map(|(name, device)| (name.to_owned(), BTreeSet::from([device.to_owned()])))
            .into(),
        ..Site::default()
    }
}

/// The plan for a cluster whose element `configuration` has this in it.
pub(crate) fn plan(context: &Context, configuration: &str) -> Plan {
    let text = format!(
        "<cib validate-with=\"pacemaker-3.9\" crm_feature_set=\"3.16.2\" epoch=\"7\" num_updates=\"2\" admin_epoch=\"0\"><configuration>\
         {configuration}</configuration><status/></cib>"
    );
    let live = Live::of(Element::parse(&text).unwrap(), true).unwrap();
    let found = Found {
        live,
        nodes: Vec::new(),
        site: site(context),
    };
    let sources: Sources<'_> = found.sources(context);
    let wanted = wanted(&sources).unwrap();
    Plan {
        changes: compare(&found.live, &wanted.configuration),
        found,
        wanted,
    }
}
