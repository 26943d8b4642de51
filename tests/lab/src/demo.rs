//! Demonstrations: a database moves between two real nodes while a client commits, and nothing is lost.

mod page;
mod words;

use self::page::{Row, address, page};
use self::words::words;
use crate::cib::Cib;
use crate::vm::RoleAudit;
use crate::{
    Client, ClientOptions, Clients, Event, Heard, Installation, Kind, Lab, Machines, Options, Program,
    activate, install, names, package_from_environment, remove_leftovers,
};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

/// Tells this program to hold the lab; the process without it outlives an interrupted one and cleans up.
const WORD: &str = "--run";

/// What is shown.
#[derive(Debug)]
pub struct Demonstration {
    /// What the nodes are like.
    pub options: Options,
    /// What they run.
    pub cib: Cib,
    /// What happens to it.
    pub events: &'static [Event],
    /// How often the client commits.
    pub interval: Duration,
    /// What is told when everything runs.
    pub resources: &'static str,
}

/// One event, with everything until the client commits again.
const PATIENCE: Duration = Duration::from_secs(120);

/// The client without timeouts hangs when it has heard nothing so long after the other one commits again.
const HUNG: Duration = Duration::from_secs(30);

/// How long the kernel may take to end a lab whose process is gone.
const CLEAN: Duration = Duration::from_secs(30);

/// Columns of the table, in English and Chinese.
const HEADINGS: [(&str, &str); 6] = [
    ("event", "事件"),
    ("outage", "中断"),
    ("without timeouts", "无超时客户端"),
    ("acknowledged", "已确认提交"),
    ("lost", "丢失"),
    ("database runs on", "数据库所在节点"),
];

/// The whole program. Its one argument is the file that the report is written to.
pub fn main(demonstration: Result<Demonstration>) -> ExitCode {
    let result = if std::env::args().nth(1).as_deref() == Some(WORD) {
        demonstration.and_then(demonstrate)
    } else {
        supervise()
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the demonstration in a child, which Ctrl-C ends wherever it is, and removes what it leaves.
fn supervise() -> Result<bool> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "run it as root: it starts two cluster nodes"
    );
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let name = format!("demo-{}", std::process::id());
    #[allow(clippy::disallowed_methods)] // it is only waited for in the loop below
    let mut child = Command::new(std::env::current_exe()?)
        .args([WORD, &name])
        .args(std::env::args_os().skip(1))
        .spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if interrupted.swap(false, Ordering::Relaxed) {
            eprintln!(
                "\n{}",
                words("interrupted: the nodes are removed", "已中断：正在移除节点")
            );
            child.kill().context("cannot end the demonstration")?;
        }
        Deadline::after(PATIENCE).pause(Duration::from_millis(50));
    };
    let deadline = Deadline::after(CLEAN);
    while names().contains(&name) || Path::new("/run/kaiwudb-ha-lab").join(&name).exists() {
        remove_leftovers()?;
        ensure!(
            deadline.pause(Duration::from_millis(50)),
            "processes of the lab '{name}' do not end: 'lab clean' removes it later"
        );
    }
    Ok(status.success())
}

fn demonstrate(demonstration: Demonstration) -> Result<bool> {
    let begun = Instant::now();
    let say = |text: &str| eprintln!("[{:5.1} s] {text}", begun.elapsed().as_secs_f64());
    let name = std::env::args().nth(2).context("a name for the lab")?;
    let package = package_from_environment()?;
    let installation = Installation::from_environment()?;
    say(words(
        "two nodes boot and form a cluster",
        "两个节点启动并组成集群",
    ));
    let lab = Lab::up(&Options {
        name: Some(name),
        ..demonstration.options
    })?;
    say(match &installation.program {
        Program::Home(_) => words(
            "KWDB and our agents are installed on both; the cluster starts",
            "在两个节点上安装 KWDB 和代理，启动集群资源",
        ),
        Program::Binary(_) => words(
            "our agents and a stand-in for KWDB are installed on both (KWBASE_HOME=DIR takes a real one); the cluster starts",
            "在两个节点上安装代理和 KWDB 的模拟服务端（KWBASE_HOME=DIR 可换成真实的 KWDB），启动集群资源",
        ),
    });
    install(&lab, &package, &installation)?;
    activate(&lab, &demonstration.cib)?;
    let node = lab
        .cluster()
        .wait_active("KaiwuDB", Deadline::after(lab.patience(PATIENCE)))?;
    let (resources, interval) = (demonstration.resources, demonstration.interval.as_millis());
    let name = node.name();
    say(&words(
        format!(
            "{resources} run on {name}, fencing is on; a client commits every {interval} ms through the virtual IP"
        ),
        format!("{resources} 运行在 {name} 上，隔离已启用；客户端通过虚拟 IP 每 {interval} 毫秒提交一次"),
    ));

    let audit = lab.audit()?;
    let roles = match lab.machines() {
        Machines::Virtual => Some(lab.role_audit()?),
        Machines::Containers => None,
    };
    let options = ClientOptions {
        interval: demonstration.interval,
        ..ClientOptions::default()
    };
    let mut client = Client::start(&lab, &options)?;
    let mut patient = Clients::start(&lab, &[Kind::Patient])?;
    let mut rows = Vec::new();
    for event in demonstration.events.iter().copied() {
        rows.push(show(&lab, &client, &patient, event, &say)?);
    }
    let report = client.stop();
    patient.stop();
    let all_there = client.lost()?.is_empty() && patient.lost()? == 0;
    let once = is_good(audit.finish()) & is_good(roles.map_or(Ok(()), RoleAudit::finish));
    let conclusion = conclusion(&rows, once, begun.elapsed().as_secs_f64());
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{}\n{conclusion}", table(&rows))?;
    if let Some(path) = std::env::args_os().nth(3).map(PathBuf::from) {
        keep(&path, &page(&report, &rows, &conclusion))?;
        let name = words("Picture of the timeline:", "时间线图：");
        writeln!(out, "{name} {}", address(&path))?;
    }
    Ok(all_there && once && rows.iter().all(|row| row.lost == 0))
}

