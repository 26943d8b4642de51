//! What another node is asked to do. An order is JSON on standard input, and what ssh is given never changes ([`PROGRAM`]): there is
//! nothing that a shell there could read in another way than it was meant.

use crate::facts::Store;
use crate::support::Request;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What runs on the other node, for every order.
pub const PROGRAM: [&str; 2] = ["kaiwudb-ha", "order"];
/// The longest order, in bytes; the longest real one has a resource file of DRBD in it.
pub const LONGEST: u64 = 1 << 20;

/// What a node is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Its facts, as far as they are about the database that is meant.
    Facts(Option<Store>),
    /// What it has written down since this moment, in microseconds since 1970.
    History(i64),
    /// To run a program.
    Run(Run),
    /// What helps an engineer, as [`Part::pack`](crate::support::Part::pack) writes it.
    Support(Request),
}

/// A program to run, without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// What it reads from standard input.
    #[serde(default)]
    pub input: String,
    /// How long it may take.
    pub patience: Duration,
}
