//! What a notification is about.

use crate::{Action, Env};

/// Whether something is going to happen or has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the operation.
    Pre,
    /// After it.
    Post,
}

/// What Pacemaker tells every instance of a clone with `notify=true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Before or after.
    pub when: When,
    /// What some instances do: start, stop, promote or demote.
    pub operation: Action,
}

impl Notify {
    /// The notification that this call is; `None` when the environment does not say.
    pub fn of(env: &Env) -> Option<Self> {
        let when = match env.variable("OCF_RESKEY_CRM_meta_notify_type")? {
            "pre" => When::Pre,
            "post" => When::Post,
            _ => return None,
        };
        let operation = Action::parse(env.variable("OCF_RESKEY_CRM_meta_notify_operation")?)?;
        Some(Self { when, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_are_needed() {
        let of = |when: &str, operation: &str| {
            let env: Env = [
                ("OCF_RESKEY_CRM_meta_notify_type", when),
                ("OCF_RESKEY_CRM_meta_notify_operation", operation),
            ]
            .into_iter()
            .collect();
            Notify::of(&env)
        };
        assert_eq!(
            of("post", "start"),
            Some(Notify {
                when: When::Post,
                operation: Action::Start
            })
        );
        for (when, operation) in [("", "start"), ("post", ""), ("during", "start"), ("pre", "dance")] {
            assert_eq!(of(when, operation), None, "{when} {operation}");
        }
    }
}
