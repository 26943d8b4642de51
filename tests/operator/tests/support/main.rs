//! `kaiwudb-ha support` on a pair that is sound, and on one of which half is broken: it ends in time, holds what helps, and no secret.
//! The tests build on each other and run in this order.

use anyhow::{Context, Result, ensure};
use lab::{Lab, Node, Output};
use operator::{Test, deadline};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const TESTS: &[Test] = &[
    ("a_sound_pair", a_sound_pair),
    ("an_operator_reads_chinese", an_operator_reads_chinese),
    ("logs_that_lie_elsewhere", logs_elsewhere),
    ("disks_that_hang", disks_that_hang),
    (
        "pacemaker_stopped_a_cib_that_is_not_valid_and_no_journal",
        half_broken,
    ),
    ("a_node_without_power", a_node_without_power),
];

/// In no word of the cluster's own.
const SECRET: &str = "s3cr3t";
const ARCHIVE: &str = "/root/support.tar.gz";
const UNPACKED: &str = "/root/unpacked";

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("support");
    operator::run(TESTS, ground, &logs)
}

fn ground() -> Result<Lab> {
    let lab = operator::running()?;
    for node in lab.nodes() {
        // Where such things are in real clusters: logged command lines, statements, settings.
        node.shell(
            &format!(
                "systemd-run --quiet --wait --unit=kaiwudb-ha-probe logger -t pacemaker-fenced -p daemon.notice 'ran fence_x --password {SECRET}1 -P {SECRET}2 for neighbour1'
                 systemd-cat -t kwbase echo 'neighbour2'
                 logger -t crm-fence-peer 'neighbour8, as of a handler of DRBD, which belong to no unit'
                 mkdir -p /etc/kaiwudb-ha /etc/drbd.d /etc/kaiwudb/info
                 printf '[alerts]\\n[[alerts.webhook]]\\nurl = \"https://neighbour3/hook/{SECRET}3?key={SECRET}4\"\\n' >/etc/kaiwudb-ha/ha.toml
                 chmod 600 /etc/kaiwudb-ha/ha.toml
                 printf 'resource r9 {{ net {{ shared-secret \"{SECRET}5\"; }} }} # neighbour5\\n' >/etc/drbd.d/r9.res.off
                 printf '[global]\\npassword = {SECRET}6\\nneighbour6 = 1\\n' >/etc/kaiwudb/info/deploy.cfg
                 mkdir -p /var/log/pacemaker
                 echo \"Dec 01 00:00:01 x pacemaker-fenced [1] (log) notice: passwd={SECRET}7 neighbour7\" >>/var/log/pacemaker/pacemaker.log"
            ),
            deadline(),
        )?;
    }
    let node = &lab.nodes()[0];
    node.shell(
        &format!("crm_attribute --name login-token --update {SECRET}8; crm_attribute --node {} --name site_password --update {SECRET}9", node.cluster_name()),
        deadline(),
    )?;
    Ok(lab)
}

/// What the command said, and how long it took.
fn support(node: &Node, words: &str, locale: &str) -> Result<(Output, Duration)> {
    let begun = Instant::now();
    let line = format!(
        "rm -rf {ARCHIVE} {UNPACKED}; LC_ALL={locale} timeout 280 kaiwudb-ha support --output {ARCHIVE} {words} </dev/null"
    );
    let output = node.exec(
        ["sh", "-c", &line],
        lab::Deadline::after(Duration::from_secs(300)),
    )?;
    let took = begun.elapsed();
    eprintln!("{}: {:.1} s\n{output}", words, took.as_secs_f64());
    node.shell(
        &format!("[ $(stat -c %a {ARCHIVE}) = 600 ]; mkdir {UNPACKED}; tar -xzf {ARCHIVE} -C {UNPACKED} --strip-components=1"),
        deadline(),
    )?;
    let found = node.shell(&format!("grep -rl {SECRET} {UNPACKED} || true"), deadline())?;
    ensure!(found.trim().is_empty(), "{SECRET} is in {found}");
    Ok((output, took))
}

fn holds(node: &Node, file: &str, word: &str) -> Result<()> {
    node.shell(&format!("grep -q -e '{word}' {UNPACKED}/{file}"), deadline())
        .map(drop)
        .with_context(|| format!("no {word} in {file}"))
}

fn pair(lab: &Lab) -> [(&Node, &str); 2] {
    lab.nodes().each_ref().map(|node| (node, node.cluster_name()))
}

