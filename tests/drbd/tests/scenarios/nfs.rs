//! Another stack on the same agent: an NFS server.

use anyhow::{Context, Result, ensure};
use drbd_scenarios::{World, over_nfs};
use host::Deadline;
use lab::event::standby;
use lab::vm::choose_fence_handler;
use lab::{Node, cib};
use std::time::{Duration, Instant};

const SERVER: &str = "[nfsd]\nvers3=no\nthreads=4\n# How long a new server waits for clients of the old one.\ngrace-time=10\nlease-time=10\n";

fn minutes(minutes: u64) -> Deadline {
    Deadline::after(Duration::from_secs(60 * minutes))
}

fn prepare(world: &World) -> Result<()> {
    let nodes = world.lab.nodes();
    for node in nodes {
        node.write_file("/etc/nfs.conf.d/lab.conf", SERVER)?;
        // The lab's machines boot without it, and so they shall: the cluster starts it. nfsdcld would keep its files on the disk
        // open when the agent's stop wants to unmount it; the kernel does without.
        node.shell(
            "systemctl unmask --quiet nfs-server.service && systemctl disable --quiet nfs-server.service && \
             systemctl mask --quiet nfsdcld.service && mkdir -p /srv/nfs && sync",
            minutes(3),
        )?;
    }
    nodes[0].shell(
        "drbdadm primary drbd3 && mkfs.xfs -q -f /dev/drbd3 && mount /dev/drbd3 /mnt && mkdir /mnt/export && umount /mnt && drbdadm secondary drbd3",
        minutes(3),
    )?;
    let configuration = cib::drbd_nfs();
    choose_fence_handler(&world.lab, &configuration)?;
    world.lab.cluster().load(&configuration)?;
    world.lab.cluster().wait_active("ClusterIP", minutes(10))?;
    world.lab.cluster().wait_idle(minutes(10))
}

/// The node on which the export is.
fn server(world: &World) -> Result<&Node> {
    world.lab.cluster().wait_active("NfsExport", minutes(10))
}

pub(crate) fn switchover_and_power_off(world: &World) -> Result<()> {
    prepare(world)?;
    let roles = world.lab.role_audit()?;
    let lines = over_nfs(
        &world.lab,
        &format!("{}/export/lines", cib::NFS_ROOT),
        |confirmed| {
            confirmed.wait_for(20, minutes(5))?;
            for power_off in [false, true] {
                let from = server(world)?;
                let begun = Instant::now();
                if power_off {
                    from.power_off()?;
                } else {
                    standby(from, true)?;
                }
                world.wait("the address on the other node", 600, || {
                    let now = world.lab.cluster().where_is("ClusterIP")?;
                    Ok(now.is_some_and(|node| node != from.cluster_name()))
                })?;
                confirmed.wait_for(20, minutes(5)).context("after the move")?;
                println!(
                    "    {} -> {}: written again within {:.0} s{}",
                    from.name(),
                    server(world)?.name(),
                    begun.elapsed().as_secs_f64(),
                    if power_off { ", after its power-off" } else { "" }
                );
                if !power_off {
                    standby(from, false)?;
                    world.wait_drbd(server(world)?, "peer-disk:UpToDate")?;
                    world.lab.cluster().wait_idle(minutes(5))?;
                }
            }
            Ok(())
        },
    )?;
    roles.finish()?;
    println!("    {lines} lines were confirmed, and all are there");
    ensure!(lines > 60, "too few to mean anything");
    Ok(())
}
