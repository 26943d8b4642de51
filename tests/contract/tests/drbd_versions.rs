//! What is written for DRBD, by `plan`, the lab and the manuals, against the real tools of both versions; and DRBD's own handler that lifts
//! a fencing constraint, which `check` and `status` tell people to run.

use contract::machine::shell;
use contract::on_debian;
use contract::programs::{Programs, repository};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const VERSIONS: [&str; 2] = ["8.4.11", "9.2.18"];
const SETTINGS: &str = "[nodes.node1]\naddress = \"192.0.2.11\"\ndisk = \"/dev/vdb\"\n[nodes.node2]\naddress = \"192.0.2.12\"\n\
     disk = \"/dev/vdb\"\n[virtual_ip]\naddress = \"192.0.2.100\"\n[drbd]\nresource = \"kwdb\"\n[storage]\ntype = \"ext4\"\n";
/// The nodes, for what is written for all resources.
const NODES: &str = "resource kwdb {\n device /dev/drbd0; meta-disk internal;\n on node1 { disk /dev/vdb; address 192.0.2.11:7789; }\n \
     on node2 { disk /dev/vdb; address 192.0.2.12:7789; }\n}\n";

fn program(path: &str, script: &str) {
    let _ = fs::remove_file(path);
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("the machine is private");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file");
}

/// Whether this version reads it; its words if not.
fn read_by(version: &str, text: &str) -> Result<String, String> {
    fs::write("/root/test.res", text).expect("the machine is private");
    let said = shell(&format!(
        "DRBD_DONT_WARN_ON_VERSION_MISMATCH=1 DRBD_DRIVER_VERSION_OVERRIDE={version} unshare --uts sh -c \
         'hostname node1; drbdadm -c /root/test.res dump 2>&1; echo status $?'"
    ));
    if said.trim_end().ends_with("status 0") {
        Ok(said)
    } else {
        Err(said)
    }
}

/// Read by its version, with everything that lifts the constraint there, and by the other one not.
#[track_caller]
fn fits(version: &str, text: &str) {
    let dump = read_by(version, text).unwrap_or_else(|said| panic!("for {version}: {said}\n{text}"));
    for needed in [
        "fencing          resource-and-stonith",
        "fence-peer",
        "crm-unfence-peer",
    ] {
        assert!(dump.contains(needed), "for {version}: no {needed}\n{dump}");
    }
    assert_eq!(
        dump.contains("unfence-peer     "),
        version.starts_with('9'),
        "{dump}"
    );
    let other = VERSIONS[usize::from(version == VERSIONS[0])];
    assert!(
        read_by(other, text).is_err(),
        "{version} and {other} read\n{text}"
    );
}

#[test]
fn what_is_written_fits_the_version_that_is_there() {
    let programs = Programs::get();
    on_debian(|| {
        // drbdadm looks for its own address when it reads everything.
        shell("ip address add 192.0.2.11/32 dev lo");
        fs::create_dir_all("/etc/kaiwudb-ha").expect("the machine is private");
        fs::write("/etc/kaiwudb-ha/ha.toml", SETTINGS).expect("the machine is private");
        for version in VERSIONS {
            // A module that is installed and not loaded.
            program("/usr/sbin/modinfo", &format!("echo {version}"));
            let planned = shell(&format!(
                "unshare --uts sh -c 'hostname node1; \"{}\" plan --format drbd'",
                programs.command.display()
            ));
            fits(version, &planned);
            fits(version, &format!("common {{\n{}", lab_common(version)));
            for manual in ["drbd-promotable.md", "drbd-promotable.zh-CN.md"] {
                fits(version, &in_manual(manual, version));
            }
        }
    });
}

/// The lab's options for all resources, and a resource.
fn lab_common(version: &str) -> String {
    let text = lab::vm::global_common(version);
    let common = text.split_once("common {\n").expect("it has a common section").1;
    format!("{common}{NODES}")
}

/// The sections that a manual prints for this version, in a resource.
fn in_manual(name: &str, version: &str) -> String {
    let text = fs::read_to_string(repository().join("docs").join(name)).expect("a manual can be read");
    let head = format!(
        "```drbd\n# DRBD {}\n",
        if version.starts_with('8') { "8.4" } else { "9" }
    );
    let block = text.split_once(&head).expect("the manual has a block for it").1;
    let block = block.split("```").next().expect("a block ends");
    // 9 has an option of which 8.4 knows nothing, 8.4 has fencing elsewhere: either refuses the other's.
    NODES.replacen("{\n", &format!("{{\n{block}"), 1)
}

/// A cluster with the constraint, and DRBD in this state: whether the constraint stays.
fn stays(events: &str) -> bool {
    fs::write("/root/events", events).expect("the machine is private");
    shell(
        "cp /root/fenced.xml /root/cib.xml; CIB_file=/root/cib.xml /usr/lib/drbd/crm-unfence-peer.9.sh --resource=kwdb \
         >/dev/null 2>&1 || :",
    );
    let cib = fs::read_to_string("/root/cib.xml").expect("a file of ours");
    cib.contains("drbd-fence-by-handler-kwdb-KaiwuData-clone")
}

/// The promise that manuals and messages make of it.
#[test]
fn the_handler_removes_the_constraint_only_while_every_disk_is_up_to_date() {
    let good = include_str!("../../fixtures/drbd-utils-9.22/events2-8.4.txt").replace("drbd3", "kwdb");
    on_debian(|| {
        program("/usr/sbin/drbdsetup", "cat /root/events");
        assert!(Path::new("/usr/sbin/drbdsetup").exists());
        fs::write(
            "/root/fenced.xml",
            "<cib crm_feature_set=\"3.0.14\" validate-with=\"pacemaker-3.0\" epoch=\"1\" num_updates=\"0\" admin_epoch=\"0\"><configuration>\n\
             <crm_config/>\n<nodes/>\n<resources>\n<clone id=\"KaiwuData-clone\">\n<primitive id=\"KaiwuData\" class=\"ocf\" \
             provider=\"kaiwudb\" type=\"drbd-promotable\">\n<instance_attributes id=\"i\">\n<nvpair id=\"n\" name=\"drbd_resource\" \
             value=\"kwdb\"/>\n</instance_attributes>\n</primitive>\n</clone>\n</resources>\n<constraints>\n<rsc_location \
             rsc=\"KaiwuData-clone\" id=\"drbd-fence-by-handler-kwdb-KaiwuData-clone\">\n<rule role=\"Master\" score=\"-INFINITY\" \
             id=\"r\">\n<expression attribute=\"#uname\" operation=\"ne\" value=\"node1\" id=\"e\"/>\n</rule>\n</rsc_location>\n\
             </constraints></configuration><status/></cib>\n",
        )
        .expect("the machine is private");
        assert!(!stays(&good));
        for (now, then) in [
            ("peer-disk:UpToDate", "peer-disk:Outdated"),
            ("peer-disk:UpToDate", "peer-disk:DUnknown"),
            ("peer-disk:UpToDate", "peer-disk:Inconsistent"),
            (" disk:UpToDate", " disk:Inconsistent"),
            (" disk:UpToDate", " disk:Diskless"),
        ] {
            assert!(good.contains(now), "{now}");
            assert!(stays(&good.replacen(now, then, 1)), "{then}");
        }
        assert!(stays(""), "DRBD is down");
    });
}
