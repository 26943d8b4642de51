//! The cluster's state as `crm_mon` prints it.
use anyhow::Result;
use crate::Node;
use host::Deadline;
/// x
#[derive(Debug)]
pub struct Status { /// n
 pub nodes: Vec<Member> }
/// y
#[derive(Debug)]
pub struct Member { /// n
 pub name: String }
impl Member { /// o
 pub fn is_online(&self)->bool{true}}
/// x
pub fn read(_n:&Node,_d:Deadline)->Result<Status>{ Ok(Status{nodes:vec![]}) }
