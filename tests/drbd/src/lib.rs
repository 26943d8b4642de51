//! Two virtual machines with DRBD, in one of two states that each scenario starts from within seconds.

mod agent;
mod world;

pub use agent::{Agent, Call};
pub use world::{From, World};
