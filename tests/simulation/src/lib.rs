//! Pacemaker's own scheduler, asked what becomes of a planned configuration when one thing after the other fails. No cluster runs: the
//! scheduler's program, from the lab's image of a Debian release, works on copies of the CIB.

pub mod events;
pub mod promises;
pub mod scheduler;
pub mod world;
