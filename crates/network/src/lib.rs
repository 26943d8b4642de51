//! Addresses, links, routes and connections of this node, asked of the kernel and changed over netlink, and the few packets that a
//! virtual address needs. No program is started.

mod address;
pub mod arrival;
mod checksum;
pub mod connection;
mod link;
pub mod neighbour;
mod netlink;
pub mod refusal;
pub mod reset;
mod route;
mod subnet;
mod wire;

pub use address::{Address, NewAddress};
pub use link::{Link, LinkKind};
pub use netlink::{Changes, Netlink};
pub use route::Route;
pub use subnet::Subnet;
