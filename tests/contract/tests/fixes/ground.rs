//! A node of a cluster that is in order and called otherwise than the guide's.

use contract::debian::{self, run_as};
use contract::machine::shell;
use contract::programs::{Programs, repository};
use serde_json::Value;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Output;

/// The nodes; the first one is this machine.
pub(super) const NODES: [&str; 2] = ["db-a", "db-b"];
/// The configuration.
pub(super) const CIB: &str = "/root/cluster.xml";
/// Corosync's.
pub(super) const COROSYNC: &str = "/etc/corosync/corosync.conf";
/// The store.
pub(super) const ROOT: &str = "/srv/kwdb-7/store";
const DRBD: &str = "/etc/drbd.d/mirror.res";

const COROSYNC_TEXT: &str = "totem {
    version: 2
    cluster_name: shop
    transport: knet
    crypto_cipher: aes256
    crypto_hash: sha256
}
nodelist {
    node {
        ring0_addr: 198.51.100.11
        ring1_addr: 203.0.113.11
        name: db-a
        nodeid: 1
    }
    node {
        ring0_addr: 198.51.100.12
        ring1_addr: 203.0.113.12
        name: db-b
        nodeid: 2
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
";

/// DRBD as it should be; one option a line, so that one can be replaced.
const DRBD_TEXT: &str = "resource mirror {
    net {
        protocol C;
        fencing resource-and-stonith;
        cram-hmac-alg sha256;
        shared-secret \"0f2d\";
        verify-alg crc32c;
    }
    disk {
        on-io-error detach;
    }
    handlers {
        fence-peer /usr/lib/kaiwudb-ha/crm-fence-peer;
        unfence-peer /usr/lib/drbd/crm-unfence-peer.9.sh;
        after-resync-target /usr/lib/drbd/crm-unfence-peer.9.sh;
    }
    device /dev/drbd7;
    meta-disk internal;
    on db-a { disk /dev/disk/by-id/scsi-7; address 203.0.113.11:7790; }
    on db-b { disk /dev/disk/by-id/scsi-8; address 203.0.113.12:7790; }
}
";

/// Where the database is.
const MODE: &str = "bare\nsingle\n/opt/kwdb\n@root@\n26258\n8081\nkwsvc\n@security@\nfalse\n198.51.100.11\n";

/// Fencing that is in order, the database and its file system in a group, and an address behind them.
pub(super) const RESOURCES: &str = r#"
<primitive id="power" class="stonith" type="fence_lab"><instance_attributes id="power-i">
 <nvpair id="power-l" name="pcmk_host_list" value="db-a db-b"/></instance_attributes></primitive>
<clone id="mirror-clone"><meta_attributes id="mirror-m"><nvpair id="mirror-p" name="promotable" value="true"/></meta_attributes>
 <primitive id="mirror" class="ocf" provider="kaiwudb" type="drbd-promotable">
  <instance_attributes id="mirror-i"><nvpair id="mirror-r" name="drbd_resource" value="mirror"/></instance_attributes>
  <operations><op id="mirror-o" name="monitor" interval="9s" role="@promoted@"/></operations></primitive></clone>
<group id="data">
 <primitive id="volume" class="ocf" provider="kaiwudb" type="filesystem">
  <instance_attributes id="volume-i"><nvpair id="volume-1" name="device" value="/dev/drbd7"/>
   <nvpair id="volume-2" name="directory" value="/srv/kwdb-7/store"/><nvpair id="volume-3" name="fstype" value="ext4"/></instance_attributes>
  <operations><op id="volume-o" name="monitor" interval="20s"/></operations></primitive>
 <primitive id="sql" class="ocf" provider="kaiwudb" type="kaiwudb">
  <instance_attributes id="sql-i"><nvpair id="sql-r" name="data_root" value="/srv/kwdb-7/store"/></instance_attributes>
  <meta_attributes id="sql-m"><nvpair id="sql-s" name="resource-stickiness" value="200"/></meta_attributes>
  <operations><op id="sql-1" name="monitor" interval="10s"/><op id="sql-2" name="start" interval="0" timeout="300s"/>
   <op id="sql-3" name="stop" interval="0" timeout="120s"/></operations></primitive></group>
<primitive id="entrance" class="ocf" provider="kaiwudb" type="virtual-ip">
 <instance_attributes id="entrance-i"><nvpair id="entrance-a" name="ip" value="198.51.100.77"/></instance_attributes>
 <operations><op id="entrance-o" name="monitor" interval="10s"/></operations></primitive>"#;

/// Their constraints.
pub(super) const CONSTRAINTS: &str = r#"
<rsc_colocation id="c1" rsc="data" with-rsc="mirror-clone" with-rsc-role="@promoted@" score="INFINITY"/>
<rsc_order id="o1" first="mirror-clone" first-action="promote" then="data" then-action="start"/>
<rsc_colocation id="c2" rsc="entrance" with-rsc="data" score="INFINITY"/>
<rsc_order id="o2" first="data" then="entrance" symmetrical="false"/>"#;

/// One finding of `check`.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) id: String,
    pub(super) fixes: Vec<String>,
    /// For people who read a failure.
    #[expect(dead_code, reason = "shown by Debug")]
    evidence: String,
}