fn keep(path: &Path, page: &str) -> Result<()> {
    std::fs::write(path, page).with_context(|| format!("cannot write the report {}", path.display()))
}

fn show(lab: &Lab, client: &Client, patient: &Clients, event: Event, say: &impl Fn(&str)) -> Result<Row> {
    patient.wait_until_ready(Deadline::after(lab.patience(PATIENCE)))?;
    let before = client.report().acknowledged.len();
    let outcome = event.run(lab, client, Deadline::after(lab.patience(PATIENCE)))?;
    let (name, seconds) = (
        words(event.to_string(), chinese(event).to_owned()),
        outcome.outage().as_secs_f64(),
    );
    say(&words(
        format!("{name}: commits again on {} after {seconds:.2} s", outcome.to),
        format!("{name}：{seconds:.2} 秒后在 {} 上恢复提交", outcome.to),
    ));
    let patient = patient.heard(&outcome, lab.patience(HUNG));
    let lost = client.lost()?.len();
    Event::repair(lab)?;
    let acknowledged = client.report().acknowledged.len() - before;
    let (from, to) = (&outcome.from, &outcome.to);
    Ok(Row {
        event: name,
        from: outcome.gap.from,
        to: outcome.gap.to,
        patient: patient.first().map_or_else(String::new, Heard::to_string),
        acknowledged,
        lost,
        place: if from == to {
            words(format!("{to}, as before"), format!("{to}（未变）"))
        } else {
            words(format!("{to}, before on {from}"), format!("{to}（之前：{from}）"))
        },
    })
}

const fn chinese(event: Event) -> &'static str {
    match event {
        Event::Standby => "计划内待机（standby）",
        Event::Kill => "服务端被杀死（SIGKILL）",
        Event::Hang => "服务端无响应（SIGSTOP）",
        Event::PowerOff => "节点断电",
    }
}

/// Whether there never were two of something.
fn is_good(audit: Result<()>) -> bool {
    match audit {
        Ok(()) => true,
        Err(error) => {
            eprintln!("demo: {error:#}");
            false
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADINGS.map(|(english, chinese)| words(english, chinese).to_owned())];
    lines.extend(rows.iter().map(|row| {
        [
            row.event.clone(),
            format!("{:.2} s", row.outage()),
            row.patient.clone(),
            row.acknowledged.to_string(),
            row.lost.to_string(),
            row.place.clone(),
        ]
    }));
    let widths: [usize; 6] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].width()).max().unwrap_or(0));
    let line = |cells: &[String; 6]| {
        let pad = |column: usize| " ".repeat(widths[column] - cells[column].width());
        let [event, outage, patient, acknowledged, lost, place] = cells;
        format!(
            "{event}{}  {}{outage}  {}{patient}  {}{acknowledged}  {}{lost}   {place}\n",
            pad(0),
            pad(1),
            pad(2),
            pad(3),
            pad(4)
        )
    };
    lines.iter().map(line).collect()
}

fn conclusion(rows: &[Row], once: bool, seconds: f64) -> String {
    let lost: usize = rows.iter().map(|row| row.lost).sum();
    let acknowledged: usize = rows.iter().map(|row| row.acknowledged).sum();
    let mut text = words(
        format!("{acknowledged} commits acknowledged, {lost} lost"),
        format!("共确认 {acknowledged} 次提交，丢失 {lost} 次"),
    );
    if once {
        text += &words(
            format!(
                "; never two servers, two mounts of the disk or two virtual IPs at once; {seconds:.0} s in all"
            ),
            format!("；任何时刻都没有出现两个服务端、两处挂载或两个虚拟 IP；总用时 {seconds:.0} 秒"),
        );
    }
    text
}
