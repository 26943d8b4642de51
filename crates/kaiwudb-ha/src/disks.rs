//! `apply --new-disks`: from two disks that hold nothing to a DRBD resource with a file system. The settings name the disks; each node
//! looks at its own once more, under a lock, right before each step: a coordinator that was killed leaves a step at work, and what was
//! seen a question ago may have changed.
//!
//! Both steps destroy what is on a disk, and a wrong disk cannot be undone: so they are done with this option only, on disks that the
//! settings name and that hold nothing, and never forced. The steps are computed from the state of both nodes: there is no journal
//! that could be wrong. The first synchronisation is skipped: there is nothing to copy, and it would take hours on large disks.

mod act;
mod ask;
mod order;
mod side;
mod steps;
mod unfinished;

pub(crate) use act::obey;
pub(crate) use unfinished::refuse_unfinished;

use crate::context::Context;
use crate::design::plan::Plan;
use crate::design::storage::DRBD_DEVICE;
use crate::render::{drbd as file, missing};
use crate::texts::disks as texts;
use crate::ui::output;
use anyhow::{Result, anyhow, bail};
use ask::{ask, command};
use drbd::resource::Resource;
use drbd::state::{ConnectionState, Disk};
use host::Deadline;
use order::{Act, Order, file_of};
use serde_json::{Value, json};
use side::Side;
use site::language::Text;
use std::time::Duration;
use steps::{Refusal, Step, steps};

/// Until the nodes are connected, and until both disks count as good.
const CONNECT: Duration = Duration::from_secs(60);
/// File systems that can be made.
const KINDS: [&str; 3] = ["ext4", "ext3", "xfs"];

/// What has to be done.
#[derive(Debug)]
pub(crate) struct Work {
    nodes: [String; 2],
    orders: [Order; 2],
    sides: [Side; 2],
    steps: Vec<Step>,
    kind: String,
    /// What the operator should know first.
    notes: Vec<String>,
}

/// Looks at both nodes; `None` when the cluster has the resource already. An error says what is against it.
pub(crate) fn missing(context: &Context, plan: &Plan) -> Result<Option<Work>> {
    let language = context.language;
    let (Some(settings), Some(resource)) = (&context.settings.drbd, &plan.wanted.storage.drbd) else {
        bail!(texts::NOT_DRBD.of(language));
    };
    if plan.has_resource(resource) {
        return Ok(None);
    }
    let nodes: [String; 2] = plan
        .wanted
        .nodes
        .clone()
        .try_into()
        .map_err(|nodes: Vec<String>| anyhow!("two nodes are needed, {} are known", nodes.len()))?;
    let orders = nodes.each_ref().map(|node| Order {
        resource: resource.clone(),
        disk: disk_of(context, node),
        device: plan.wanted.storage.device.clone(),
        data_root: plan.wanted.storage.directory.clone(),
        act: Act::Look,
    });
    let [first, second] = [0, 1].map(|index| ask(context, &nodes[index], &orders[index]));
    let sides = [first?, second?];
    let file = if sides.iter().all(|side| side.configured.is_none()) {
        let device = settings.device.as_ref();
        let device = device.map_or(DRBD_DEVICE, |device| device.get_ref());
        if device != orders[0].device {
            let values = [
                ("node", nodes[0].as_str()),
                ("resource", resource),
                ("what", device),
            ];
            let values = [&values[..], &[("device", orders[0].device.as_str())]].concat();
            bail!(texts::OTHER_DEVICE.fill(language, &values));
        }
        match file::text(
            &plan.found.sources(context),
            &plan.wanted.nodes,
            &plan.wanted.storage,
        )? {
            Ok(file) => file,
            Err(missing) => bail!(missing::text(context, &missing)),
        }
    } else {
        String::new()
    };
    let mut work = Work {
        nodes,
        orders,
        sides,
        steps: Vec::new(),
        kind: plan.wanted.storage.kind.clone(),
        notes: Vec::new(),
    };
    let mut against = match steps(&work.sides, &file, &work.kind) {
        Ok(steps) => {
            work.steps = steps;
            Vec::new()
        }
        Err(refusals) => refusals
            .iter()
            .map(|refusal| work.sentence(context, refusal))
            .collect(),
    };
    if let Some(format) = work.steps.iter().find(|step| matches!(step.act, Act::Format(_))) {
        if !KINDS.contains(&work.kind.as_str()) {
            against.push(work.fill(context, texts::NOT_THAT_KIND, format.node, &KINDS.join(", ")));
        }
        work.look_at_stores(context, plan, &mut against);
    }
    if !against.is_empty() {
        bail!("{}\n{}", texts::REFUSED.of(language), against.join("\n"));
    }
    Ok(Some(work))
}

