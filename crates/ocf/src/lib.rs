//! The OCF Resource Agent API as types.
//!
//! An OCF agent is a program that gets one word (the [`Action`]) as its argument and everything else from the
//! environment ([`Env`]), and answers with an [`ExitCode`]. This crate holds that vocabulary and nothing that touches the
//! machine: no files, no clock, no processes. Sources: OCF Resource Agent API 1.1 (2021), Pacemaker 2.0-3.0.

mod action;
mod boolean;
mod check_level;
mod env;
mod exit_code;
mod failure;
mod feature_set;
mod instance;
mod metadata;
mod notify;
mod parameter;
mod render;
mod role;
mod state;
mod time;
mod value;

pub use action::Action;
pub use boolean::parse_boolean;
pub use check_level::CheckLevel;
pub use env::{Env, Parameters};
pub use exit_code::ExitCode;
pub use failure::{Failure, FailureKind};
pub use feature_set::FeatureSet;
pub use instance::primitive_of;
pub use metadata::{ActionSpec, Dialect, MetaData};
pub use notify::{Notify, When};
pub use parameter::{Declared, Parameter, Text};
pub use role::{NamedRole, Role};
pub use state::State;
pub use time::{format_duration, parse_duration, parse_interval};
pub use value::{AbsolutePath, Bounds, Choice, ContentType, Value};
