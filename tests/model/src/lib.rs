//! Exhaustive models: every order in which faults, steps of the cluster and an operator's mistakes can come, over the functions that decide in
//! what is shipped. Nothing is decided here that a production function decides; what DRBD and Pacemaker do by themselves is written down in
//! [`stack`], each rule with where it is known from.

pub mod certificates;
pub mod explore;
pub mod stack;