fn a_sound_pair(lab: &Lab) -> Result<()> {
    let [(node, _), _] = pair(lab);
    let (output, took) = support(node, "--since 2h", "C.UTF-8")?;
    ensure!(output.status == Some(0) || output.status == Some(4), "{output}");
    ensure!(took < Duration::from_secs(100), "{took:?}");
    for (other, name) in pair(lab) {
        for (file, word) in [
            ("journal/cluster.log", "neighbour1"),
            ("journal/agents.log", "neighbour8"),
            ("kaiwudb-ha/ha.toml", "neighbour3"),
            ("database/deploy.cfg", "neighbour6"),
            ("logs/pacemaker.log", "neighbour7"),
            ("pacemaker/cib.xml", "ocf"),
            ("pacemaker/cib-on-disk.xml", "site_password"),
            ("pacemaker/crm_mon.txt", "KaiwuDB"),
            ("corosync/corosync.conf", other.cluster_name()),
            ("corosync/corosync-quorumtool.txt", "Quorate"),
            ("kaiwudb-ha/facts.txt", name),
            ("kaiwudb-ha/metrics.txt", "cluster_up"),
            ("certificates.txt", "CN=node"),
            ("network/address.txt", "inet"),
            ("system/packages.txt", "pacemaker"),
        ] {
            holds(node, &format!("{name}/{file}"), word)?;
        }
    }
    // Only the node that decides has them.
    node.shell(
        &format!("ls {UNPACKED}/*/pe-inputs/*.xml | head -1 | xargs grep -q '<cib'"),
        deadline(),
    )?;
    let here = pair(lab)[0].1;
    for (file, word) in [
        ("check.txt", "errors:"),
        ("status.txt", "KaiwuDB"),
        ("status-ready.txt", ""),
    ] {
        holds(node, &format!("{here}/kaiwudb-ha/{file}"), word)?;
    }
    holds(node, "README", "cibadmin --query")
}

fn an_operator_reads_chinese(lab: &Lab) -> Result<()> {
    let [(node, _), _] = pair(lab);
    let (output, _) = support(node, "--node-only --max-size 8", "zh_CN.UTF-8")?;
    ensure!(output.stdout.contains("发送前请自行检查"), "{output}");
    holds(node, "README", "已去除")
}

/// Pacemaker's log and the server's are where the site wants them, and one of them was rotated a moment ago. They stay there.
fn logs_elsewhere(lab: &Lab) -> Result<()> {
    let [(node, name), (other, other_name)] = pair(lab);
    for node in [node, other] {
        node.shell(
            &format!(
                "install -d -m 777 /srv/kwdb-logs /srv/cluster-logs; echo 'PCMK_logfile=\"/srv/cluster-logs/pcmk.log\"' >>/etc/default/pacemaker
                 echo \"I261201 10:00:00.0 1 x  UPDATE t SET a = '{SECRET}10' -- neighbour10\" >/srv/kwdb-logs/kwbase.own.log
                 chown $(stat -c %U /var/lib/kaiwudb):$(stat -c %G /var/lib/kaiwudb) /srv/kwdb-logs /srv/kwdb-logs/kwbase.own.log
                 echo 'neighbour11, which is nobody of the server' >/srv/kwdb-logs/roots.log
                 echo \"Dec 01 00:00:01 x pacemaker-fenced [1] (log) notice: passwd={SECRET}12 neighbour12\" | gzip >/srv/cluster-logs/pcmk.log-20261201.gz"
            ),
            deadline(),
        )?;
    }
    other.shell("systemctl restart pacemaker", deadline())?;
    lab.cluster().wait_online(deadline())?;
    node.shell(
        "crm_resource -r KaiwuDB -p extra_args -v '--log-dir=/srv/kwdb-logs'",
        deadline(),
    )?;
    lab.cluster().wait_idle(deadline())?;
    let (output, _) = support(node, "--since 2h", "C.UTF-8")?;
    ensure!(matches!(output.status, Some(0 | 4)), "{output}");
    for name in [name, other_name] {
        holds(
            node,
            &format!("{name}/database/logs/kwbase.own.log"),
            "neighbour10",
        )?;
        holds(node, &format!("{name}/logs/pcmk.log-20261201.gz"), "neighbour12")?;
    }
    holds(node, &format!("{other_name}/logs/pcmk.log"), "pacemaker-controld")?;
    let taken = node.shell(&format!("grep -rl neighbour11 {UNPACKED} || true"), deadline())?;
    ensure!(taken.trim().is_empty(), "somebody else's file: {taken}");
    // `why` reads the same.
    let said = operator::command(node, "kaiwudb-ha why --json")?;
    ensure!(said.stdout.contains("/srv/cluster-logs/pcmk.log"), "{said}");
    Ok(())
}

/// A file system of which nothing ever answers, over this directory.
const HUNG: &str = "[ -e /dev/fuse ] || mknod /dev/fuse c 10 229
    (exec 9<>/dev/fuse; mount -i -t fuse hung DIRECTORY -o fd=9,rootmode=40000,user_id=0,group_id=0,allow_other; exec sleep 900) >/dev/null 2>&1 &
    echo $! >>/run/hung; sleep 1; grep -q ' DIRECTORY fuse ' /proc/self/mounts";

