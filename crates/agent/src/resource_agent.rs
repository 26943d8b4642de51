//! The contract between an agent and the driver.

use host::Deadline;
use ocf::{CheckLevel, Env, Failure, FailureKind, MetaData, State};

/// What an action may know and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The environment of the call.
    pub env: &'a Env,
    /// When the action must be over.
    pub deadline: Deadline,
}

impl Context<'_> {
    /// The same call with at most `most` of the time.
    #[must_use]
    pub fn slice(self, most: std::time::Duration) -> Self {
        Self {
            deadline: self.deadline.slice(most),
            ..self
        }
    }
}

/// One OCF resource agent. Every method is idempotent and keeps to `cx.deadline`.
pub trait ResourceAgent: Sized {
    /// Parameters, actions and descriptions.
    const METADATA: &'static MetaData;

    /// Reads the parameters. With `lenient` (stop and probe) a wrong value counts as not given, because neither may fail
    /// for the configuration. Looks at the installation's own files at most, never at the replicated file system.
    fn configure(env: &Env, lenient: bool) -> Result<Self, Failure>;

    /// The state now. A probe is a monitor whose interval is zero: [`Env::interval`].
    fn monitor(&self, cx: &Context<'_>) -> Result<State, Failure>;

    /// Brings the resource up and returns when it serves; adopts what runs already.
    fn start(&self, cx: &Context<'_>) -> Result<(), Failure>;

    /// Brings the resource down; success when it is down already.
    fn stop(&self, cx: &Context<'_>) -> Result<(), Failure>;

    /// Looks at the host (level 10 and deeper); that the parameters themselves are valid is known by then.
    fn validate(&self, cx: &Context<'_>, level: CheckLevel) -> Result<(), Failure>;

    /// Makes this instance the promoted one.
    fn promote(&self, _: &Context<'_>) -> Result<(), Failure> {
        Err(Failure::new(
            FailureKind::Unimplemented,
            "promote is not implemented",
        ))
    }

    /// Takes the promoted role away.
    fn demote(&self, _: &Context<'_>) -> Result<(), Failure> {
        Err(Failure::new(
            FailureKind::Unimplemented,
            "demote is not implemented",
        ))
    }

    /// Learns what happens to other instances. Pacemaker ignores the result.
    fn notify(&self, _: &Context<'_>) -> Result<(), Failure> {
        Err(Failure::new(
            FailureKind::Unimplemented,
            "notify is not implemented",
        ))
    }

    /// Lets the service read its own configuration again.
    fn reload(&self, _: &Context<'_>) -> Result<(), Failure> {
        Err(Failure::new(
            FailureKind::Unimplemented,
            "reload is not implemented",
        ))
    }

    /// Makes changed reloadable parameters effective without touching the service.
    fn reload_agent(&self, _: &Context<'_>) -> Result<(), Failure> {
        Err(Failure::new(
            FailureKind::Unimplemented,
            "reload-agent is not implemented",
        ))
    }

    /// Ways to call the program that are not OCF actions, such as a helper process of the agent. `None`: not such a word.
    fn other_call(_arguments: &[String], _env: &Env) -> Option<u8> {
        None
    }
}
