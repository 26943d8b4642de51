//! DRBD 8.4 and 9 as types.
//!
//! - [`event`] reads the lines of `drbdsetup events2`, [`resource`] is the state that they add up to;
//! - [`policy`] says how much a node wants to be promoted, [`health`] what an operator should look at: pure tables;
//! - [`generation`] tells how the data of two nodes belong together;
//! - [`proc_drbd`] tells cheaply whether anything has changed;
//! - [`config`] reads `drbdadm dump-xml`, [`tools`] and [`kernel`] run drbdadm, drbdsetup and modprobe, [`follow`] follows the
//!   events as they happen, [`holders`] finds who has a device open.

pub mod config;
pub mod event;
pub mod follow;
pub mod generation;
pub mod health;
pub mod holders;
pub mod kernel;
pub mod policy;
pub mod proc_drbd;
pub mod resource;
pub mod state;
pub mod tools;
