//! A program of the operator's.

use crate::Message;
use host::{Command, Deadline};

pub(super) fn send(words: &[String], message: &Message, deadline: Deadline) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("no command")?;
    let json = serde_json::to_vec(message).map_err(|error| error.to_string())?;
    let command = Command::new(program).args(arguments).input(json);
    command
        .run_ok(deadline)
        .map(drop)
        .map_err(|error| error.to_string())
}
