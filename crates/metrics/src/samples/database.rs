//! The database, its store and its certificates on this node.

use crate::exposition::Exposition;
use crate::families as of;
use site::facts::Verdict;
use site::pulse::Pulse;

pub(super) fn add(found: &mut Exposition, pulse: &Pulse) {
    let node = ("node", pulse.node.as_str());
    let database = &pulse.database;
    let resource = pulse.database_resource.as_ref().ok().and_then(Option::as_deref);
    let release = database.release.as_deref().unwrap_or_default();
    let info = [
        node,
        ("resource", resource.unwrap_or_default()),
        ("release", release),
    ];
    found.flag(&of::DATABASE_INFO, &info, true);
    found.flag(&of::DATABASE_RUNNING, &[node], !database.servers.is_empty());
    found.flag(
        &of::DATABASE_READY,
        &[node],
        database.health == Some(Verdict::Ready),
    );
    if let Some(series) = &pulse.pulse.series {
        found.flag(&of::DATABASE_SERIES_READY, &[node], *series == Verdict::Ready);
    }
    if let Some(connections) = pulse.pulse.connections {
        found.count(&of::DATABASE_CONNECTIONS, &[node], connections);
    }
    let stalls = pulse
        .flush_stalls
        .iter()
        .map(|(_, stalled)| stalled.as_secs_f64());
    found.add(&of::FLUSH_STALL, &[node], stalls.fold(0.0, f64::max));
    found.flag(&of::STORE_MOUNTED, &[node], database.mount.is_some());
    if let Some(mount) = &database.mount {
        found.flag(&of::STORE_READ_ONLY, &[node], mount.read_only);
    }
    if let Some(usage) = &database.usage {
        found.count(&of::STORE_SIZE, &[node], usage.total_bytes);
        found.count(&of::STORE_FREE, &[node], usage.free_bytes);
        if usage.total_inodes > 0 {
            found.count(&of::STORE_INODES, &[node], usage.total_inodes);
            found.count(&of::STORE_INODES_FREE, &[node], usage.free_inodes);
        }
    }
    if let Some(certificates) = &pulse.certificates {
        found.count(
            &of::CERTIFICATE_FINDINGS,
            &[node],
            certificates.findings.len() as u64,
        );
        if let Some((name, until)) = &certificates.first_to_expire {
            #[allow(clippy::cast_precision_loss)] // seconds since 1970
            let until = *until as f64;
            found.add(&of::CERTIFICATE_EXPIRY, &[node, ("certificate", name)], until);
        }
    }
}