/// What is to be made on the disks, or what is against it; `None` when there is nothing to make or the cluster does not run.
fn to_make(context: &Context, plan: &Plan) -> Option<Result<Work>> {
    context
        .settings
        .drbd
        .as_ref()
        .filter(|_| plan.found.live.running)?;
    missing(context, plan)
        .transpose()
        .filter(|looked| looked.as_ref().map_or(true, Work::is_unfinished))
}

/// What `plan` says of the disks.
pub(crate) fn preview(context: &Context, plan: &Plan) -> Option<String> {
    to_make(context, plan).map(|looked| match looked {
        Ok(work) => work.text(context, texts::WITH_THE_OPTION),
        Err(error) => format!("{error:#}\n"),
    })
}

/// The same for programs: `steps` and `notes`, or `refused`.
pub(crate) fn preview_value(context: &Context, plan: &Plan) -> Option<Value> {
    to_make(context, plan).map(|looked| match looked {
        Ok(work) => json!({ "steps": work.lines(context), "notes": work.notes }),
        Err(error) => json!({ "refused": format!("{error:#}") }),
    })
}

/// The disk that the settings name; the resource's file has been made from the same.
fn disk_of(context: &Context, node: &str) -> String {
    let disk = context
        .settings
        .nodes
        .get(node)
        .and_then(|node| node.disk.as_ref());
    disk.map(|disk| disk.get_ref().clone()).unwrap_or_default()
}

impl Work {
    /// Whether there is something to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether something is missing that the cluster cannot do by itself: it brings a resource up, and it settles the roles.
    fn is_unfinished(&self) -> bool {
        self.steps
            .iter()
            .any(|step| !matches!(step.act, Act::Up | Act::Demote))
    }

    /// The steps and what should be known first, below a heading.
    fn text(&self, context: &Context, heading: Text) -> String {
        self.lines(context)
            .iter()
            .chain(&self.notes)
            .fold(format!("{}\n", heading.of(context.language)), |text, line| {
                format!("{text}  {line}\n")
            })
    }

    /// Each step as one line.
    pub(crate) fn lines(&self, context: &Context) -> Vec<String> {
        self.steps.iter().map(|step| self.line(context, step)).collect()
    }

    /// Prints them.
    pub(crate) fn print(&self, context: &Context) {
        output::line(&self.text(context, texts::HEADING));
    }

    /// Does it. What is done stays when a step fails: the next run goes on from there.
    pub(crate) fn carry_out(&self, context: &Context) -> Result<()> {
        for step in &self.steps {
            let line = self.line(context, step);
            output::note(&format!("  {line}"));
            let failed = |why: String| {
                let values = [("step", line.as_str()), ("why", &why)];
                anyhow!(texts::STEP_FAILED.fill(context.language, &values))
            };
            let wanted = match step.act {
                Act::SkipSync => Some(Disk::Inconsistent),
                Act::Format(_) => Some(Disk::UpToDate),
                _ => None,
            };
            if let Some(wanted) = wanted {
                self.wait(context, &wanted).map_err(failed)?;
            }
            let order = Order {
                act: step.act.clone(),
                ..self.orders[step.node].clone()
            };
            command(context, &self.nodes[step.node], &order).map_err(failed)?;
        }
        Ok(())
    }

