//! What is wrong in each cluster, and what `check` must call it.

use super::ground::{CONSTRAINTS, COROSYNC, RESOURCES, ROOT, drbd, load, mode};
use contract::machine::shell;
use std::fs;

/// A cluster with defects.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// The findings whose lines are typed.
    pub(super) finds: &'static [&'static str],
    pub(super) set_up: fn(),
    /// What must be so afterwards besides.
    pub(super) then: Option<fn() -> Result<(), String>>,
}

/// The guide's resources without what ties them, under other names.
const APART: &str = r#"
<primitive id="power" class="stonith" type="fence_lab"/>
<clone id="mirror-clone"><meta_attributes id="mirror-m"><nvpair id="mirror-p" name="promotable" value="true"/></meta_attributes>
 <primitive id="mirror" class="ocf" provider="linbit" type="drbd">
  <instance_attributes id="mirror-i"><nvpair id="mirror-r" name="drbd_resource" value="mirror"/></instance_attributes>
  <operations><op id="mirror-o" name="monitor" interval="10s"/></operations></primitive></clone>
<primitive id="volume" class="ocf" provider="kaiwudb" type="filesystem">
 <instance_attributes id="volume-i"><nvpair id="volume-1" name="device" value="/dev/drbd7"/>
  <nvpair id="volume-2" name="directory" value="/srv/kwdb-7/store"/><nvpair id="volume-3" name="fstype" value="ext4"/></instance_attributes></primitive>
<primitive id="sql" class="ocf" provider="kaiwudb" type="kaiwudb">
 <instance_attributes id="sql-i"><nvpair id="sql-r" name="data_root" value="/srv/kwdb-7/store"/></instance_attributes>
 <meta_attributes id="sql-m"><nvpair id="sql-f" name="failure-timeout" value="30s"/></meta_attributes>
 <operations><op id="sql-1" name="monitor" interval="60s" timeout="30s"/><op id="sql-2" name="start" interval="0" timeout="30s"/>
  <op id="sql-3" name="stop" interval="0" timeout="20s"/></operations></primitive>
<primitive id="entrance" class="ocf" provider="heartbeat" type="IPaddr2">
 <instance_attributes id="entrance-i"><nvpair id="entrance-a" name="ip" value="198.51.100.77"/></instance_attributes>
 <operations><op id="entrance-o" name="monitor" interval="10s" enabled="false"/></operations></primitive>"#;