/// On one node a disk that nobody needs, on the other one that with Pacemaker's log; and `why` answers as well.
fn disks_that_hang(lab: &Lab) -> Result<()> {
    let [(node, name), (other, other_name)] = pair(lab);
    node.shell("mkdir -p /srv/hung", deadline())?;
    for (node, directory) in [
        (node, "/srv/hung"),
        (node, "/srv/kwdb-logs"),
        (other, "/var/log/pacemaker"),
    ] {
        node.shell(&HUNG.replace("DIRECTORY", directory), deadline())?;
    }
    let result = support(node, "--since 2h", "C.UTF-8");
    let begun = Instant::now();
    let said = other.exec(
        ["kaiwudb-ha", "why", "--json"],
        lab::Deadline::after(Duration::from_secs(120)),
    );
    let took_why = begun.elapsed();
    for node in [node, other] {
        node.shell(
            "kill $(cat /run/hung); sleep 0.5; for d in /srv/hung /srv/kwdb-logs /var/log/pacemaker; do umount -l $d 2>/dev/null || true; done; rm -f /run/hung",
            deadline(),
        )?;
    }
    let (output, took) = result?;
    eprintln!("support {took:?}, why {took_why:?}");
    ensure!(output.status == Some(4), "{output}");
    ensure!(took < Duration::from_secs(240), "{took:?}");
    for (file, word) in [
        (format!("{name}/journal/cluster.log"), "neighbour1"),
        (format!("{other_name}/journal/cluster.log"), "neighbour1"),
        (format!("{name}/logs/pacemaker.log"), "neighbour7"),
        (format!("{other_name}/pacemaker/cib.xml"), "ocf"),
        ("README".to_owned(), "/srv/kwdb-logs: "),
        ("README".to_owned(), "/var/log/pacemaker/pacemaker.log: "),
    ] {
        holds(node, &file, word)?;
    }
    ensure!(took_why < Duration::from_secs(100), "{took_why:?}");
    let said = said?;
    ensure!(said.stdout.contains("\"witnesses\""), "{said}");
    node.shell("crm_resource -r KaiwuDB -d extra_args", deadline())?;
    lab.cluster().wait_idle(deadline())
}

fn half_broken(lab: &Lab) -> Result<()> {
    let [(node, name), (_, other)] = pair(lab);
    node.shell(
        "systemctl stop pacemaker; cp -a /var/lib/pacemaker/cib/cib.xml /root/cib.xml
         sed -i 's/<primitive /<primitve /; $d' /var/lib/pacemaker/cib/cib.xml
         systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket systemd-journald 2>/dev/null || true
         mv /run/log/journal /run/log/was 2>/dev/null; mv /var/log/journal /var/log/was 2>/dev/null; mv /var/log/pacemaker /var/log/pacemaker.was
         echo '[broken' >>/etc/kaiwudb-ha/ha.toml",
        deadline(),
    )?;
    let result = support(node, "--since 2h", "C.UTF-8");
    node.shell(
        "mv /run/log/was /run/log/journal 2>/dev/null; mv /var/log/was /var/log/journal 2>/dev/null; mv /var/log/pacemaker.was /var/log/pacemaker
         cp -a /root/cib.xml /var/lib/pacemaker/cib/cib.xml; sed -i '$d' /etc/kaiwudb-ha/ha.toml
         systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald pacemaker",
        deadline(),
    )?;
    let (output, took) = result?;
    ensure!(matches!(output.status, Some(0 | 4)), "{output}");
    ensure!(took < Duration::from_secs(150), "{took:?}");
    for (file, word) in [
        (format!("{name}/pacemaker/cib-on-disk.xml"), "<primitve"),
        (format!("{name}/kaiwudb-ha/ha.toml"), "broken"),
        (format!("{name}/corosync/corosync.conf"), "totem"),
        (format!("{other}/pacemaker/crm_mon.txt"), "KaiwuDB"),
        (format!("{other}/logs/pacemaker.log"), "neighbour7"),
        (
            "README".to_owned(),
            "/var/log/pacemaker/pacemaker.log: there is no such file",
        ),
    ] {
        holds(node, &file, word)?;
    }
    lab.cluster().wait_online(deadline())
}

fn a_node_without_power(lab: &Lab) -> Result<()> {
    let [(node, name), (dead, other)] = pair(lab);
    // Fencing would give it power again before it is asked.
    node.shell("crm_attribute --name stonith-enabled --update false", deadline())?;
    dead.power_off()?;
    let result = support(node, "--since 2h", "C.UTF-8");
    dead.power_on()?;
    let (output, took) = result?;
    ensure!(output.status == Some(4), "{output}");
    ensure!(
        output.stdout.contains(&format!("{other}: nothing could be had")),
        "{output}"
    );
    ensure!(took < Duration::from_secs(150), "{took:?}");
    holds(node, "README", &format!("{other}: nothing could be had"))?;
    holds(node, &format!("{name}/journal/cluster.log"), "neighbour1")?;
    holds(node, &format!("{name}/kaiwudb-ha/check.txt"), "")
}
