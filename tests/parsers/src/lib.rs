//! Everything that reads what others have written, each as a function of bytes that must return: without a panic, without a hang, and
//! without taking more memory than its input explains.

mod cluster;
mod database;
mod disks;
mod site;

/// Reads the bytes as one kind of text.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("alert-event", cluster::alert_event),
    ("bundle", database::bundle),
    ("certificates", database::certificates),
    ("cib", cluster::cib),
    ("connection-list", site::connection_list),
    ("crm-mon", cluster::crm_mon),
    ("dump-xml", disks::dump_xml),
    ("environment-file", database::environment_file),
    ("events2", disks::events2),
    ("generations", disks::generations),
    ("http-reply", database::http_reply),
    ("mode-file", database::mode_file),
    ("ocf-environment", site::ocf_environment),
    ("proc-drbd", disks::proc_drbd),
    ("res-file", disks::res_file),
    ("settings", site::settings),
    ("sql-reply", database::sql_reply),
];

/// The target of that name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, target)| *target)
}

/// Variables, one a line, as `NAME=value`.
fn variables(bytes: &[u8]) -> ocf::Env {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
