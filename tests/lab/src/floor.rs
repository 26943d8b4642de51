//! How fast it could be: the same steps as a failover, by hand in a node, without a cluster.

use crate::cib::{DATA_ROOT, DISK};
use crate::client::{Client, ClientOptions};
use crate::lab::Lab;
use crate::network::Network;
use crate::provision::Installation;
use anyhow::{Context, Result};
use host::Deadline;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Commits before and after, as many as around an [`crate::Event`].
const SOME_COMMITS: usize = 20;

/// A real server's first start takes the longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the server is started and ended by hand: shell commands in a node. `DATA_ROOT` is where the store is mounted and `SECURITY`
/// the flags for it.
#[derive(Clone, Copy, Debug)]
pub struct ByHand {
    /// Returns when the server has been started, which need not serve yet.
    pub start: &'static str,
    /// Ends it at once; returns when it has ended.
    pub kill: &'static str,
}

impl ByHand {
    /// Without anybody's help.
    pub const BARE: Self = Self {
        start: START,
        kill: KILL,
    };
}

/// Starts the server as the vendor's unit does.
const START: &str = r"cd /usr/local/kaiwudb/bin
. /etc/kaiwudb/script/kaiwudb_env
setsid --fork setpriv --reuid kaiwudb --regid kaiwudb --init-groups ./kwbase start-single-node $KAIWUDB_START_ARG $SECURITY \
    --listen-addr=0.0.0.0:26257 --http-addr=0.0.0.0:8080 --brpc-addr=0.0.0.0:27257 --store=$DATA_ROOT \
    >/dev/null 2>&1 </dev/null
";

const KILL: &str = r#"
pid=$(pgrep --oldest --exact kwbase)
kill -KILL "$pid"
while [ -e "/proc/$pid" ]; do sleep 0.01; done
"#;

/// What is left of the server must be gone before.
const UMOUNT: &str = "until umount \"$DATA_ROOT\"; do sleep 0.01; done\n";

/// Longest gap between two commits when the server is killed, the file system unmounted and mounted and the server started
/// again, on the first node: the median of `rounds` times. The database must be installed and not yet be managed by the
/// cluster. Leaves the store stopped and unmounted.
pub fn floor(lab: &Lab, installation: &Installation, by_hand: ByHand, rounds: usize) -> Result<Duration> {
    let ByHand { start, kill } = by_hand;
    let node = &lab.nodes()[0];
    let security = if installation.tls {
        "--certs-dir=/etc/kaiwudb/certs"
    } else {
        "--insecure"
    };
    let setting = format!("DISK={DISK} DATA_ROOT={DATA_ROOT} SECURITY={security}\n");
    let shell = |steps: &[&str]| {
        node.shell(&(setting.clone() + &steps.concat()), Deadline::after(PATIENCE))
            .context("by hand")
    };
    let mount = "mount \"$DISK\" \"$DATA_ROOT\"\n";
    shell(&[mount, start])?;
    let mut client = Client::start(
        lab,
        &ClientOptions {
            address: SocketAddr::from((node.address(Network::Cluster), 26257)),
            ..ClientOptions::default()
        },
    )?;
    let mut gaps = Vec::new();
    for _ in 0..rounds {
        client.wait_for_commits(SOME_COMMITS, Deadline::after(PATIENCE))?;
        let at = Instant::now();
        shell(&[kill, UMOUNT, mount, start])?;
        client.wait_for_commits(SOME_COMMITS, Deadline::after(PATIENCE))?;
        let gap = client.report().longest_gap_between(at, Instant::now());
        gaps.push(gap.context("fewer than two commits were acknowledged")?.length());
    }
    client.stop();
    shell(&[kill, UMOUNT])?;
    gaps.sort_unstable();
    gaps.get(rounds / 2).copied().context("no round was asked for")
}
