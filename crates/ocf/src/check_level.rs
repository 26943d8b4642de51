//! How deep monitor and validate-all look.

/// `OCF_CHECK_LEVEL` (OCF API 1.1): an unsupported level means the next lower supported one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckLevel {
    /// 0: cheap; validate-all looks at the parameters only, never at the host.
    Basic,
    /// 10: asks the service; validate-all looks at the host.
    Service,
    /// 20: also changes something (a write probe).
    Write,
}

impl CheckLevel {
    /// The value of `OCF_CHECK_LEVEL` that stands for it.
    pub const fn number(self) -> u8 {
        match self {
            Self::Basic => 0,
            Self::Service => 10,
            Self::Write => 20,
        }
    }

    /// The level for a value of `OCF_CHECK_LEVEL`; missing or unreadable means [`CheckLevel::Basic`].
    pub fn parse(raw: Option<&str>) -> Self {
        match raw.and_then(|raw| raw.trim().parse::<u32>().ok()) {
            Some(20..) => Self::Write,
            Some(10..) => Self::Service,
            _ => Self::Basic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_lower_level_counts() {
        for (raw, level) in [
            (None, CheckLevel::Basic),
            (Some(""), CheckLevel::Basic),
            (Some("deep"), CheckLevel::Basic),
            (Some("9"), CheckLevel::Basic),
            (Some("10"), CheckLevel::Service),
            (Some("15"), CheckLevel::Service),
            (Some("20"), CheckLevel::Write),
            (Some("30"), CheckLevel::Write),
        ] {
            assert_eq!(CheckLevel::parse(raw), level, "{raw:?}");
        }
    }
}
