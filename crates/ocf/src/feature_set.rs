//! What a Pacemaker can do, as a number.

/// Version of the CIB's features, for example 3.16.2 with Pacemaker 2.1.5; the cluster uses the lowest of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureSet(u32, u32, u32);

impl FeatureSet {
    /// A feature set by its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self(major, minor, patch)
    }

    /// Reads `major.minor.patch`; missing numbers are 0. `None` when the first part is not a number.
    pub fn parse(raw: &str) -> Option<Self> {
        let mut numbers = raw.trim().split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self(major, next(), next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_sets_compare_as_numbers() {
        let of = |raw| FeatureSet::parse(raw).unwrap();
        assert!(of("3.4.1") < of("3.10.0") && of("3.9.9") < of("3.10.0"));
        assert!(of("3.16.2") >= FeatureSet::new(3, 10, 0) && of("4") > of("3.20.0"));
        assert_eq!((FeatureSet::parse(""), FeatureSet::parse("x.1")), (None, None));
    }
}
