//! What is planned for different settings, as files that `tests/simulation` runs through Pacemaker's own scheduler.

use crate::design::fixture::{context, plan};
use pacemaker::merge;
use std::path::Path;

const NODES: &str =
    "[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\naddress = \"10.0.0.2\"\n[storage]\ntype = \"ext4\"\n";
const DRBD: &str = "[drbd]\nresource = \"kwdb\"\ndevice = \"/dev/drbd0\"\n";
const DISK: &str = "device = \"/dev/sdb\"\n";
const IPV4: &str = "[virtual_ip]\naddress = \"192.0.2.100\"\n";
const IPV6: &str = "[virtual_ip]\naddress = \"2001:db8::100\"\n";
const EACH: &str = "[nodes.a.fencing]\nagent = \"fence_ipmilan\"\nip = \"10.0.1.1\"\n[nodes.b.fencing]\nagent = \"fence_ipmilan\"\nip = \"10.0.1.2\"\n";
const ONE: &str = "[fencing.device]\nagent = \"fence_xvm\"\n";
const CERTIFICATES: &str = "[certificates]\nsync = true\n";

/// Without a fencing device nothing starts unless a site has said so.
const UNFENCED: &str = "<crm_config><cluster_property_set id=\"o\"><nvpair id=\"o1\" name=\"stonith-enabled\" value=\"false\"/></cluster_property_set></crm_config>";
const FENCED: &str = "<crm_config/>";
const CLUSTER: &str = "<nodes><node id=\"1\" uname=\"a\"/><node id=\"2\" uname=\"b\"/></nodes>";
const ALONE: &str = "<resources/><constraints/>";
/// A service of somebody else, with a DRBD resource of its own.
const BESIDE: &str = "<resources><clone id=\"WebData-clone\"><meta_attributes id=\"w\"><nvpair id=\"w1\" name=\"promotable\" value=\"true\"/></meta_attributes>\
    <primitive id=\"WebData\" class=\"ocf\" provider=\"linbit\" type=\"drbd\"><instance_attributes id=\"wi\"><nvpair id=\"wi1\" name=\"drbd_resource\" value=\"o0\"/>\
    </instance_attributes></primitive></clone><group id=\"WebGrp\"><primitive id=\"WebFS\" class=\"ocf\" provider=\"heartbeat\" type=\"Filesystem\">\
    <instance_attributes id=\"wf\"><nvpair id=\"wf1\" name=\"device\" value=\"/dev/drbd7\"/><nvpair id=\"wf2\" name=\"directory\" value=\"/srv/web\"/>\
    <nvpair id=\"wf3\" name=\"fstype\" value=\"ext4\"/></instance_attributes></primitive><primitive id=\"Web\" class=\"ocf\" provider=\"heartbeat\" type=\"apache\"/>\
    </group></resources><constraints><rsc_colocation id=\"wc\" rsc=\"WebGrp\" with-rsc=\"WebData-clone\" with-rsc-role=\"Promoted\" score=\"INFINITY\"/>\
    <rsc_order id=\"wo\" first=\"WebData-clone\" first-action=\"promote\" then=\"WebGrp\"/></constraints>";

#[test]
fn what_the_simulations_run_is_what_is_planned() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/simulation/cibs");
    let mut stale = Vec::new();
    for (name, settings, options, beside) in [
        ("drbd-without-fencing", &[NODES, DRBD, IPV4][..], UNFENCED, ALONE),
        ("drbd-fencing-of-each", &[NODES, DRBD, IPV4, EACH], FENCED, ALONE),
        (
            "drbd-one-fencing-device",
            &[NODES, DRBD, IPV4, ONE],
            FENCED,
            ALONE,
        ),
        (
            "drbd-certificates-ipv6",
            &[NODES, DRBD, IPV6, EACH, CERTIFICATES],
            FENCED,
            ALONE,
        ),
        ("drbd-beside-another", &[NODES, DRBD, IPV4, EACH], FENCED, BESIDE),
        ("disk", &[NODES, DISK, IPV4, EACH], FENCED, ALONE),
        (
            "disk-certificates-ipv6",
            &[NODES, DISK, IPV6, ONE, CERTIFICATES],
            FENCED,
            ALONE,
        ),
    ] {
        let plan = plan(
            &context(&settings.concat()),
            &format!("{options}{CLUSTER}{beside}"),
        );
        let text = merge::document(&plan.found.live, plan.merged()).text();
        // A line for each element can be compared by eye.
        let text = text.replace("><", ">\n<") + "\n";
        let path = directory.join(format!("{name}.xml"));
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            std::fs::write(&path, text).unwrap();
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "written anew, look at them and commit them: {stale:?}"
    );
}