    /// Waits until the nodes are connected and both disks are so.
    fn wait(&self, context: &Context, wanted: &Disk) -> Result<(), String> {
        let deadline = Deadline::after(CONNECT);
        loop {
            let side = command(context, &self.nodes[0], &self.orders[0])?;
            let now = Resource::from_events(&self.orders[0].resource, &side.events)?;
            let here: Vec<&Disk> = now.devices.values().map(|device| &device.disk).collect();
            let connected: Vec<_> = now
                .connections
                .values()
                .filter(|peer| peer.state == ConnectionState::Connected)
                .collect();
            let there: Vec<&Disk> = connected
                .iter()
                .flat_map(|peer| peer.devices.values().map(|device| &device.disk))
                .collect();
            if [&here, &there]
                .iter()
                .all(|disks| !disks.is_empty() && disks.iter().all(|disk| *disk == wanted))
            {
                return Ok(());
            }
            if !deadline.pause(Duration::from_millis(500)) {
                let seconds = CONNECT.as_secs().to_string();
                let disks = [here, there].concat();
                let disks = disks
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("/");
                let (text, disks) = if connected.is_empty() {
                    (texts::NOT_CONNECTED, String::new())
                } else {
                    (texts::NOT_IN_STATE, disks)
                };
                let wanted = wanted.to_string();
                let values = [
                    ("seconds", seconds.as_str()),
                    ("disks", &disks),
                    ("wanted", &wanted),
                ];
                return Err(text.fill(
                    context.language,
                    &[&values[..], &[("file", &self.file())]].concat(),
                ));
            }
        }
    }

    fn file(&self) -> String {
        file_of(&self.orders[0].resource)
    }

    fn line(&self, context: &Context, step: &Step) -> String {
        let text = match &step.act {
            Act::WriteFile(_) if step.copied => texts::COPY_FILE,
            Act::WriteFile(_) => texts::WRITE_FILE,
            Act::MakeMetaData => texts::META_DATA,
            Act::SkipSync => texts::SKIP_SYNC,
            Act::Format(_) => texts::FORMAT,
            Act::Demote => texts::DEMOTE,
            Act::Up | Act::Look => texts::UP,
        };
        self.fill(context, text, step.node, "")
    }

    fn sentence(&self, context: &Context, refusal: &Refusal) -> String {
        self.fill(context, refusal.why, refusal.node, &refusal.what)
    }

    fn fill(&self, context: &Context, text: Text, node: usize, what: &str) -> String {
        let order = &self.orders[node];
        let size = output::size(self.sides[node].size.unwrap_or(0));
        let values = [
            ("node", self.nodes[node].as_str()),
            ("resource", &order.resource),
            ("disk", &order.disk),
            ("device", &order.device),
            ("directory", &order.data_root),
            ("file", &self.file()),
            ("type", &self.kind),
            ("size", &size),
            ("what", what),
        ];
        text.fill(context.language, &values)
    }

    /// A database on a node's own disk would be hidden by the mount.
    fn look_at_stores(&mut self, context: &Context, plan: &Plan, against: &mut Vec<String>) {
        for index in [0, 1] {
            let node = plan
                .found
                .nodes
                .iter()
                .find(|node| node.name == self.nodes[index]);
            let Some(Ok(facts)) = node.map(|node| &node.facts) else {
                continue;
            };
            if facts.database.mount.is_some() {
                continue;
            }
            if !facts.database.servers.is_empty() {
                against.push(self.fill(context, texts::SERVER_RUNS, index, ""));
            } else if facts.database.store == Some(kwdb::store::State::Complete) {
                let note = self.fill(context, texts::HIDDEN, index, "");
                self.notes.push(note);
            }
        }
    }
}
