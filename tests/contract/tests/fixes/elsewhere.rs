//! Findings whose fix is not typed here, and why.

const APPLY: &str = "apply makes it: tests/operator/tests/deploy";
const MIGRATE: &str = "migrate does it: tests/operator/tests/command/migrate";
const UNITS: &str = "systemd says it, and is told";
const LIVE: &str = "only a running cluster says it, and is told";
const HANDS: &str = "the line shows what a person then decides, or does with an editor or on another machine";
const SERVER: &str = "a server says it, and is told: tests/operator/tests/command/ours";
const VENDOR: &str = "the vendor's installer, which cannot be had here";
const PACKAGES: &str = "the system's installer and its network; a unit test has the words for each system";

/// What a finding is called, and the reason.
pub(super) const ELSEWHERE: &[(&str, &str)] = &[
    ("address-agent-old", MIGRATE),
    ("address-agent-silent", MIGRATE),
    ("address-answered", HANDS),
    ("address-link-dead", LIVE),
    ("address-missing", APPLY),
    ("address-netmask-missing", HANDS),
    ("address-of-a-node", HANDS),
    ("address-other-hardware", LIVE),
    ("address-twice", LIVE),
    ("advertises-virtual-ip", LIVE),
    ("agent-missing", PACKAGES),
    ("certificates-by-hand", APPLY),
    ("certificates-missing", APPLY),
    ("clock-unsynchronised", PACKAGES),
    ("clocks-differ", LIVE),
    ("cluster-disabled", UNITS),
    ("cluster-password-printed", HANDS),
    ("container-restarts", "Docker, which the image does not have"),
    ("database-by-unit", MIGRATE),
    ("database-missing", APPLY),
    ("drbd-agent-linbit", MIGRATE),
    ("drbd-disk-unstable", HANDS),
    ("drbd-next-kernel", HANDS),
    ("drbd-nodes-differ", LIVE),
    ("drbd-other-host", HANDS),
    ("drbd-refused", HANDS),
    ("drbd-service-enabled", UNITS),
    ("drbd-versions-differ", HANDS),
    ("files-unsynced", SERVER),
    ("installations-differ", VENDOR),
    ("kwdb-releases-differ", HANDS),
    ("link-single", LIVE),
    ("loss-bounded", SERVER),
    ("multipath-disabled", UNITS),
    ("multipath-takes-drbd", UNITS),
    ("not-installed", VENDOR),
    ("room-low", HANDS),
    ("sbd-disabled", UNITS),
    ("server-outside", LIVE),
    ("set-broken", HANDS),
    ("sets-differ", APPLY),
    ("store-key-missing", APPLY),
    ("store-read-only", HANDS),
    ("store-unpinned", LIVE),
    ("sudo-unlimited", HANDS),
    ("two-node-missing", LIVE),
    ("two-servers", LIVE),
    ("unit-enabled", UNITS),
    ("unit-limits-lost", UNITS),
    ("unit-signals-twice", MIGRATE),
    ("unit-started-early", MIGRATE),
    ("unit-unordered", UNITS),
    ("versions-differ", PACKAGES),
    ("wal-off", SERVER),
    ("wal-unsynced", SERVER),
];
