//! What does not stop the database but needs attention. Shown in `crm_mon`, never a reason for a failover.

use crate::config::Config;
use crate::run_directory::RunDirectory;
use crate::sentinel;
use crate::values::MinFree;
use host::{Deadline, mount};
use kwdb::installation::SecureMode;
use std::path::PathBuf;
use std::time::Duration;

/// Asking a file system for its room takes no time; one that needs longer is stalled, which is worth telling as well.
const USAGE_TIMEOUT: Duration = Duration::from_secs(2);
const SECONDS_A_DAY: i64 = 86_400;

/// Every reason to look, in one sentence; `None` when there is none.
pub(crate) fn reasons(config: &Config, run: &RunDirectory, deadline: Deadline) -> Option<String> {
    let found: Vec<String> = [
        room(config, deadline),
        stall(config, run),
        expiry(config),
        enabled_unit(),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn room(config: &Config, deadline: Deadline) -> Option<String> {
    let root = config.data_root();
    let usage = mount::usage(root, deadline.slice(USAGE_TIMEOUT));
    // The table of all mounts is read only where the directory itself does not say it.
    let is_mounted = usage.as_ref().is_ok_and(|usage| usage.mounted_device.is_some());
    if config.require_mount && !is_mounted && mount::at(root).is_ok_and(|mount| mount.is_none()) {
        return Some(format!(
            "{} is not mounted although the server runs",
            root.display()
        ));
    }
    let usage = match usage {
        Ok(usage) => usage,
        // Too little time was left to ask: that says nothing about the file system.
        Err(_) if deadline.is_over() => return None,
        Err(error) => {
            return Some(format!(
                "the file system of {} does not answer: {error}",
                root.display()
            ));
        }
    };
    if config
        .min_free
        .is_undercut_by(usage.free_bytes, usage.total_bytes)
    {
        return Some(format!(
            "{} has only {} MiB of {} MiB free; the server crashes within a minute once the disk is full, and the other \
             node's disk is as full: free space or enlarge it",
            root.display(),
            usage.free_bytes >> 20,
            usage.total_bytes >> 20
        ));
    }
    // An absolute size says nothing about inodes.
    let few_inodes = matches!(config.min_free, MinFree::Percent(_))
        && usage.total_inodes > 0
        && config
            .min_free
            .is_undercut_by(usage.free_inodes, usage.total_inodes);
    few_inodes.then(|| {
        format!(
            "{} has only {} of {} inodes free",
            root.display(),
            usage.free_inodes,
            usage.total_inodes
        )
    })
}

fn stall(config: &Config, run: &RunDirectory) -> Option<String> {
    let stalled = sentinel::flush_stalled_for(run)?;
    Some(format!(
        "flushing {} has not returned for {:.0} s; the disk or DRBD does not answer",
        config.data_root().display(),
        stalled.as_secs_f64()
    ))
}

/// The certificate that expires first, when that is soon or past.
fn expiry(config: &Config) -> Option<String> {
    if config.server.secure_mode != SecureMode::Tls {
        return None;
    }
    let directory = &config.server.certs_directory;
    let set = match certs::directory::read(directory, false) {
        Ok(Some(snapshot)) => snapshot.set,
        Ok(None) => {
            return Some(format!(
                "{} is gone; a restart of the server would fail",
                directory.display()
            ));
        }
        Err(error) => return Some(format!("{} cannot be read: {error}", directory.display())),
    };
    let now = host::now_seconds();
    let expected = certs::Expectations {
        now,
        node_user: "node".into(),
        required_names: Vec::new(),
    };
    let verdict = certs::judge(&set, &expected);
    let first = verdict.first_to_expire()?;
    let days = (first.not_after - now).div_euclid(SECONDS_A_DAY);
    let how = match days {
        ..0 => "has expired".to_owned(),
        _ if days.unsigned_abs() < config.cert_warn_days => format!("expires in {days} d"),
        _ => return None,
    };
    Some(format!(
        "{} in {} {how}; make new ones on this node with kwbase cert; cert-sync, or SIGHUP, makes the server read them",
        first.name,
        directory.display()
    ))
}

/// Enabled units are links in `*.wants` directories; asking systemd would take a process.
fn enabled_unit() -> Option<String> {
    const UNIT: &str = "kaiwudb.service";
    let wants = std::fs::read_dir("/etc/systemd/system")
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let enabled = |directory: PathBuf| {
        directory
            .extension()
            .is_some_and(|extension| extension == "wants")
            && directory.join(UNIT).symlink_metadata().is_ok()
    };
    wants.into_iter().any(enabled).then(|| {
        format!("{UNIT} is enabled and would start the server outside the cluster at boot: systemctl disable {UNIT}")
    })
}
