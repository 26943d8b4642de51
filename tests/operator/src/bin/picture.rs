//! `make monitoring-picture`: a real Prometheus with our rules scrapes two nodes of the lab while faults happen, and its own pages become
//! pictures.

use anyhow::{Context, Result, anyhow, ensure};
use lab::{Deadline, Event, Lab, Network, Node, cib, event};
use nix::sys::signal::Signal;
use operator::{command, deadline};
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The port of Prometheus, at the lab's end of the management network.
const PORT: u16 = 9090;
/// The port of the nodes' metrics.
const METRICS: u16 = 26957;
const RULES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../packaging/monitoring/kaiwudb-ha.rules.yml"
);

/// One below the other on the page of graphs.
const GRAPHS: [&str; 5] = [
    "max by (node) (kaiwudb_ha_database_ready)",
    "min by (node) (kaiwudb_ha_node_online)",
    "max by (node, cause) (kaiwudb_ha_last_outage_seconds)",
    "sum by (node, channel) (kaiwudb_ha_alert_undelivered_messages)",
    "count by (alertname, alertstate) (ALERTS)",
];

/// Ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<()> {
    let directory = std::env::args().nth(1).context("picture DIRECTORY")?;
    let directory = PathBuf::from(directory);
    fs::create_dir_all(&directory)?;
    let lab = operator::ground()?;
    lab::activate(&lab, &cib::ocf())?;
    hand_out(&lab)?;
    let _prometheus = Running(prometheus(&lab, &directory)?);
    let begun = std::time::Instant::now();
    happen(&lab)?;
    let minutes = begun.elapsed().as_secs() / 60 + 1;
    let graphs: Vec<String> = (0..)
        .zip(GRAPHS)
        .map(|(number, query)| {
            format!("g{number}.expr={query}&g{number}.tab=0&g{number}.range_input={minutes}m")
        })
        .collect();
    take(
        &lab,
        &directory,
        "graph",
        &graphs.join("&").replace(' ', "%20"),
        3550,
    )?;
    take(&lab, &directory, "alerts", "", 1900)
}

/// Metrics on the management network, and one channel for messages, where no server is.
fn hand_out(lab: &Lab) -> Result<()> {
    let gone = Network::Management.address(1);
    for node in lab.nodes() {
        let address = node.address(Network::Management);
        node.write_file(
            "/etc/kaiwudb-ha/ha.toml",
            format!("[metrics]\npair = \"lab\"\n[alerts]\n[[alerts.webhook]]\nurl = \"http://{gone}:9/\"\n"),
        )?;
        node.shell(
            &format!(
                "mkdir -p /etc/systemd/system/kaiwudb-ha-metrics.socket.d
                 printf '[Socket]\\nListenStream=\\nListenStream={address}:{METRICS}\\nFreeBind=yes\\n' \
                   >/etc/systemd/system/kaiwudb-ha-metrics.socket.d/lab.conf
                 systemctl daemon-reload && systemctl enable --quiet --now kaiwudb-ha-metrics.socket kaiwudb-ha-ready.timer"
            ),
            deadline(),
        )?;
    }
    let applied = lab.nodes()[0].exec(
        ["sh", "-c", "kaiwudb-ha apply --yes </dev/null"],
        Deadline::after(Duration::from_secs(150)),
    )?;
    ensure!(applied.status == Some(0), "{applied}");
    Ok(())
}

/// In the lab's network.
fn inside<T: Send>(lab: &Lab, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    // A thread of its own: one that has entered the lab's network stays there.
    let entered = || lab.enter_network().and_then(|()| work());
    let done = std::thread::scope(|scope| scope.spawn(entered).join());
    done.map_err(|_| anyhow!("a thread has panicked"))?
}

fn here() -> Ipv4Addr {
    Network::Management.address(1)
}

fn prometheus(lab: &Lab, directory: &Path) -> Result<Child> {
    let targets = lab.nodes().each_ref().map(|node| {
        let address = node.address(Network::Management);
        format!("'{address}:{METRICS}'")
    });
    let settings = format!(
        "global: {{scrape_interval: 2s, evaluation_interval: 2s}}\nrule_files: ['{RULES}']\n\
         scrape_configs: [{{job_name: kwdb, scrape_timeout: 2s, static_configs: [{{targets: [{}]}}]}}]\n",
        targets.join(", ")
    );
    let file = directory.join("prometheus.yml");
    fs::write(&file, settings)?;
    let data = directory.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    let log = fs::File::create(directory.join("prometheus.log"))?;
    inside(lab, || {
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={}:{PORT}", here()))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        child.context("cannot start Prometheus")
    })
}

/// Each fault, and time to see it.
fn happen(lab: &Lab) -> Result<()> {
    let seconds = |seconds| Deadline::after(Duration::from_secs(seconds)).pause(Duration::from_secs(seconds));
    let pair = || -> Result<(&Node, &Node)> {
        let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
        let [one, other] = lab.nodes();
        Ok((active, if one.name() == active.name() { other } else { one }))
    };
    seconds(45);
    eprintln!("the server is killed");
    event::signal(event::server(pair()?.0)?, Signal::SIGKILL)?;
    seconds(45);
    eprintln!("the node that serves loses power");
    pair()?.0.power_off()?;
    seconds(75);
    Event::repair(lab)?;
    eprintln!("Pacemaker is stopped on the other node for three minutes");
    let (active, passive) = pair()?;
    passive.shell("systemctl stop pacemaker", deadline())?;
    command(active, "kaiwudb-ha status --ready --publish")?;
    seconds(180);
    passive.shell("systemctl start pacemaker", deadline())?;
    lab.cluster().wait_online(deadline())?;
    command(active, "kaiwudb-ha status --ready --publish")?;
    seconds(45);
    Ok(())
}

/// A picture of one of its pages.
fn take(lab: &Lab, directory: &Path, page: &str, query: &str, height: u32) -> Result<()> {
    let path = directory.join(format!("{page}.png"));
    let url = format!("http://{}:{PORT}/classic/{page}?{query}", here());
    let words = [
        "--headless",
        // Root may not have the sandbox.
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--virtual-time-budget=20000",
    ];
    let taken = inside(lab, || {
        let output = Command::new("timeout")
            .args(["120", "chromium"])
            .args(words)
            .arg(format!("--window-size=1100,{height}"))
            .arg(format!("--screenshot={}", path.display()))
            .arg(url)
            .stdin(Stdio::null())
            .output();
        output.context("cannot start chromium")
    })?;
    ensure!(
        taken.status.success() && path.exists(),
        "{}",
        String::from_utf8_lossy(&taken.stderr)
    );
    eprintln!("{}", path.display());
    Ok(())
}
