//! What OCF, Pacemaker and an operator may rely on, shown on the built programs.

mod any_agent;
mod bare_node;
mod data_loss;
mod deadlines;
mod degraded;
mod filesystem;
mod interface;
mod lifecycle;
mod ocf_tester;
mod parameters;
mod refusals;
mod schema;
mod sentinel;
mod stop;
mod tls;
