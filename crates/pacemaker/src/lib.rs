//! Pacemaker's command line tools as functions, for Pacemaker 2.0.3 to 3.0. Every call has a deadline. Only XML and single
//! values are parsed, never the text meant for people, which changes from release to release.

pub mod attribute;
pub mod change;
pub mod cib;
pub mod compare;
mod error;
pub mod failure;
pub mod idle;
pub mod last_place;
pub mod live;
pub mod merge;
pub mod model;
pub mod node;
pub mod score;
pub mod simulate;
pub mod status;
pub mod version;
pub mod xml;

pub use error::Error;
