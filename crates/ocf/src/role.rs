//! Roles, and the words for them.

/// Role of an instance of a promotable clone. A resource that is not a promotable clone is always unpromoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// "Master" before Pacemaker 2.1.
    Promoted,
    /// "Slave" before Pacemaker 2.1.
    Unpromoted,
}

/// A role as a configuration names it: for an operation, in a constraint, or as `target-role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedRole {
    /// Not active.
    Stopped,
    /// Active, whatever the role.
    Started,
    /// Active in this role.
    As(Role),
}

impl Role {
    /// Reads either spelling; `None` for what names no role of an active instance.
    pub fn parse(word: &str) -> Option<Self> {
        match NamedRole::parse(word)? {
            NamedRole::As(role) => Some(role),
            NamedRole::Stopped | NamedRole::Started => None,
        }
    }

    /// The word since Pacemaker 2.1.
    pub const fn word(self) -> &'static str {
        NamedRole::As(self).word()
    }
}

impl NamedRole {
    /// Every role.
    pub const ALL: [Self; 4] = [
        Self::Stopped,
        Self::Started,
        Self::As(Role::Unpromoted),
        Self::As(Role::Promoted),
    ];

    /// Reads either spelling in any case, as Pacemaker does; `None` for any other word, which Pacemaker takes for no role.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| {
            [role.word(), role.old_word()]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(word))
        })
    }

    /// The word since Pacemaker 2.1.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stopped => "Stopped",
            Self::Started => "Started",
            Self::As(Role::Unpromoted) => "Unpromoted",
            Self::As(Role::Promoted) => "Promoted",
        }
    }

    /// The word before, which every release up to 3.0 understands as well.
    pub const fn old_word(self) -> &'static str {
        match self {
            Self::Stopped | Self::Started => self.word(),
            Self::As(Role::Unpromoted) => "Slave",
            Self::As(Role::Promoted) => "Master",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of Pacemaker's `pcmk_parse_role`.
    #[test]
    fn roles_are_read_as_pacemaker_does() {
        for (word, expected) in [
            ("Promoted", Some(NamedRole::As(Role::Promoted))),
            ("Master", Some(NamedRole::As(Role::Promoted))),
            ("master", Some(NamedRole::As(Role::Promoted))),
            ("Unpromoted", Some(NamedRole::As(Role::Unpromoted))),
            ("SLAVE", Some(NamedRole::As(Role::Unpromoted))),
            ("Started", Some(NamedRole::Started)),
            ("stopped", Some(NamedRole::Stopped)),
            ("Primary", None),
            ("Unknown", None),
            ("", None),
        ] {
            assert_eq!(NamedRole::parse(word), expected, "{word}");
        }
        assert_eq!(
            (Role::parse("Started"), Role::parse("Slave")),
            (None, Some(Role::Unpromoted))
        );
    }

    #[test]
    fn both_spellings_read_back() {
        for role in NamedRole::ALL {
            assert_eq!(NamedRole::parse(role.word()), Some(role));
            assert_eq!(NamedRole::parse(role.old_word()), Some(role));
        }
    }
}
