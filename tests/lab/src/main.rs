//! x
use lab::*;
use std::time::{Duration,Instant};
fn s(n:u64)->Deadline{Deadline::after(Duration::from_secs(n))}
fn main() -> anyhow::Result<()> {
    let t = std::time::Instant::now();
    let suite = std::env::args().nth(1).unwrap_or("bookworm".into()).parse()?;
    let lab = Lab::up(&Options{suite,..Default::default()})?;
    eprintln!("up {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let mut inst = Installation::from_environment(std::env::args().nth(2).unwrap().as_ref());
    inst.tls = std::env::args().nth(3).is_some();
    provision(&lab, &inst)?;
    eprintln!("provision {:?}", t.elapsed());
    let audit = lab.audit()?;
    let mut client = Client::start(&lab, &ClientOptions::default())?;
    lab.cluster().load(&cib::guide())?;
    let r = lab.cluster().wait_idle(s(60));
    eprintln!("idle {:?} {:?}", t.elapsed(), r);
    println!("{}", lab.cluster().text());
    let r = client.wait_for_commits(50, s(10));
    if r.is_err() { lab.cluster().collect_logs("/tmp/labexp/fail".as_ref())?; }
    r?;
    println!("{}", client.report());
    for n in lab.nodes() { println!("{} {:?}", n.name(), n.observe()); }
    let a = Instant::now();
    let active = lab.cluster().wait_active("KaiwuDB", s(5))?;
    active.exec_ok(["crm_attribute","-N",active.cluster_name(),"-n","standby","-v","on"], s(10))?;
    lab.cluster().wait_idle(s(60))?;
    client.wait_for_commits(50, s(20))?;
    println!("standby {:?}", client.report().longest_gap_between(a, Instant::now()).unwrap().length());
    active.exec_ok(["crm_attribute","-N",active.cluster_name(),"-n","standby","-v","off"], s(10))?;
    let active = lab.cluster().wait_active("KaiwuDB", s(5))?;
    let a = Instant::now();
    active.power_off()?;
    client.wait_for_commits(50, s(60))?;
    println!("death {:?}", client.report().longest_gap_between(a, Instant::now()).unwrap().length());
    println!("{}", client.stop());
    println!("lost {:?} looks {} {:?}", client.lost()?, audit.looks(), audit.violations());
    for n in lab.nodes() { println!("{} {:?}", n.name(), n.observe()); }
    audit.finish()
}
