//! x
use lab::*;
use std::time::Duration;
fn s(n:u64)->Deadline{Deadline::after(Duration::from_secs(n))}
fn main() -> anyhow::Result<()> {
    let t = std::time::Instant::now();
    let suite = std::env::args().nth(1).unwrap_or("bookworm".into()).parse()?;
    let lab = Lab::up(&Options{suite,..Default::default()})?;
    eprintln!("up {:?}", t.elapsed());
    let t = std::time::Instant::now();
    lab.cluster().load(&cib::fenced())?;
    eprintln!("load {:?}", t.elapsed());
    lab.cluster().wait_idle(s(30))?;
    eprintln!("idle {:?}", t.elapsed());
    println!("{}", lab.cluster().text());
    let t = std::time::Instant::now();
    lab.nodes()[0].power_off()?;
    eprintln!("off {:?}", t.elapsed());
    loop { if !lab.fence_events().is_empty() {break;} s(1).pause(Duration::from_millis(10)); if t.elapsed()> Duration::from_secs(60) {break} }
    eprintln!("fenced {:?} {:?}", t.elapsed(), lab.fence_events());
    println!("{}", lab.cluster().text());
    lab.cluster().wait_online(s(60))?;
    eprintln!("back {:?}", t.elapsed());
    println!("{:?}", lab.cluster().status()?);
    if let Some(d) = std::env::args().nth(2) { lab.cluster().collect_logs(d.as_ref())?; std::fs::write(format!("{d}/mon.xml"), lab.cluster().crm_mon_xml()?)?; }
    Ok(())
}
