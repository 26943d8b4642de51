//! The metrics that there are. A name is an interface: it stays when the words change. Every sample has the label `pair`.

use crate::exposition::{Family, Kind};

macro_rules! families {
    ($($name:ident: $kind:ident, $metric:literal, $help:literal;)*) => {
        $(#[doc = concat!("`kaiwudb_ha_", $metric, "`")] pub static $name: Family = Family {
            name: concat!("kaiwudb_ha_", $metric),
            kind: Kind::$kind,
            help: $help,
        };)*
        /// All of them.
        pub static ALL: &[&Family] = &[$(&$name),*];
    };
}

families! {
    // The answer itself.
    INFO: Gauge, "info", "Always 1; labels say which node this is and which release answers.";
    SOURCE_UP: Gauge, "source_up", "Whether a source of metrics answered; reason says why it did not.";
    UNANSWERED: Gauge, "unanswered_questions", "Questions about database, store and certificates that were not answered.";
    SCRAPE_DURATION: Gauge, "scrape_duration_seconds", "How long it took to collect these metrics.";

    // The cluster, as this node sees it.
    CLUSTER_UP: Gauge, "cluster_up", "Whether Pacemaker answers on this node; reason says why it does not.";
    CLUSTER_QUORATE: Gauge, "cluster_quorate", "Whether this partition of the cluster has quorum.";
    CLUSTER_CONTROLLER: Gauge, "cluster_controller_known", "Whether a controller (DC) is elected.";
    CLUSTER_MAINTENANCE: Gauge, "cluster_maintenance", "Whether the whole cluster is in maintenance mode.";
    FENCING_ENABLED: Gauge, "cluster_fencing_enabled", "Whether fencing (STONITH) is enabled.";
    NODE_ONLINE: Gauge, "node_online", "Whether the node is a member.";
    NODE_STANDBY: Gauge, "node_standby", "Whether the node is in standby and may not run resources.";
    NODE_MAINTENANCE: Gauge, "node_maintenance", "Whether the cluster leaves the node's resources alone.";
    NODE_UNCLEAN: Gauge, "node_unclean", "Whether the node must be fenced before anything else happens.";
    RESOURCE_ACTIVE: Gauge, "resource_active", "Whether the resource is active on the node.";
    RESOURCE_PROMOTED: Gauge, "resource_promoted", "Whether the resource is promoted on the node; only of resources with roles.";
    RESOURCE_MANAGED: Gauge, "resource_managed", "Whether the cluster acts on the resource.";
    RESOURCE_FAILED: Gauge, "resource_failed", "Whether the last result of the resource on the node was a failure.";
    RESOURCE_FAILURES: Gauge, "resource_failures", "Failures of the resource on the node since its history was cleaned; 1000000 is never again.";
    RESOURCE_DEGRADED: Gauge, "resource_degraded", "Whether the resource serves and a person should look.";
    RESOURCE_REASON: Gauge, "resource_reason", "Always 1; why a resource failed or is degraded, with # in place of numbers.";
    COMPANION_ALIVE: Gauge, "companion_alive", "Whether the sentinel or watcher of a resource that is active on this node answers.";

    // Where the database has been, as looks at it have seen it.
    FAILOVERS: Counter, "failovers_total", "How often the database was seen on another node than before, by cause.";
    FAILOVER_AT: Gauge, "last_failover_timestamp_seconds", "When the database was seen on another node than before for the last time.";

    // What alerts have seen and sent, where [alerts] is configured.
    OUTAGE: Gauge, "last_outage_seconds", "How long the cluster saw the database not serve the last time, by cause.";
    OUTAGE_AT: Gauge, "last_outage_timestamp_seconds", "When the cluster first saw that the database did not serve.";
    UNDELIVERED: Gauge, "alert_undelivered_messages", "Messages that the channel has not taken yet.";

    // What timers have found on this node.
    FAILOVER_READY: Gauge, "failover_ready", "Whether a failover would have succeeded when kaiwudb-ha-ready.timer looked last.";
    FAILOVER_OBSTACLE: Gauge, "failover_obstacle", "Always 1; a reason why a failover would not have succeeded.";
    READINESS_AT: Gauge, "readiness_timestamp_seconds", "When kaiwudb-ha-ready.timer looked last.";
    FAILOVER_EXPECTED: Gauge, "failover_expected_seconds", "Outage that the last good drill of this fault has measured.";
    DRILL_AT: Gauge, "last_good_drill_timestamp_seconds", "When the last good drill of this fault began.";
    CHECK_FINDINGS: Gauge, "check_findings", "Findings of the daily check when kaiwudb-ha-check.timer ran last.";
    CHECK_AT: Gauge, "check_timestamp_seconds", "When kaiwudb-ha-check.timer ran last.";

    // The database on this node.
    DATABASE_INFO: Gauge, "database_info", "Always 1; labels name the resource and the release.";
    DATABASE_RUNNING: Gauge, "database_running", "Whether a server of the store runs on this node.";
    DATABASE_READY: Gauge, "database_ready", "Whether the server on this node answers SQL.";
    DATABASE_SERIES_READY: Gauge, "database_time_series_ready", "Whether a query of time series is answered; absent without a table of them.";
    DATABASE_CONNECTIONS: Gauge, "database_connections", "Connections of clients to the server's SQL port.";
    FLUSH_STALL: Gauge, "database_flush_stalled_seconds", "How long a flush of the store has not returned; 0 when none is stalled.";
    CERTIFICATE_EXPIRY: Gauge, "certificate_expiry_timestamp_seconds", "When the first of the server's certificates runs out.";
    CERTIFICATE_FINDINGS: Gauge, "certificate_findings", "What is wrong with the certificates on this node.";

    // The store on this node.
    STORE_MOUNTED: Gauge, "store_mounted", "Whether the store's file system is mounted on this node.";
    STORE_READ_ONLY: Gauge, "store_read_only", "Whether the store's file system is mounted read-only.";
    STORE_SIZE: Gauge, "store_size_bytes", "Size of the store's file system.";
    STORE_FREE: Gauge, "store_free_bytes", "Room on the store's file system for the server's account.";
    STORE_INODES: Gauge, "store_inodes", "Inodes of the store's file system; absent where it has no limit.";
    STORE_INODES_FREE: Gauge, "store_inodes_free", "Free inodes of the store's file system.";

    // DRBD on this node.
    DRBD_INFO: Gauge, "drbd_info", "Always 1; version of the loaded module.";
    DRBD_UP: Gauge, "drbd_resource_up", "Whether the kernel knows the DRBD resource on this node.";
    DRBD_PRIMARY: Gauge, "drbd_primary", "Whether this node is Primary.";
    DRBD_SUSPENDED: Gauge, "drbd_io_suspended", "Whether I/O is suspended.";
    DRBD_SPLIT_BRAIN: Gauge, "drbd_split_brain", "Whether there is a split brain with a peer that has not been connected since.";
    DRBD_DISK: Gauge, "drbd_disk_state", "Always 1; the state of the volume's disk on this node.";
    DRBD_DISK_UP_TO_DATE: Gauge, "drbd_disk_up_to_date", "Whether the volume's disk on this node is UpToDate.";
    DRBD_QUORUM: Gauge, "drbd_quorum", "Whether enough peers are there to write the volume; always with DRBD 8.4.";
    DRBD_SIZE: Gauge, "drbd_size_bytes", "Size of the volume.";
    DRBD_CONNECTION: Gauge, "drbd_connection_state", "Always 1; the state of the link to the peer.";
    DRBD_CONNECTED: Gauge, "drbd_connected", "Whether the peer is connected.";
    DRBD_PEER_PRIMARY: Gauge, "drbd_peer_primary", "Whether the peer is Primary.";
    DRBD_PEER_DISK: Gauge, "drbd_peer_disk_state", "Always 1; the state of the volume's disk on the peer.";
    DRBD_PEER_DISK_UP_TO_DATE: Gauge, "drbd_peer_disk_up_to_date", "Whether the volume's disk on the peer is UpToDate.";
    DRBD_REPLICATION: Gauge, "drbd_replication_state", "Always 1; what happens between the volume and the peer's.";
    DRBD_OUT_OF_SYNC: Gauge, "drbd_out_of_sync_bytes", "What is known to differ between the volume and the peer's.";
    DRBD_RESYNC: Gauge, "drbd_resync_running", "Whether a resync runs or waits, in either direction.";
    DRBD_DONE: Gauge, "drbd_resync_done_ratio", "How much of a resync or verify is done; DRBD 9 only.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        let mut known = BTreeSet::new();
        for family in ALL {
            let name = family.name;
            assert!(known.insert(name), "{name} twice");
            let fits = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.chars().all(fits), "{name}");
            assert_eq!(family.kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(
                family.help.ends_with('.') && !family.help.contains('\n'),
                "{name}"
            );
        }
    }
}
