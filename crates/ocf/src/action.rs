//! What Pacemaker asks an agent to do.

/// An action of the OCF API 1.1 that an agent of this suite can implement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Bring the resource up; return only when it serves.
    Start,
    /// Bring the resource down; succeed when it is down already.
    Stop,
    /// Tell the state of the resource. With interval 0 it is a probe.
    Monitor,
    /// Print the description of the agent.
    MetaData,
    /// Check the parameters.
    ValidateAll,
    /// Make the instance the promoted one.
    Promote,
    /// Take the promoted role away.
    Demote,
    /// Learn what happens to the other instances of the clone.
    Notify,
    /// Let the service read its own configuration again.
    Reload,
    /// Make changed reloadable parameters of the agent effective (OCF 1.1).
    ReloadAgent,
}

impl Action {
    /// Every action, in the order in which it is advertised.
    pub const ALL: [Self; 10] = [
        Self::Start,
        Self::Stop,
        Self::Monitor,
        Self::Promote,
        Self::Demote,
        Self::Notify,
        Self::Reload,
        Self::ReloadAgent,
        Self::MetaData,
        Self::ValidateAll,
    ];

    /// The word on the command line and in the meta-data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Monitor => "monitor",
            Self::MetaData => "meta-data",
            Self::ValidateAll => "validate-all",
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Notify => "notify",
            Self::Reload => "reload",
            Self::ReloadAgent => "reload-agent",
        }
    }

    /// The action of that name; `None` for a word that is not an action.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(action));
        }
        for word in ["", "Start", "metadata", "status", "start "] {
            assert_eq!(Action::parse(word), None, "{word:?}");
        }
    }
}
