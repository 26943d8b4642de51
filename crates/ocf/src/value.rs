//! Types a parameter can have: how a value is read, what is allowed, how it is said in the meta-data.

use crate::{format_duration, parse_boolean, parse_duration};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The `type` attribute of `<content>`. Only these three pass every schema in use; `select` needs OCF 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Anything else.
    String,
    /// One of a list of words; said as `string` in the 1.0 dialect.
    Select,
}

/// Smallest and largest allowed value; for a duration in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest allowed value.
    pub min: u64,
    /// Largest allowed value.
    pub max: u64,
}

impl Bounds {
    /// No bound.
    pub const NONE: Self = Self {
        min: 0,
        max: u64::MAX,
    };

    const fn contains(self, value: u64) -> bool {
        self.min <= value && value <= self.max
    }
}

/// A type that a parameter's value can be read as.
pub trait Value: Sized {
    /// How the meta-data call it.
    const CONTENT: ContentType;

    /// The value of `raw`; the error says what is allowed, in words that complete "…: ".
    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String>;

    /// The allowed words where the type is a list of words.
    fn options() -> &'static [&'static str] {
        &[]
    }
}

impl Value for bool {
    const CONTENT: ContentType = ContentType::Boolean;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        parse_boolean(raw).ok_or_else(|| "not a boolean; allowed: true, false".into())
    }
}

impl Value for u64 {
    const CONTENT: ContentType = ContentType::Integer;

    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String> {
        match raw.parse::<Self>() {
            Ok(number) if bounds.contains(number) => Ok(number),
            _ => Err(format!(
                "not valid; allowed: a whole number from {} to {}",
                bounds.min, bounds.max
            )),
        }
    }
}

impl Value for i64 {
    const CONTENT: ContentType = ContentType::Integer;

    /// Bounds are given as the magnitude: `-max ..= max`.
    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String> {
        match raw.parse::<Self>() {
            Ok(number) if number.unsigned_abs() <= bounds.max => Ok(number),
            _ => Err(format!(
                "not valid; allowed: a whole number from -{} to {}",
                bounds.max, bounds.max
            )),
        }
    }
}

impl Value for String {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        if raw.chars().any(char::is_control) {
            return Err("has a control character; allowed: one line of printable text".into());
        }
        Ok(raw.to_owned())
    }
}

/// A path that starts at the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsolutePath(PathBuf);

impl AbsolutePath {
    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<AbsolutePath> for PathBuf {
    fn from(path: AbsolutePath) -> Self {
        path.0
    }
}

impl Value for AbsolutePath {
    const CONTENT: ContentType = ContentType::String;

    /// Trailing slashes are dropped so that two spellings of one directory compare equal.
    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String> {
        let raw = String::parse(raw, bounds)?;
        if !raw.starts_with('/') {
            return Err("not an absolute path; allowed: a path that starts with /".into());
        }
        if Path::new(&raw).components().any(|part| part.as_os_str() == "..") {
            return Err("has a .. in it; allowed: an absolute path without ..".into());
        }
        Ok(Self(Path::new(&raw).components().collect()))
    }
}

impl Value for Duration {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String> {
        match parse_duration(raw) {
            Some(value) if u64::try_from(value.as_millis()).is_ok_and(|ms| bounds.contains(ms)) => Ok(value),
            _ => Err(format!(
                "not valid; allowed: a time from {} to {}, a number with ms, s, min or h (seconds without a unit)",
                format_duration(Self::from_millis(bounds.min)),
                format_duration(Self::from_millis(bounds.max)),
            )),
        }
    }
}

/// A word out of a list; implemented by enums that list their words.
pub trait Choice: Copy + 'static {
    /// Every word with its meaning.
    const WORDS: &'static [(&'static str, Self)];
    /// The words alone, in the same order.
    const NAMES: &'static [&'static str];

    /// The choice of that word.
    fn of_word(word: &str) -> Option<Self> {
        let choice = Self::WORDS.iter().find(|(known, _)| *known == word);
        choice.map(|(_, choice)| *choice)
    }

    /// The word for it.
    fn word(self) -> &'static str
    where
        Self: PartialEq,
    {
        let choice = Self::WORDS.iter().find(|(_, choice)| *choice == self);
        choice.map_or("", |(word, _)| word)
    }
}

impl<T: Choice> Value for T {
    const CONTENT: ContentType = ContentType::Select;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        T::of_word(raw).ok_or_else(|| format!("unknown; allowed: {}", T::NAMES.join(", ")))
    }

    fn options() -> &'static [&'static str] {
        T::NAMES
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_say_what_is_allowed() {
        let bounds = Bounds { min: 0, max: 600_000 };
        let error = Duration::parse("11min", bounds).unwrap_err();
        assert!(error.contains("0s to 10min"), "{error}");
        assert!(
            u64::parse("70000", Bounds { min: 1, max: 65535 })
                .unwrap_err()
                .contains("1 to 65535")
        );
        assert!(
            bool::parse("maybe", Bounds::NONE)
                .unwrap_err()
                .contains("true, false")
        );
        assert!(AbsolutePath::parse("var/lib", Bounds::NONE).is_err());
        assert!(AbsolutePath::parse("/var/../lib", Bounds::NONE).is_err());
    }

    #[test]
    fn paths_compare_equal_whatever_their_spelling() {
        let path = |raw| AbsolutePath::parse(raw, Bounds::NONE).unwrap();
        assert_eq!(path("/var/lib/kaiwudb/"), path("/var//lib/./kaiwudb"));
    }

    proptest! {
        #[test]
        fn no_input_panics(raw in ".*") {
            let _ = Duration::parse(&raw, Bounds::NONE);
            let _ = u64::parse(&raw, Bounds::NONE);
            let _ = AbsolutePath::parse(&raw, Bounds::NONE);
        }
    }
}
