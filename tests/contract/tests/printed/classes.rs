//! Who looks at a command, by its program.

use super::fill::filled;
use super::line::Line;
use super::stage::Stage;
use super::{tools, words};

/// A name of a class, for the count; or what is wrong.
pub(super) type Verdict = Result<&'static str, String>;

/// Looks at one command.
pub(super) fn check(stage: &Stage, line: &Line) -> Verdict {
    if ["net {", "disk {", "handlers {", "options {"]
        .iter()
        .any(|section| line.text.starts_with(section))
    {
        return tools::drbd_section(stage, line);
    }
    let line = filled(line, stage.promoted)?;
    let words = line.words()?;
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((program, arguments)) = all.split_first() else {
        return Err("nothing is left of it".to_owned());
    };
    match *program {
        "pcs" => tools::pcs(stage, arguments),
        "crm" => tools::crmsh(stage, arguments),
        "cibadmin" | "crm_attribute" | "crm_mon" | "crm_resource" | "crm_simulate" | "crm_standby"
        | "stonith_admin" | "crm_verify" | "crm_node" | "crm_report" => {
            tools::pacemaker(stage, program, arguments)
        }
        "drbdadm" => tools::drbdadm(stage, arguments),
        "drbdsetup" | "drbdmeta" => words::verb(stage, program, arguments),
        "/usr/lib/drbd/crm-unfence-peer.9.sh" => tools::unfence(stage, arguments),
        "kaiwudb-ha" => tools::ours(stage, arguments),
        "kwbase" | "./kwbase" => words::kwbase(arguments),
        "docker" if arguments.contains(&"./kwbase") => words::kwbase(&arguments[3..]),
        "make" => words::make(arguments),
        "man" => words::man(arguments),
        "systemctl" => words::systemctl(stage, arguments),
        "corosync.conf:" | "/etc/multipath.conf:" => Ok("a line of a file, read by people only"),
        "./deploy.sh" | "docker" | "multipathd" | "chronyc" | "fence_ipmilan" | "yum" => {
            Ok("programs of others that the test does not have: read by people only")
        }
        "apt" | "apt-get" | "cat" | "chmod" | "chown" | "corosync-cfgtool" | "corosync-keygen" | "dd"
        | "du" | "findmnt" | "grep" | "gzip" | "hostnamectl" | "journalctl" | "ln" | "mkfs" | "modinfo"
        | "mv" | "ocf-tester" | "openssl" | "sed" | "udevadm" | "umount" | "uname" | "wipefs" | "sort"
        | "install" | "dpkg-reconfigure" | "ip" | "passwd" | "sysctl" => {
            words::help(stage, program, arguments, "programs of the system, options only")
        }
        "cd" | "vi" | "ssh" | "scp" => Ok("cd, vi, ssh and scp, read by a shell only"),
        other => Err(format!("'{other}' is in no class: say what is asked of it")),
    }
}
