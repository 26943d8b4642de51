//! Telling people: what Pacemaker's alert agent leaves ([`spool`]), messages on their way ([`outbox`]) and how they leave ([`channel`]).
//! What is an incident, and what is said of it, is `site::incident`'s.

pub mod channel;
mod event;
mod message;
pub mod outbox;
mod secret;
pub mod spool;

pub use event::{Event, Kind};
pub use message::{Message, Phase};
pub use secret::Secret;

use std::path::Path;

/// What is on its way, and what is known of incidents. Root's.
pub const DIRECTORY: &str = "/var/lib/kaiwudb-ha/alerts";

/// Messages that have not been delivered to every channel: their number and why. What `status` and the metrics show; empty where nothing
/// was ever sent.
pub fn undelivered() -> Vec<outbox::Undelivered> {
    outbox::Outbox::at(Path::new(DIRECTORY)).undelivered()
}