/// A cluster in order on a machine of the test's own.
pub(super) fn make(programs: &Programs) {
    debian::install(programs);
    if programs.is_standin {
        fs::copy(&programs.server, "/usr/local/bin/kwbase").expect("the machine is private");
    } else {
        // With its libraries beside it.
        symlink(&programs.server, "/usr/local/bin/kwbase").expect("the machine is private");
    }
    fs::copy(
        repository().join("tests/lab/files/fence_lab.py"),
        "/usr/sbin/fence_lab",
    )
    .expect("the lab has a fence agent");
    shell(&format!(
        "chmod 755 /usr/sbin/fence_lab
         echo 'kwsvc:x:1988:1988::/nonexistent:/bin/sh' >>/etc/passwd; echo 'kwsvc:x:1988:' >>/etc/group
         mkdir -p /etc/kaiwudb/info /etc/corosync /root/safe {ROOT}
         ip link add eth7 type veth peer name port7; ip link set eth7 up; ip link set port7 up; ip address add 198.51.100.11/24 dev eth7; ip address add 203.0.113.11/24 dev eth7
         truncate -s 32M /run/below.img; mkfs.ext4 -q /run/below.img; mount -o loop /run/below.img /srv/kwdb-7; mkdir {ROOT}
         truncate -s 32M /run/store.img; mkfs.ext4 -q /run/store.img; mount -o loop /run/store.img {ROOT}; chown kwsvc: {ROOT}"
    ));
    fs::write(COROSYNC, COROSYNC_TEXT).expect("the machine is private");
    fs::write(DRBD, DRBD_TEXT).expect("the machine is private");
    mode("insecure");
    load("", "", RESOURCES, CONSTRAINTS);
}

/// Says how clients and server speak.
pub(super) fn mode(security: &str) {
    let text = MODE.replace("@root@", ROOT).replace("@security@", security);
    fs::write("/etc/kaiwudb/info/MODE", text).expect("the machine is private");
}

/// Whether Pacemaker has other words for the roles than Master and Slave: since 2.1, and Debian 11 has 2.0.5.
pub(super) fn has_new_words() -> bool {
    env::var("SUITE").map_or(true, |suite| suite != "bullseye")
}

/// Makes this the cluster's configuration: options beside fencing, attributes of the second node, resources, constraints.
pub(super) fn load(options: &str, attributes: &str, resources: &str, constraints: &str) {
    let fencing = if options.contains("stonith-enabled") {
        ""
    } else {
        r#"<nvpair id="f" name="stonith-enabled" value="true"/>"#
    };
    // What this release says of itself: nobody reads a newer one's, and the words depend on it.
    let empty = shell("cibadmin --empty");
    let features = empty.split_once("crm_feature_set=\"").expect("it has one").1;
    let features = features.split('"').next().unwrap_or_default();
    let (role, schema) = if has_new_words() {
        ("Promoted", "3.9")
    } else {
        ("Master", "3.0")
    };
    let text = format!(
        r#"<cib crm_feature_set="{features}" validate-with="pacemaker-{schema}" epoch="1" num_updates="0" admin_epoch="0"><configuration>
<crm_config><cluster_property_set id="options">{fencing}{options}</cluster_property_set></crm_config>
<nodes><node id="1" uname="db-a"/><node id="2" uname="db-b"><instance_attributes id="n2">{attributes}</instance_attributes></node></nodes>
<resources>{resources}</resources><constraints>{constraints}</constraints></configuration><status>
<node_state id="1" uname="db-a" in_ccm="true" crmd="online" join="member" expected="member"/>
<node_state id="2" uname="db-b" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>"#
    );
    fs::write(CIB, text.replace("@promoted@", role)).expect("the machine is private");
    let output = run(&["crm_verify", "--xml-file", CIB]);
    assert!(
        !debian::text(&output).contains("does not validate"),
        "{}\n{text}",
        debian::text(&output)
    );
}

/// Makes this DRBD's configuration for the resource: lines are replaced.
pub(super) fn drbd(change: impl Fn(&str) -> Vec<&str>) {
    let lines: Vec<&str> = DRBD_TEXT.lines().flat_map(change).collect();
    fs::write(DRBD, lines.join("\n") + "\n").expect("the machine is private");
}

/// Puts sections into DRBD's resource as an operator would: into those that are there, in the place of what says otherwise.
pub(super) fn edit_drbd(sections: &str) {
    let secret = shell("openssl rand -hex 24");
    let sections = sections.replace("$(openssl rand -hex 24)", secret.trim());
    let sections: Vec<(&str, &str)> = sections
        .split('}')
        .filter_map(|section| section.split_once('{'))
        .map(|(name, options)| (name.trim(), options.trim()))
        .collect();
    let first_word = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        word.trim_end_matches(';').to_owned()
    };
    let replaced: Vec<String> = sections
        .iter()
        .flat_map(|(_, options)| options.split_terminator(';'))
        .map(first_word)
        .chain(["syncer".to_owned()])
        .collect();
    let text = fs::read_to_string(DRBD).expect("our own file");
    let mut edited = String::new();
    for line in text.lines() {
        let word = first_word(line);
        if replaced.contains(&word) {
            continue;
        }
        edited += line;
        edited.push('\n');
        if let Some((_, options)) = sections.iter().find(|(name, _)| *name == word) {
            edited += options;
            edited.push('\n');
        }
    }
    fs::write(DRBD, edited).expect("our own file");
}

/// Runs it as the first node, on the configuration in the file.
pub(super) fn run(words: &[&str]) -> Output {
    run_as(NODES[0], words, &[("CIB_file", CIB)])
}

/// What `check` finds.
pub(super) fn check() -> Vec<Finding> {
    of_report(&run(&["kaiwudb-ha", "check", "--json"]))
}

/// What it said in JSON.
pub(super) fn of_report(output: &Output) -> Vec<Finding> {
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", debian::text(output)));
    let findings = report["findings"].as_array().expect("a list of findings");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .map(|finding| Finding {
            id: word(&finding["id"]),
            fixes: finding["fixes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(word)
                .collect(),
            evidence: word(&finding["evidence"]),
        })
        .collect()
}
