//! What has happened, and why: the records of both nodes as one timeline, cut into incidents, each with what failed first.
//!
//! [`gather`] reads a node's records on that node; everything else is a pure function of them. A record means what the table of [`event`] says
//! it means; the clock of another node is aligned by what both have logged ([`align`]); [`timeline`] has each event once, [`incident`] cuts it,
//! [`cause`] says what failed first or that it is not known, [`cost`] what it cost clients.

pub mod align;
pub mod cause;
pub mod cost;
pub mod event;
pub mod gather;
pub mod incident;
pub mod inputs;
mod parse;
pub mod past;
pub mod record;
pub mod timeline;
mod what;
pub mod words;

pub use incident::Incident;
pub use past::Past;
pub use record::{Coverage, Gathered, Record};
pub use timeline::Timeline;

#[cfg(test)]
mod tests;
