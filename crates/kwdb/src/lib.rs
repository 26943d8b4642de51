//! The KWDB (KaiwuDB) server as an agent sees it from outside.
//!
//! Nothing here starts or stops a server or decides about a cluster. It knows how the vendor installs the server
//! ([`installation`], [`environment`]), how it is called ([`server`]) and where it is asked ([`address`]), which process serves which store ([`process`]), what lies in a store
//! ([`store`]), which store it is ([`identity`]), how to ask it ([`health`], [`sql`], [`tls`]), how to write time series ([`series`]), whether it has clients ([`clients`]), what a crash of its node takes ([`durability`]) and what its last log lines mean
//! ([`signatures`]).

pub mod address;
pub mod clients;
pub mod durability;
pub mod environment;
pub mod health;
pub mod identity;
pub mod installation;
pub mod process;
pub mod series;
pub mod server;
pub mod signatures;
pub mod sql;
pub mod store;
pub mod tls;
