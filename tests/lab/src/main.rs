//! x
use lab::*;
use std::time::Duration;
fn main() -> anyhow::Result<()> {
    let t = std::time::Instant::now();
    let lab = Lab::up(&Options::default())?;
    eprintln!("up {:?}", t.elapsed());
    for n in lab.nodes() { eprintln!("{:?}", n.exec(["sh","-c","hostname; ip -br a; systemctl is-system-running; ls -l /dev/kaiwudb-data"], Deadline::after(Duration::from_secs(5)))?); }
    eprintln!("{:?}", lab.nodes()[0].exec(["sleep","5"], Deadline::after(Duration::from_secs(1))));
    let l = lab.link(&lab.nodes()[0], Network::Cluster);
    for f in [0,100,50,0] { l.lossy(f)?; eprintln!("{f} {}", lab.nodes()[1].exec(["ping","-c20","-i0.02","-W1","10.77.0.11"], Deadline::after(Duration::from_secs(9)))?.stdout.lines().rev().nth(1).unwrap_or("")); }
    let t = std::time::Instant::now();
    lab.nodes()[0].power_off()?;
    eprintln!("off {:?}", t.elapsed());
    lab.nodes()[0].power_on()?;
    lab.nodes()[0].wait_booted(Deadline::after(Duration::from_secs(20)))?;
    eprintln!("on {:?}", t.elapsed());
    Ok(())
}
