//! Promotion scores: how much an instance of a promotable clone wants to be promoted on this node.

use crate::version::ScoreTool;
use crate::{Error, attribute};
use host::{Command, Deadline};

/// A promotion score of one resource on one node. It is a transient node attribute, gone when Pacemaker stops there.
#[derive(Clone, Debug)]
pub struct PromotionScore {
    tool: ScoreTool,
    resource: String,
    node: String,
}

impl PromotionScore {
    /// The score of `resource` (its instance name, as in `OCF_RESOURCE_INSTANCE`) on `node`.
    pub fn of(tool: ScoreTool, resource: impl Into<String>, node: impl Into<String>) -> Self {
        Self {
            tool,
            resource: resource.into(),
            node: node.into(),
        }
    }

    fn command(&self) -> Command {
        match self.tool {
            ScoreTool::CrmAttribute => {
                Command::new("crm_attribute").arg(format!("--promotion={}", self.resource))
            }
            // The environment is the one way that the script of every release knows.
            ScoreTool::CrmMaster => Command::new("crm_master").env("OCF_RESOURCE_INSTANCE", &self.resource),
        }
        .args(["-N", &self.node, "-l", "reboot"])
    }

    /// The score now; `None` when there is none, which means "do not promote".
    pub fn get(&self, deadline: Deadline) -> Result<Option<u64>, Error> {
        // Somebody's -INFINITY or INFINITY is not ours: any number that we write differs from it.
        Ok(attribute::read(self.command(), deadline)?.map(|raw| raw.parse().unwrap_or(u64::MAX)))
    }

    /// Makes the score `wanted`; `None` removes it. Writes only when it is another one now. Tells whether it wrote.
    pub fn make(&self, wanted: Option<u64>, deadline: Deadline) -> Result<bool, Error> {
        if self.get(deadline)? == wanted {
            return Ok(false);
        }
        self.write(wanted, deadline).map(|()| true)
    }

    /// The same without asking first, for whoever knows that it is another one now. The attribute manager's own tool starts in half the
    /// time of the others, which ask it as well; the attribute has this name in every release.
    pub fn write(&self, wanted: Option<u64>, deadline: Deadline) -> Result<(), Error> {
        let command = attribute::updater(&self.node, &format!("master-{}", self.resource));
        match wanted {
            Some(score) => {
                command.arg(format!("--update={score}")).run_ok(deadline)?;
                Ok(())
            }
            None => attribute::remove(command, deadline),
        }
    }
}
