//! The plan in the words of others: of people, of pcs and crmsh, of DRBD, of the settings file.

pub(crate) mod ansible;
pub(crate) mod changes;
pub(crate) mod crmsh;
pub(crate) mod drbd;
pub(crate) mod init;
pub(crate) mod missing;
pub(crate) mod pcs;
mod script;
pub(crate) mod simulation;
mod yaml;
