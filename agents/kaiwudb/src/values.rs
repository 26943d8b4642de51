//! Values of parameters that are this agent's own.

use ocf::{Bounds, Choice, ContentType, Value};

/// Who starts the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// The agent itself.
    Bare,
    /// systemd, through the vendor's unit.
    Systemd,
    /// Docker or Podman.
    Container,
}

impl Choice for Runtime {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("bare", Self::Bare),
        ("systemd", Self::Systemd),
        ("container", Self::Container),
    ];
    const NAMES: &'static [&'static str] = &["bare", "systemd", "container"];
}

/// What a crash of the node may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// What the server's settings say.
    BestEffort,
    /// Nothing.
    Required,
}

impl Choice for Durability {
    const WORDS: &'static [(&'static str, Self)] =
        &[("best-effort", Self::BestEffort), ("required", Self::Required)];
    const NAMES: &'static [&'static str] = &["best-effort", "required"];
}

/// How much room is too little: a share of the file system or an absolute size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MinFree {
    Percent(f64),
    Bytes(u64),
}

impl Value for MinFree {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let wrong = || {
            "not valid; allowed: a share such as 5% or a size such as 2G (K, M, G, T), 0 for never".to_owned()
        };
        let raw = raw.trim();
        if let Some(percent) = raw.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
            return if (0.0..100.0).contains(&percent) {
                Ok(Self::Percent(percent))
            } else {
                Err(wrong())
            };
        }
        let digits = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
        let (number, unit) = raw.split_at(digits);
        let shift = match unit.trim().trim_end_matches("iB").trim_end_matches('B') {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err(wrong()),
        };
        let bytes = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << shift));
        bytes.map(Self::Bytes).ok_or_else(wrong)
    }
}

impl MinFree {
    #[allow(clippy::cast_precision_loss)] // a share needs no more precision
    /// Whether this is less than asked for.
    pub(crate) fn is_undercut_by(self, free: u64, total: u64) -> bool {
        match self {
            Self::Percent(percent) => (free as f64) * 100.0 < percent * (total as f64),
            Self::Bytes(bytes) => free < bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Result<MinFree, String> {
        MinFree::parse(raw, Bounds::NONE)
    }

    #[test]
    fn shares_and_sizes() {
        assert_eq!(parse("5%"), Ok(MinFree::Percent(5.0)));
        assert_eq!(parse("2G"), Ok(MinFree::Bytes(2 << 30)));
        assert_eq!(parse("512MiB"), Ok(MinFree::Bytes(512 << 20)));
        assert_eq!(parse("0"), Ok(MinFree::Bytes(0)));
        for wrong in ["", "%", "100%", "-1", "5 percent", "9999999999999T", "1.5G"] {
            assert!(parse(wrong).unwrap_err().contains("allowed"), "{wrong}");
        }
    }

    #[test]
    fn too_little_is_less_than_asked() {
        assert!(MinFree::Percent(5.0).is_undercut_by(4, 100));
        assert!(!MinFree::Percent(5.0).is_undercut_by(5, 100));
        assert!(MinFree::Bytes(10).is_undercut_by(9, 100));
        assert!(!MinFree::Bytes(0).is_undercut_by(0, 100));
    }
}
