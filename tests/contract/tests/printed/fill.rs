//! Values for what is known only when a command is printed.

use super::line::Line;

/// What stands in a command for something that is known only when it is printed, and a value for it. Those that a format string leaves
/// without a name are filled by the word before them.
const VALUES: [(&str, &str); 67] = [
    ("{device}  #", "pcs stonith list  #"),
    ("{cib}", "KaiwuDB"),
    ("{location}", "KaiwuDBGrp"),
    ("{self}", "node1"),
    ("{entry}", "192.0.2.9/24"),
    ("{interface}", "eth0"),
    ("update {address} ", "update ClusterIP "),
    ("nic=INTERFACE cidr_netmask=PREFIX", "nic=eth0 cidr_netmask=24"),
    ("cidr_netmask=PREFIX", "cidr_netmask=24"),
    ("ClusterIP ip=ADDRESS", "ClusterIP ip=192.0.2.9"),
    ("{ip}", "192.0.2.9"),
    ("{value}", "on"),
    ("set {option}=true", "set stonith-enabled=true"),
    ("{agent}", "ocf:heartbeat:IPaddr2"),
    ("{verb}", "enable"),
    ("{masked}", "corosync.service"),
    ("{units}", "corosync.service pacemaker.service"),
    ("{usual}", "restart"),
    ("update {id} options=", "update KaiwuFS options="),
    ("constraint delete {id}", "constraint delete ord"),
    ("{resource}", "KaiwuDB"),
    ("{id}", "KaiwuDB"),
    ("{node}", "node1"),
    ("{subject}", "KaiwuDB"),
    ("{nodes}", "node1 node2"),
    ("{victim}", "node1"),
    ("{keep}", "node1"),
    ("{other}", "node2"),
    ("op {name} timeout", "op start timeout"),
    ("{name}", "is-managed"),
    ("{device}", "/dev/drbd0"),
    ("{disk}", "/dev/vdb"),
    ("{type}", "ext4"),
    ("{file}", "FILE"),
    ("{safe}", "FILE2"),
    ("{refresh}", ""),
    ("{tool}", "nft"),
    ("{path}", "/etc/kaiwudb/certs/node.key"),
    ("{account}", "kaiwudb"),
    ("{root}", "/var/lib/kaiwudb"),
    ("{source}", "/dev/drbd0"),
    ("{options}", "noatime,"),
    ("{advised}", "600s"),
    ("{lifts}", "unfence-peer"),
    ("{UNFENCE}", "/usr/lib/drbd/crm-unfence-peer.9.sh"),
    ("{UNIT}", "kaiwudb.service"),
    ("{DATABASE_UNIT}", "kaiwudb.service"),
    ("{first_id}", "KaiwuFS"),
    ("{then_id}", "KaiwuDB"),
    ("{client}", "kwbase"),
    ("{security}", "--insecure"),
    ("{sql}", "SELECT 1"),
    ("{port}", "26257"),
    ("{instance}", "KaiwuCerts"),
    (
        "{xml}",
        "'<rsc_order id=\"new\" first=\"KaiwuFS\" then=\"ClusterIP\"/>'",
    ),
    ("{option}", "disk-flushes"),
    ("{drbd}", "kwdb"),
    ("{0}", "KaiwuDBGrp"),
    ("{1}", "ClusterIP"),
    ("{command}", "true"),
    ("{DRBD}", "kwdb"),
    ("RESOURCE", "KaiwuDB"),
    ("FENCE", "FENCE"),
    ("NODE1=ADDRESS", "node1=192.0.2.21"),
    ("NODE2=ADDRESS", "node2=192.0.2.22"),
    ("SAFE_PLACE", "/root/safe"),
    ("/BACKUP/", "/root/"),
];

/// Unnamed placeholders.
const BY_THE_WORD_BEFORE: [(&str, &str); 26] = [
    ("rsc_colocation id=\"", "col"),
    ("host auth ", "node1 node2"),
    ("with Promoted ", "KaiwuData-clone"),
    ("with Master ", "KaiwuData-clone"),
    ("update ", "KaiwuDB"),
    ("op add ", "KaiwuDB"),
    ("meta ", "KaiwuDB"),
    ("delete ", "ord"),
    ("colocation add ", "ClusterIP"),
    ("with ", "KaiwuDBGrp"),
    ("order promote ", "KaiwuData-clone"),
    ("then start ", "ClusterIP"),
    ("group add ", "KaiwuDBGrp"),
    ("interval=", "10s"),
    ("timeout=", "30s"),
    ("restart -r ", "KaiwuDB"),
    ("with @ ", "KaiwuData-clone"),
    ("create-node ", "node1"),
    ("--certs-dir=", "/etc/kaiwudb/certs"),
    ("-n ", "kaiwudb-store-KaiwuDB"),
    ("<op id=\"", "KaiwuDB-monitor"),
    ("id=\"", "ord"),
    ("with-rsc-role=\"", "Promoted"),
    ("--max-depth=2 ", "/var/lib/kaiwudb"),
    ("get-gi ", "kwdb"),
    ("sed -i ", "'/x/d'"),
];

/// The command with a value in every place.
pub(super) fn filled(line: &Line, promoted: &str) -> Result<Line, String> {
    let mut text = line.text.replace("{promoted}", promoted);
    text = text.replace("with Promoted", &format!("with {promoted}"));
    text = text.replace("role=Promoted", &format!("role={promoted}"));
    text = text.replace("{{", "{").replace("}}", "}");
    if text.starts_with("drbd") {
        text = text.replace("{resource}", "kwdb").replace("{name}", "kwdb");
    }
    for (placeholder, value) in VALUES {
        text = text.replace(placeholder, value);
    }
    while let Some(at) = text.find("{}") {
        let before = &text[..at];
        let known = BY_THE_WORD_BEFORE.iter().find(|(word, _)| before.ends_with(word));
        let Some((_, value)) = known else {
            return Err(format!("nobody has said what stands behind '{before}'"));
        };
        text.replace_range(at..at + 2, value);
    }
    Ok(Line {
        place: line.place.clone(),
        text,
    })
}
