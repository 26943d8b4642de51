//! The handbook's pages are done in the lab, from the pages themselves; see [`page`] for the notation. Each language is typed in its own locale.

mod page;
mod play;
mod screen;

use anyhow::{Context, Result, ensure};
use lab::Lab;
use operator::Test;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("the_notation_is_read", |_| page::notation()),
    ("another_screen_is_noticed", |_| screen::notices()),
    ("zh_CN::07", |lab| play::part(lab, "zh-CN", "07")),
    ("en::07", |lab| play::part(lab, "en", "07")),
    ("zh_CN::08", |lab| play::part(lab, "zh-CN", "08")),
    ("en::08", |lab| play::part(lab, "en", "08")),
    ("zh_CN::09", |lab| play::part(lab, "zh-CN", "09")),
    ("en::09", |lab| play::part(lab, "en", "09")),
    ("zh_CN::10", |lab| play::part(lab, "zh-CN", "10")),
    ("en::10", |lab| play::part(lab, "en", "10")),
];

/// The cluster of the fourth part, on a disk that both nodes reach.
fn ground() -> Result<Lab> {
    let lab = operator::bare_ground()?;
    let node = &lab.nodes()[0];
    node.write_file("/root/fill-in.sed", include_str!("../../files/fill-in.sed"))?;
    for line in [
        "pcs host auth node1 addr=10.77.0.11 node2 addr=10.77.0.12 -u hacluster -p secret",
        "pcs cluster setup kwdb node1 addr=10.77.0.11 node2 addr=10.77.0.12 --start --enable --wait=100",
        "kaiwudb-ha plan --init >/etc/kaiwudb-ha/ha.toml && sed -i -f /root/fill-in.sed /etc/kaiwudb-ha/ha.toml",
        "scp -q /etc/kaiwudb-ha/ha.toml 10.77.0.12:/etc/kaiwudb-ha/",
        "kaiwudb-ha apply --yes",
    ] {
        let done = operator::patiently(node, line)?;
        ensure!(done.status == Some(0), "{line}: {done}");
    }
    operator::on_the_servers_node(&lab, "kaiwudb-ha durable --yes", "no server answers")?;
    let package = lab::package_from_environment()?;
    let name = package.file_name().context("the package has no name")?;
    for node in lab.nodes() {
        node.write_file(Path::new("/root").join(name), fs::read(&package)?)?;
        // The next release of the vendor's.
        node.shell(include_str!("../../files/package.sh"), operator::deadline())?;
        node.write_file_with_mode(
            "/root/kwdb_install/deploy.sh",
            include_str!("../../files/deploy.sh"),
            0o755,
        )?;
        // As the second part has it.
        node.shell(
            "mkdir -p /root/ca && mv /etc/kaiwudb/certs/ca.key /root/ca/",
            operator::deadline(),
        )?;
    }
    lab.cluster()
        .wait_idle(operator::deadline())
        .context("the cluster of the fourth part")?;
    Ok(lab)
}

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("handbook");
    operator::run(TESTS, ground, &logs)
}
