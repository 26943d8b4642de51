//! Promotion scores: how much an instance of a promotable clone wants to be promoted on this node.

use crate::version::ScoreTool;
use crate::{Error, attribute};
use host::{Command, Deadline};

/// A promotion score of one resource on one node. It is a transient node attribute, gone when Pacemaker stops there.
#[derive(Clone, Debug)]
pub struct PromotionScore {
    command: Command,
}

impl PromotionScore {
    /// The score of `resource` (its instance name, as in `OCF_RESOURCE_INSTANCE`) on `node`.
    pub fn of(tool: ScoreTool, resource: &str, node: &str) -> Self {
        let command = match tool {
            ScoreTool::CrmAttribute => {
                Command::new("crm_attribute").arg(format!("--promotion={resource}"))
            }
            // Before 2.0.5 the script has no option for the resource and takes it from the environment.
            ScoreTool::CrmMaster => Command::new("crm_master").env("OCF_RESOURCE_INSTANCE", resource),
        };
        Self {
            command: command.args(["-N", node, "-l", "reboot"]),
        }
    }

    /// The score now; `None` when there is none, which means "do not promote".
    pub fn get(&self, deadline: Deadline) -> Result<Option<u64>, Error> {
        match attribute::read(&self.command, deadline)? {
            None => Ok(None),
            // Somebody's -INFINITY or INFINITY is not ours: any number that we write differs from it.
            Some(raw) => Ok(Some(raw.parse().unwrap_or(u64::MAX))),
        }
    }

    /// Makes the score `wanted`; `None` removes it. Writes only when it is another one now. Tells whether it wrote.
    pub fn make(&self, wanted: Option<u64>, deadline: Deadline) -> Result<bool, Error> {
        if self.get(deadline)? == wanted {
            return Ok(false);
        }
        match wanted {
            Some(score) => {
                self.command
                    .clone()
                    .args(["-v", &score.to_string()])
                    .run_ok(deadline)?;
            }
            None => attribute::remove(&self.command, deadline)?,
        }
        Ok(true)
    }
}
