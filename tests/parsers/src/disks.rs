//! What DRBD's tools print, and its files.

use drbd::config::Config;
use drbd::generation::{self, Generations};
use drbd::health::{self, Circumstances};
use drbd::policy::{self, IfPeerPrimary, Scores};
use drbd::resource::Resource;

const SCORES: Scores = Scores {
    only_consistent: 0,
    only_remote: 10,
    local_ok: 1000,
    as_good_as_it_gets: 10_000,
};

/// `drbdsetup events2`, and what is decided on it.
pub(crate) fn events2(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let one = Resource::from_events("kwdb", &text).into_iter();
    for resource in one.chain(Resource::all_from_events(&text).into_iter().flatten()) {
        let _ = policy::decide(&resource, SCORES, IfPeerPrimary::Remove);
        let _ = policy::refusal(&resource);
        let _ = health::give_up(&resource);
        let _ = health::findings(&resource, &Circumstances::default());
    }
}

/// `drbdadm dump-xml`.
pub(crate) fn dump_xml(bytes: &[u8]) {
    if let Ok(config) = Config::parse(&String::from_utf8_lossy(bytes)) {
        for name in config.names() {
            let Some(resource) = config.resource(name) else {
                continue;
            };
            let _ = (
                resource.volumes(),
                resource.devices(),
                resource.allows_two_primaries(),
            );
            let _ = (resource.disks().count(), resource.addresses().count());
        }
    }
}

/// Files of resources, which `drbdadm` may refuse.
pub(crate) fn res_file(bytes: &[u8]) {
    let _ = ::site::facts::configured_in(&String::from_utf8_lossy(bytes));
}

/// `drbdadm get-gi` of two nodes, with an empty line between.
pub(crate) fn generations(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (one, other) = text.split_once("\n\n").unwrap_or((&text, ""));
    if let (Some(one), Some(other)) = (Generations::parse(one), Generations::parse(other)) {
        let _ = generation::relation(&one, &other);
    }
}

/// `/proc/drbd`.
pub(crate) fn proc_drbd(bytes: &[u8]) {
    let mut resource = Resource::named("kwdb");
    resource.devices.entry(0).or_default().minor = Some(0);
    let _ = drbd::proc_drbd::of(&String::from_utf8_lossy(bytes), &resource);
}
