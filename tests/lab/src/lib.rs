//! A lab of two real Pacemaker nodes on one machine.

mod cgroup;
pub mod cib;
mod cluster;
mod container;
mod corosync;
pub mod crm_mon;
mod fence;
mod image;
mod lab;
mod namespace;
mod network;
mod node;
mod proc;
mod spawn;

pub use cluster::Cluster;
pub use fence::FenceEvent;
pub use host::Deadline;
pub use image::{Suite, cache_directory, ensure as ensure_image, remove_all as remove_images};
pub use lab::{Lab, Options, remove_leftovers};
pub use network::{Link, Network, VIRTUAL_IP};
pub use node::{Machine, Node, Observation, Output};
