//! How a node is reached: here directly, elsewhere through ssh that never asks and changes nothing, or not at all.

use crate::context::Context;
use crate::facts::{self, Corosync, Facts, Store};
use crate::history::timeline::Answer;
use crate::history::{Gathered, gather};
use crate::order::{self, Order, Run};
use crate::settings;
use crate::support::{Part, Request};
use crate::texts::general as texts;
use crate::time::now_us;
use host::{Command, Deadline, Output};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT: u64 = 5;
/// What another node needs beyond its time to pack what it has gathered and to send it.
const SLACK: Duration = Duration::from_secs(30);
/// Nothing is asked, accepted or lent: the other node may be a hostile one.
const OPTIONS: [&str; 9] = [
    "BatchMode=yes",
    "ServerAliveInterval=3",
    "ServerAliveCountMax=2",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
];
/// Exit status of ssh when it could not connect, and of a shell that does not know the program.
const SSH_FAILED: i32 = 255;
const NO_SUCH_PROGRAM: i32 = 127;

/// A node and what is known of it.
#[derive(Debug)]
pub struct Node {
    /// Name in the cluster.
    pub name: String,
    /// Its facts, or why there are none.
    pub facts: Result<Facts, String>,
    /// By how much its clock certainly differs from ours.
    pub clock_difference: Duration,
}

/// Asks every node: this one, and those that the cluster or the settings name; those of Corosync's configuration where the cluster does
/// not tell. `store` is the database on a node of this name, where the cluster says more of it than the installation.
pub fn gather(
    context: &Context,
    named_by_cluster: &[String],
    store: impl Fn(&str) -> Option<Store>,
) -> Vec<Node> {
    let local = facts::gather(&store, Deadline::after(facts::PATIENCE));
    let corosync = local.corosync.clone();
    let others = others(
        context,
        named_by_cluster,
        corosync.as_ref(),
        &[&local.name, &local.host],
    );
    let mut nodes = vec![Node {
        name: local.name.clone(),
        facts: Ok(local),
        clock_difference: Duration::ZERO,
    }];
    for name in others {
        let begun = now_us();
        let facts =
            target(context, corosync.as_ref(), &name).and_then(|target| ask(context, &target, store(&name)));
        let clock_difference = facts.as_ref().map_or(Duration::ZERO, |facts| {
            // Its clock was read at some moment in between.
            let outside = (begun - facts.clock_us).max(facts.clock_us - now_us()).max(0);
            Duration::from_micros(u64::try_from(outside).unwrap_or(0))
        });
        nodes.push(Node {
            // What the node calls itself, where nobody has named it.
            name: match &facts {
                Ok(facts) if named_by_cluster.is_empty() && !context.settings.nodes.contains_key(&name) => {
                    facts.name.clone()
                }
                _ => name,
            },
            facts,
            clock_difference,
        });
    }
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    nodes
}

/// The nodes that there are besides this one, which has these names.
fn others(
    context: &Context,
    named_by_cluster: &[String],
    corosync: Option<&Corosync>,
    here: &[&str],
) -> BTreeSet<String> {
    let mut others: BTreeSet<String> = named_by_cluster.iter().cloned().collect();
    others.extend(context.settings.nodes.keys().cloned());
    // A node without a name stands there by its address.
    if others.is_empty() {
        others.extend(
            corosync
                .iter()
                .flat_map(|corosync| corosync.nodes.keys().cloned()),
        );
    }
    others.retain(|name| !here.contains(&name.as_str()));
    others
}

/// The parts of a support archive that the nodes besides this one, which is called `here`, have gathered, or why there is none.
pub fn support(
    context: &Context,
    named_by_cluster: &[String],
    here: &str,
    request: &Request,
) -> Vec<(String, Result<Part, String>)> {
    let host = host::host_name();
    let corosync = facts::corosync(&host, &mut Vec::new());
    let names = others(context, named_by_cluster, corosync.as_ref(), &[here, &host]);
    let parts = names.into_iter().map(|name| {
        let part = target(context, corosync.as_ref(), &name).and_then(|target| {
            let deadline = Deadline::after(request.patience + SLACK + Duration::from_secs(CONNECT));
            let answer = answer(context, &target, &Order::Support(request.clone()), deadline)?;
            Part::unpack(&answer, request)
        });
        (name, part)
    });
    parts.collect()
}

/// Where ssh finds the node: what the settings say, else its address in Corosync's configuration, else its name.
fn target(context: &Context, corosync: Option<&Corosync>, name: &str) -> Result<String, String> {
    let configured = corosync.and_then(|corosync| {
        if let Some(addresses) = corosync.nodes.get(name) {
            return addresses.first().cloned();
        }
        // A node that is not named there must be the one without a name.
        let mut nameless = corosync.nameless.iter();
        nameless.next().filter(|_| nameless.next().is_none()).cloned()
    });
    let found = context
        .settings
        .target(name)
        .or(configured)
        .unwrap_or_else(|| name.to_owned());
    // Corosync's file is not ours: what it names must not become an option of ssh.
    if found.is_empty() || found.starts_with('-') {
        let file = context.config.display().to_string();
        let key = settings::key(name);
        return Err(texts::NO_SSH_TARGET.fill(context.language, &[("node", &key), ("file", &file)]));
    }
    Ok(found)
}

