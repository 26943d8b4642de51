//! The configuration that is wanted, and how it differs from the one that the cluster has. It prints nothing and changes nothing.
//!
//! [`wanted`] makes a [`pacemaker::model::Configuration`] out of the settings and of what is there; [`plan`] compares it with the live CIB.

#[cfg(test)]
pub(crate) mod fixture;
mod layout;
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
