//! Every sentence for people, in English and Chinese, one table for each part of the command.

pub(crate) mod alerts;
pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod disks;
pub(crate) mod drill;
pub(crate) mod durable;
pub(crate) mod handbook;
pub(crate) mod help;
pub(crate) mod metrics;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod question;
pub(crate) mod ready;
pub(crate) mod since;
pub(crate) mod split_brain;
pub(crate) mod status;
pub(crate) mod support;
pub(crate) mod why;