/// As [`target`], for a caller that has not gathered facts.
pub fn target_of(context: &Context, name: &str) -> Result<String, String> {
    let corosync = facts::corosync(&host::host_name(), &mut Vec::new());
    target(context, corosync.as_ref(), name)
}

/// Where the nodes have their store.
pub fn data_root(nodes: &[Node]) -> String {
    nodes
        .iter()
        .filter_map(|node| node.facts.as_ref().ok())
        .find(|facts| facts.database.installed)
        .map_or_else(
            || kwdb::installation::DEFAULT_DATA_ROOT.to_owned(),
            |facts| facts.database.data_root.clone(),
        )
}

/// Runs a command on a node of the cluster, here or there, with `input` on its standard input. The error is what it said last.
pub fn execute(
    context: &Context,
    name: &str,
    words: &[&str],
    input: &str,
    deadline: Deadline,
) -> Result<String, String> {
    let here = pacemaker::node::name(&ocf::Env::default(), deadline).is_ok_and(|here| here == name);
    let output = if here {
        let (program, arguments) = words.split_first().ok_or("no command")?;
        let command = Command::new(program).args(arguments).input(input);
        command.run(deadline).map_err(|error| error.to_string())?
    } else {
        let target = target_of(context, name)?;
        let order = Order::Run(Run {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            input: input.to_owned(),
            patience: deadline.remaining(),
        });
        give(context, &target, &order, deadline)?
    };
    if output.status.success() {
        Ok(output.text())
    } else {
        Err(output.last_words())
    }
}

/// What the nodes besides this one, which has these names, have written down since `since`, microseconds since 1970, and by how much their
/// clocks are ahead now.
pub fn histories(
    context: &Context,
    named_by_cluster: &[String],
    here: &str,
    since: i64,
) -> Vec<(String, Answer)> {
    let host = host::host_name();
    let corosync = facts::corosync(&host, &mut Vec::new());
    let names = others(context, named_by_cluster, corosync.as_ref(), &[here, &host]);
    let answers = names.into_iter().map(|name| {
        let answer =
            target(context, corosync.as_ref(), &name).and_then(|target| history(context, &target, since));
        (name, answer)
    });
    answers.collect()
}

fn history(context: &Context, target: &str, since: i64) -> Answer {
    let deadline = Deadline::after(gather::PATIENCE + Duration::from_secs(CONNECT));
    let answer = answer(context, target, &Order::History(since), deadline)?;
    let gathered: Gathered =
        serde_json::from_slice(&answer).map_err(|error| format!("kaiwudb-ha order: {error}"))?;
    // It was read last of all, a moment ago.
    let ahead = gathered.clock_us - now_us();
    Ok((gathered, ahead))
}

/// What another node has answered to an order that it could follow.
fn answer(context: &Context, target: &str, order: &Order, deadline: Deadline) -> Result<Vec<u8>, String> {
    let output = give(context, target, order, deadline)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("kaiwudb-ha order: {}", output.last_words()))
    }
}

/// Has another node follow an order; what it answered, whatever that is.
fn give(context: &Context, target: &str, order: &Order, deadline: Deadline) -> Result<Output, String> {
    let order = serde_json::to_string(order).map_err(|error| error.to_string())?;
    let output = ssh(target)
        .input(order)
        .run(deadline)
        .map_err(|error| error.to_string())?;
    match output.status.code() {
        Some(NO_SUCH_PROGRAM) => Err(texts::NOT_INSTALLED_THERE.of(context.language).to_owned()),
        Some(SSH_FAILED) => Err(format!("ssh {target}: {}", output.last_words())),
        _ => Ok(output),
    }
}

fn ssh(target: &str) -> Command {
    let connect = format!("ConnectTimeout={CONNECT}");
    let options = OPTIONS.iter().copied().chain([connect.as_str()]);
    Command::new("ssh")
        .args(options.flat_map(|option| ["-o", option]))
        .args(["-T", target, "--"])
        .args(order::PROGRAM)
}

fn ask(context: &Context, target: &str, store: Option<Store>) -> Result<Facts, String> {
    let deadline = Deadline::after(facts::PATIENCE + Duration::from_secs(CONNECT));
    let answer = answer(context, target, &Order::Facts(store), deadline)?;
    let facts: Facts =
        serde_json::from_slice(&answer).map_err(|error| format!("kaiwudb-ha order: {error}"))?;
    match facts.impossible() {
        None => Ok(facts),
        Some(value) => Err(texts::IMPOSSIBLE.fill(context.language, &[("value", &value)])),
    }
}