pub(super) const CASES: [Case; 16] = [
    Case {
        name: "nothing is tied to anything",
        finds: &[
            "address-unordered",
            "drbd-apart",
            "drbd-notify-missing",
            "drbd-primary-unmonitored",
            "drbd-unordered",
            "failure-forgotten",
            "file-system-apart",
            "file-system-rights",
            "file-system-unordered",
            "monitor-missing",
            "monitor-slow",
            "start-timeout-short",
            "stickiness-missing",
            "stop-timeout-short",
        ],
        set_up: || {
            load(
                "",
                "",
                APART,
                r#"<rsc_colocation id="c2" rsc="entrance" with-rsc="sql" score="INFINITY"/>"#,
            );
        },
        then: None,
    },
    Case {
        name: "failures that are ignored",
        finds: &["failure-ignored"],
        set_up: || {
            let resources = RESOURCES
                .replace(r#"timeout="120s"/>"#, r#"timeout="120s" on-fail="ignore"/>"#)
                .replace(r#"interval="20s"/>"#, r#"interval="20s" on-fail="ignore"/>"#);
            load("", "", &resources, CONSTRAINTS);
        },
        then: None,
    },
    Case {
        name: "where any of DRBD's two sides is",
        finds: &["drbd-apart"],
        set_up: || {
            let anywhere = CONSTRAINTS.replace(r#"with-rsc-role="@promoted@" "#, "");
            load("", "", RESOURCES, &anywhere);
        },
        then: None,
    },
    Case {
        name: "an address somewhere",
        finds: &["address-apart", "address-outside-subnets"],
        set_up: || {
            let together = r#"<rsc_colocation id="c2" rsc="entrance" with-rsc="data" score="INFINITY"/>"#;
            load(
                "",
                "",
                &RESOURCES.replace("198.51.100.77", "192.0.2.77"),
                &CONSTRAINTS.replace(together, ""),
            );
        },
        then: None,
    },
    Case {
        name: "an address on an interface that this node does not have",
        finds: &["address-interface-missing"],
        set_up: || {
            let ip = r#"name="ip" value="198.51.100.77"/>"#;
            let with_nic = format!(r#"{ip}<nvpair id="entrance-n" name="nic" value="eth0"/>"#);
            load("", "", &RESOURCES.replace(ip, &with_nic), CONSTRAINTS);
        },
        then: None,
    },
    Case {
        name: "old words",
        finds: &["role-word-old"],
        set_up: || {
            load("", "", RESOURCES, &CONSTRAINTS.replace("@promoted@", "Master"));
        },
        then: None,
    },
    Case {
        name: "held back",
        finds: &[
            "constraint-left",
            "constraint-redundant",
            "drbd-constraint-left",
            "maintenance-left",
            "node-standby",
            "quorum-ignored",
            "resource-held",
        ],
        set_up: || {
            let held = r#"<nvpair id="sql-h" name="is-managed" value="false"/><nvpair id="sql-s""#;
            let constraints = format!(
                r#"{CONSTRAINTS}<rsc_location id="cli-ban-data-on-db-b" rsc="data" node="db-b" score="-INFINITY"/>
                <rsc_location id="cli-prefer-entrance" rsc="entrance" node="db-a" score="INFINITY"/>
                <rsc_location id="drbd-fence-by-handler-old-power" rsc="power" node="db-a" score="-INFINITY"/>
                <rsc_order id="again" first="volume" then="sql"/>"#
            );
            load(
                r#"<nvpair id="m" name="maintenance-mode" value="true"/><nvpair id="q" name="no-quorum-policy" value="ignore"/>"#,
                r#"<nvpair id="n2s" name="standby" value="on"/><nvpair id="n2m" name="maintenance" value="true"/>"#,
                &RESOURCES.replace("<nvpair id=\"sql-s\"", held),
                &constraints,
            );
        },
        then: None,
    },
    Case {
        name: "no fencing",
        finds: &["fencing-device-missing", "fencing-off"],
        set_up: || {
            let (_, resources) = RESOURCES
                .split_once("</primitive>")
                .expect("the device is the first");
            load(
                r#"<nvpair id="f" name="stonith-enabled" value="false"/>"#,
                "",
                resources,
                CONSTRAINTS,
            );
        },
        then: None,
    },
    Case {
        name: "a device for one node",
        finds: &["fencing-incomplete"],
        set_up: || {
            load(
                "",
                "",
                &RESOURCES.replace("\"db-a db-b\"", "\"db-a\""),
                CONSTRAINTS,
            );
        },
        then: None,
    },
    Case {
        name: "a watchdog alone",
        finds: &["watchdog-without-third-vote"],
        set_up: || {
            let (_, resources) = RESOURCES
                .split_once("</primitive>")
                .expect("the device is the first");
            load(
                r#"<nvpair id="w" name="stonith-watchdog-timeout" value="10s"/>"#,
                "",
                resources,
                CONSTRAINTS,
            );
        },
        then: None,
    },
    Case {
        name: "DRBD as it is set up in a hurry",
        finds: &[
            "drbd-discards",
            "drbd-flushes-off",
            "drbd-keeps-bad-disk",
            "drbd-md-flushes-off",
            "drbd-protocol",
            "drbd-secret-sample",
            "drbd-two-primaries",
            "drbd-unfenced",
            "drbd-unverified",
        ],
        set_up: || {
            drbd(|line| match line.split_whitespace().next().unwrap_or_default() {
                "protocol" => vec![
                    "protocol A;",
                    "allow-two-primaries yes;",
                    "after-sb-0pri discard-younger-primary;",
                    "after-sb-1pri discard-secondary;",
                    "after-sb-2pri call-pri-lost-after-sb;",
                ],
                "shared-secret" => vec!["shared-secret \"justaverificationtest\";"],
                "on-io-error" => vec!["on-io-error pass_on;", "disk-flushes no;", "md-flushes no;"],
                "fencing" | "verify-alg" | "fence-peer" | "unfence-peer" | "after-resync-target" => vec![],
                _ => vec![line],
            });
        },
        then: None,
    },
    Case {
        name: "DRBD of older times",
        finds: &["drbd-never-unfences", "drbd-secret-missing", "drbd-syncer-legacy"],
        set_up: || {
            drbd(|line| match line.split_whitespace().next().unwrap_or_default() {
                "resource" => vec![line, "syncer { rate 330M; }"],
                "shared-secret" | "cram-hmac-alg" | "unfence-peer" => vec![],
                "fence-peer" => vec!["fence-peer /usr/lib/drbd/crm-fence-peer.9.sh;"],
                _ => vec![line],
            });
        },
        then: None,
    },
    Case {
        name: "the system",
        finds: &["cluster-in-clear", "fstab-mounts", "shell-changed"],
        set_up: || {
            let corosync = fs::read_to_string(COROSYNC).expect("our own file");
            let clear = corosync
                .replace("cipher: aes256", "cipher: none")
                .replace("hash: sha256", "hash: none");
            fs::write(COROSYNC, clear).expect("our own file");
            // Tabs, a line of somebody else's that begins alike, and a UUID.
            let lines = format!(
                "UUID=6f1a\t{ROOT}\text4\tdefaults\t0\t2\nUUID=6f1a  /mnt ext4 noauto 0 0\n /dev/drbd7\t/mnt/x\text4\tdefaults\t0 0\n"
            );
            fs::write("/etc/fstab", lines).expect("the machine is private");
            shell("ln -sf bash /bin/sh");
        },
        then: Some(|| {
            let left = fs::read_to_string("/etc/fstab").unwrap_or_default();
            let expected = "UUID=6f1a  /mnt ext4 noauto 0 0\n";
            (left == expected)
                .then_some(())
                .ok_or(format!("fstab has {left:?}"))
        }),
    },
    Case {
        name: "certificates",
        finds: &[
            "authority-key-left",
            "expires-soon",
            "key-archive-left",
            "keys-foreign",
            "keys-open",
            "names-missing",
        ],
        set_up: || {
            mode("tls");
            let certificates = r#"<primitive id="keys" class="ocf" provider="kaiwudb" type="cert-sync"/><primitive id="sql""#;
            load(
                "",
                "",
                &RESOURCES.replace("<primitive id=\"sql\"", certificates),
                CONSTRAINTS,
            );
            shell(
                "d=/etc/kaiwudb/certs; cert() { kwbase cert \"$@\" --certs-dir=$d --ca-key=$d/ca.key >/dev/null; }
                 mkdir -p $d; cert create-ca; cert create-node db-a --lifetime=480h; cert create-client root; cp $d/ca.key /root/ca.key
                 tar czf $d/kw-certs.tar.gz -C $d ca.crt; chown -R kwsvc: $d; chown root: $d/node.key; chmod 644 $d/client.root.key",
            );
        },
        then: None,
    },
    Case {
        name: "a store below the mount",
        finds: &["store-below-mount"],
        set_up: || {
            shell(&format!(
                "umount {ROOT}; mkdir -p {ROOT}/auxiliary; echo start >{ROOT}/kwbase.start_mode"
            ));
        },
        then: None,
    },
    Case {
        name: "a mount point that anybody may use",
        finds: &["mount-point-open"],
        set_up: || {
            shell(&format!("umount {ROOT}"));
        },
        then: None,
    },
];
