//! How the command talks to people and programs.

pub(crate) mod exit;
pub(crate) mod html;
pub(crate) mod output;
pub(crate) mod pager;
pub(crate) mod question;
