//! Findings whose fix is not typed here, and why.

const APPLY: &str = "apply makes it: tests/operator/tests/deploy";
const MIGRATE: &str = "migrate does it: tests/operator/tests/command/migrate";
/// What only a running cluster or systemd says.
const TYPED: &str = "typed in tests/operator/tests/fixes";
const DISKS: &str =
    "it needs DRBD, whose kernel module only the virtual machines have; unit tests have the words";
const HANDS: &str = "the line shows what a person then decides, or does with an editor or on another machine";
const SERVER: &str = "a server says it, and is told: tests/operator/tests/command/ours";
const VENDOR: &str = "the vendor's installer, which cannot be had here";
const PACKAGES: &str = "the system's installer: typed in packages.rs where it is rpm's; a unit test has the words for each system";

/// What a finding is called, and the reason.
pub(super) const ELSEWHERE: &[(&str, &str)] = &[
    ("address-agent-old", MIGRATE),
    ("address-agent-silent", MIGRATE),
    ("address-answered", HANDS),
    ("address-link-dead", TYPED),
    ("address-missing", APPLY),
    ("address-netmask-missing", HANDS),
    ("address-of-a-node", HANDS),
    (
        "address-other-hardware",
        "a container may not change the kernel's settings",
    ),
    ("address-twice", TYPED),
    ("advertises-virtual-ip", TYPED),
    ("agent-missing", PACKAGES),
    ("certificates-by-hand", APPLY),
    ("certificates-missing", APPLY),
    ("clock-unsynchronised", TYPED),
    (
        "clocks-differ",
        "both nodes of the lab have the clock of this machine",
    ),
    ("cluster-disabled", TYPED),
    ("cluster-password-printed", HANDS),
    ("container-restarts", "Docker, which the image does not have"),
    ("database-by-unit", MIGRATE),
    ("database-missing", APPLY),
    ("drbd-agent-linbit", MIGRATE),
    ("drbd-disk-unstable", HANDS),
    ("drbd-next-kernel", HANDS),
    ("drbd-nodes-differ", DISKS),
    ("drbd-other-host", HANDS),
    ("drbd-refused", HANDS),
    ("drbd-service-enabled", DISKS),
    ("drbd-versions-differ", HANDS),
    ("files-unsynced", SERVER),
    ("installations-differ", VENDOR),
    ("kwdb-releases-differ", HANDS),
    (
        "link-single",
        "it needs a second network for Corosync and pcsd on both nodes",
    ),
    ("loss-bounded", SERVER),
    ("multipath-disabled", TYPED),
    (
        "multipath-takes-drbd",
        "it needs a device mapper, which a container has not",
    ),
    ("not-installed", VENDOR),
    ("pacemaker-releases-differ", PACKAGES),
    ("room-low", HANDS),
    ("sbd-disabled", TYPED),
    ("server-outside", TYPED),
    ("set-broken", HANDS),
    ("sets-differ", APPLY),
    ("settings-differ", TYPED),
    ("store-key-missing", APPLY),
    ("store-read-only", HANDS),
    ("store-unpinned", TYPED),
    ("sudo-unlimited", HANDS),
    ("two-node-missing", TYPED),
    ("two-servers", TYPED),
    ("unit-enabled", TYPED),
    ("unit-limits-lost", TYPED),
    ("unit-signals-twice", MIGRATE),
    ("unit-started-early", MIGRATE),
    ("unit-unordered", TYPED),
    ("versions-differ", PACKAGES),
    ("wal-off", SERVER),
    ("wal-unsynced", SERVER),
];
