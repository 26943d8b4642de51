//! Declaration of a parameter: one typed constant per parameter, listed in the agent's [`MetaData`](crate::MetaData).

use crate::value::{Bounds, ContentType, Value};
use std::marker::PhantomData;

/// A text in the two languages of our users. English comes first in the meta-data because pcs and crmsh show the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

/// A parameter whose value reads as `T`.
#[derive(Debug)]
pub struct Parameter<T> {
    name: &'static str,
    default: Option<&'static str>,
    required: bool,
    unique_group: Option<&'static str>,
    reloadable: bool,
    bounds: Bounds,
    short: Text,
    long: Text,
    value: PhantomData<fn() -> T>,
}

impl<T: Value> Parameter<T> {
    /// An optional parameter without a default.
    pub const fn new(name: &'static str, short: Text, long: Text) -> Self {
        Self {
            name,
            default: None,
            required: false,
            unique_group: None,
            reloadable: false,
            bounds: Bounds::NONE,
            short,
            long,
            value: PhantomData,
        }
    }

    /// The value that counts when none is given.
    #[must_use]
    pub const fn default(mut self, raw: &'static str) -> Self {
        self.default = Some(raw);
        self
    }

    /// No resource can be made without it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// No two resources may have the same values of the parameters of this group.
    #[must_use]
    pub const fn unique_group(mut self, group: &'static str) -> Self {
        self.unique_group = Some(group);
        self
    }

    /// A change takes effect without a restart of the resource.
    #[must_use]
    pub const fn reloadable(mut self) -> Self {
        self.reloadable = true;
        self
    }

    /// Smallest and largest value; for a duration in milliseconds.
    #[must_use]
    pub const fn bounds(mut self, min: u64, max: u64) -> Self {
        self.bounds = Bounds { min, max };
        self
    }

    /// Reads a raw value; the error names the parameter, the value and what is allowed.
    pub fn parse(&self, raw: &str) -> Result<T, String> {
        T::parse(raw, self.bounds).map_err(|why| format!("parameter {}=\"{raw}\": {why}", self.name))
    }
}

/// A parameter without its type: what tables, meta-data and documents need.
pub trait Declared: Sync {
    /// Name, as in `OCF_RESKEY_<name>`.
    fn name(&self) -> &'static str;
    /// The value that counts when none is given.
    fn default_value(&self) -> Option<&'static str>;
    /// Whether no resource can be made without it.
    fn is_required(&self) -> bool;
    /// The group whose values must differ between resources.
    fn group(&self) -> Option<&'static str>;
    /// Whether a change takes effect without a restart.
    fn is_reloadable(&self) -> bool;
    /// How the meta-data call the type.
    fn content(&self) -> ContentType;
    /// The allowed words where the type is a list of words.
    fn options(&self) -> &'static [&'static str];
    /// One line.
    fn short(&self) -> Text;
    /// Everything a user needs to choose a value.
    fn long(&self) -> Text;
    /// Whether `raw` is a valid value; the error names parameter, value and what is allowed.
    fn check(&self, raw: &str) -> Result<(), String>;
}

impl<T: Value> Declared for Parameter<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn default_value(&self) -> Option<&'static str> {
        self.default
    }
    fn is_required(&self) -> bool {
        self.required
    }
    fn group(&self) -> Option<&'static str> {
        self.unique_group
    }
    fn is_reloadable(&self) -> bool {
        self.reloadable
    }
    fn content(&self) -> ContentType {
        T::CONTENT
    }
    fn options(&self) -> &'static [&'static str] {
        T::options()
    }
    fn short(&self) -> Text {
        self.short
    }
    fn long(&self) -> Text {
        self.long
    }
    fn check(&self, raw: &str) -> Result<(), String> {
        self.parse(raw).map(drop)
    }
}
