//! A lab of two real Pacemaker nodes on one machine.

mod audit;
mod cgroup;
pub mod cib;
mod client;
mod cluster;
mod container;
mod corosync;
pub mod crm_mon;
mod deploy;
pub mod event;
mod fence;
mod image;
mod lab;
mod namespace;
mod network;
mod node;
mod proc;
mod provision;
mod registry;
mod report;
mod setup;
mod spawn;

pub use audit::{Audit, Violation};
pub use client::{Client, ClientOptions};
pub use cluster::Cluster;
pub use deploy::{deploy, package_from_environment};
pub use event::{Event, Outcome};
pub use fence::FenceEvent;
pub use host::Deadline;
pub use image::{Suite, cache_directory, ensure as ensure_image, remove_all as remove_images};
pub use lab::{Lab, Options};
pub use network::{Link, Network, VIRTUAL_IP};
pub use node::{Machine, Node, Observation, Output};
pub use provision::{Installation, Program, provision};
pub use registry::{names, remove_leftovers};
pub use report::{Acknowledgement, Gap, Report};
