//! systemd's units that matter to the cluster.

use host::{Command, CommandError, Deadline};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The database's unit, as the vendor's installer makes it.
pub const DATABASE: &str = "kaiwudb.service";

/// Those that keep the clock right.
pub const TIME_SERVICES: [&str; 6] = [
    "chrony.service",
    "chronyd.service",
    "ntp.service",
    "ntpd.service",
    "ntpsec.service",
    "systemd-timesyncd.service",
];

const UNITS: [&str; 7] = [
    DATABASE,
    "drbd.service",
    "corosync.service",
    "pacemaker.service",
    "sbd.service",
    "multipathd.service",
    "multipathd.socket",
];

/// What a unit limits and an agent that starts its server itself does not. The vendor's installer writes `CPUQuota`.
const LIMITS: [&str; 5] = [
    "CPUQuotaPerSecUSec",
    "MemoryMax",
    "MemoryHigh",
    "AllowedCPUs",
    "CPUAffinity",
];

/// What systemd says of one unit. Units that it does not have are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unit {
    /// `active`, `inactive`, `failed`, …
    pub active: String,
    /// `enabled`, `disabled`, `static`, `masked`, …
    pub enabled: String,
    /// `simple`, `notify`, …; sockets have none.
    pub kind: String,
    /// `control-group`, `mixed`, `process`, `none`.
    pub kill_mode: String,
    /// Program that is called to stop it, if any.
    pub stop_program: Option<String>,
    /// `no`, `on-failure`, `always`, …
    pub restart: String,
    /// Units that are started after it, and so stopped before it.
    pub before: Vec<String>,
    /// Limits of its control group and of its processors, as systemd names them; `CPUQuotaPerSecUSec=2s`.
    pub limits: Vec<String>,
}

/// Asks systemd for all of them at once.
pub(super) fn gather(deadline: Deadline) -> Result<BTreeMap<String, Unit>, CommandError> {
    let properties =
        "--property=Id,LoadState,ActiveState,UnitFileState,Type,KillMode,ExecStop,Restart,Before";
    let limits = format!("--property={}", LIMITS.join(","));
    let output = Command::new("systemctl")
        .args(["show", "--no-pager", properties, &limits])
        .args(UNITS)
        .args(TIME_SERVICES)
        .run_ok(deadline)?;
    Ok(parse(&output.text()))
}

fn parse(text: &str) -> BTreeMap<String, Unit> {
    text.split("\n\n")
        .filter_map(|block| {
            let pairs: BTreeMap<&str, &str> = block.lines().filter_map(|line| line.split_once('=')).collect();
            let get = |name: &str| pairs.get(name).copied().unwrap_or_default().to_owned();
            // A masked unit exists, but a missing one is "not-found".
            if !matches!(get("LoadState").as_str(), "loaded" | "masked") {
                return None;
            }
            let stop_program = pairs.get("ExecStop").and_then(|value| {
                let path = value.split_once("path=")?.1;
                Some(path.split([' ', ';']).next()?.to_owned())
            });
            Some((
                get("Id"),
                Unit {
                    active: get("ActiveState"),
                    enabled: get("UnitFileState"),
                    kind: get("Type"),
                    kill_mode: get("KillMode"),
                    stop_program,
                    restart: get("Restart"),
                    before: get("Before").split_whitespace().map(str::to_owned).collect(),
                    limits: LIMITS
                        .iter()
                        .filter_map(|name| Some((name, *pairs.get(name)?)))
                        .filter(|(_, value)| !matches!(*value, "" | "infinity"))
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect(),
                },
            ))
        })
        .collect()
}

impl Unit {
    /// Whether it runs.
    pub fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "activating" | "reloading")
    }

    /// Whether it starts at boot.
    pub fn is_enabled(&self) -> bool {
        matches!(self.enabled.as_str(), "enabled" | "enabled-runtime")
    }

    /// Whether it can neither be enabled nor started.
    pub fn is_masked(&self) -> bool {
        matches!(self.enabled.as_str(), "masked" | "masked-runtime")
    }

    /// Whether stopping it sends SIGTERM twice: once by the program `kill`, and once more by systemd as soon as that has ended
    /// (systemd.service(5), `ExecStop=`).
    pub fn signals_twice(&self) -> bool {
        self.stop_program
            .as_deref()
            .is_some_and(|program| program.ends_with("/kill"))
            && matches!(self.kill_mode.as_str(), "control-group" | "mixed" | "process")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_unit_is_recognised() {
        // systemd 252, the vendor's unit of KWDB 3.2.1; the second unit does not exist.
        let units = parse(
            "Type=simple\nRestart=no\nBefore=multi-user.target shutdown.target\nExecStop={ path=/bin/kill ; argv[]=/bin/kill $MAINPID ; ignore_errors=no ; \
             start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\nKillMode=control-group\n\
             Id=kaiwudb.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\
             CPUQuotaPerSecUSec=2s\nMemoryMax=infinity\nMemoryHigh=infinity\nAllowedCPUs=\nCPUAffinity=\n\n\
             KillMode=control-group\nId=drbd.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n",
        );
        assert_eq!(units.len(), 1);
        let unit = &units[DATABASE];
        assert!(unit.is_active() && unit.is_enabled() && unit.signals_twice());
        assert_eq!(unit.stop_program.as_deref(), Some("/bin/kill"));
        assert_eq!(unit.before, ["multi-user.target", "shutdown.target"]);
        assert_eq!(unit.limits, ["CPUQuotaPerSecUSec=2s"]);
    }
}
