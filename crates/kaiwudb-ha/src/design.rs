//! The configuration that is wanted, and how it differs from the one that the cluster has. It prints nothing and changes nothing.
//!
//! [`wanted`] makes a [`model::Configuration`] out of the settings and of what is there, [`change`] compares it with the live CIB, [`merge`]
//! puts the differences in; [`plan`] has all of that.

pub(crate) mod change;
mod layout;
pub(crate) mod live;
pub(crate) mod merge;
pub(crate) mod model;
pub(crate) mod operations;
mod options;
pub(crate) mod parameters;
pub(crate) mod plan;
pub(crate) mod resources;
pub(crate) mod simulate;
pub(crate) mod sources;
pub(crate) mod storage;
#[cfg(test)]
mod tests;
pub(crate) mod wanted;
