//! What OCF, Pacemaker and an operator may rely on, shown on the built programs.

mod any_agent;
mod bare_node;
mod companion;
mod data_loss;
mod deadlines;
mod degraded;
mod documents;
mod drbd_versions;
mod filesystem;
mod filesystem_free;
mod filesystem_users;
mod interface;
mod lifecycle;
mod ocf_tester;
mod ocft;
mod parameters;
mod printed;
mod refusals;
mod schema;
mod sentinel;
mod spellings;
mod stop;
mod terms;
mod tls;
