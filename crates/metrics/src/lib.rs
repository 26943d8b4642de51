//! The state of a node as Prometheus reads it: text in its exposition format 0.0.4.
//!
//! - [`exposition`] is the format: names, labels, values, and no label set twice;
//! - [`families`] are the metrics that there are, which is an interface: rules and dashboards of others name them;
//! - [`samples`] makes them of what was found on the node;
//! - [`http`] answers one scrape.

pub mod exposition;
pub mod families;
pub mod http;
pub mod samples;
