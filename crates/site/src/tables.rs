//! What our agents' own tables say.

use crate::roles;
use agent::ResourceAgent;
use ocf::{Declared, MetaData};

/// The table of one of our agents (`ocf:kaiwudb:…`); `None` for any other.
pub fn table(agent: &str) -> Option<&'static MetaData> {
    match agent {
        roles::DATABASE => Some(kaiwudb_agent::Kaiwudb::METADATA),
        roles::CERTIFICATES => Some(cert_sync_agent::CertSync::METADATA),
        roles::DRBD => Some(drbd_promotable_agent::DrbdPromotable::METADATA),
        roles::FILE_SYSTEM => Some(filesystem_agent::FileSystem::METADATA),
        roles::ADDRESS => Some(virtual_ip_agent::VirtualIp::METADATA),
        _ => None,
    }
}

/// The parameters of one of our agents.
pub fn parameters(agent: &str) -> &'static [&'static dyn Declared] {
    table(agent).map_or(&[], |table| table.parameters)
}
