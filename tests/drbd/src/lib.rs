//! Two virtual machines with DRBD, in one of two states that each scenario starts from within seconds.
#![allow(clippy::print_stdout)] // a test tells its reader

mod agent;
mod nfs;
mod world;

pub use agent::{Agent, Call};
pub use nfs::{Confirmed, over_nfs};
pub use world::{From, World};
