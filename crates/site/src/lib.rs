//! What is known of a site: two nodes, their cluster, the database on it. It knows and decides; it prints nothing, asks nobody, and knows
//! no command line.
//!
//! - [`facts`](mod@facts) are gathered on a node by itself, [`node`] reaches the other ones, [`cluster`] asks Pacemaker and puts all together, [`stack`] refuses
//!   releases that are too old;
//! - [`value`] is what a value can look like, whoever says it; [`settings`] is what an operator has written down, [`tables`] what our agents say of themselves;
//! - [`roles`] tells which resource is what, [`fencing`] how a node is switched off, [`leftover`] what holds a resource back,
//!   [`drbd_dialect`] how DRBD's configuration is written: pure functions;
//! - [`placement`] is where the database has been;
//! - [`pulse`] is how this node is at this moment, for what asks again and again;
//! - [`support`] is what helps an engineer who was not there; `logs` is where others have written down what they did;
//! - [`kept`] is what was found last time;
//! - [`readiness`] is whether a failover would succeed now;
//! - [`status`] is the state of all of it and what needs attention, [`incident`] what people are told of, [`history`] what has happened and why,
//!   [`drill`] the record of a rehearsed failover.

pub mod alerting;
pub mod cluster;
pub mod context;
pub mod doubt;
pub mod drbd_dialect;
pub mod drill;
pub mod facts;
pub mod fencing;
pub mod guard;
pub mod history;
pub mod incident;
pub mod kept;
pub mod language;
pub mod leftover;
mod logs;
pub mod mount_point;
pub mod neighbours;
pub mod node;
pub mod order;
pub mod placement;
pub mod pulse;
pub mod readiness;
pub mod roles;
pub mod settings;
pub mod shell;
pub mod stack;
pub mod status;
pub mod support;
pub mod tables;
pub mod texts;
pub mod time;
pub mod value;
