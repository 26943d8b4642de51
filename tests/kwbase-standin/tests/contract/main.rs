//! The stand-in's contract, tested on the built binary and a real PostgreSQL.
//!
//! As root the servers run as an ordinary user, like the installed one; `disk` and one test of `start` run them as root
//! and fail when the tests do not run as root.

// In a test a panic is the report.
#![allow(clippy::unwrap_used)]

mod client;
mod disk;
mod harness;
mod raw;
mod secure;
mod series;
mod start;
mod stop;
