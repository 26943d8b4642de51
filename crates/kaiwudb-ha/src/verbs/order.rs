//! `order`: does what another node asks for on standard input.

use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Context, Result};
use host::{Command, Deadline};
use site::facts::{self, PATIENCE};
use site::history::gather;
use site::order::{LONGEST, Order, Run};
use site::support;
use std::io::{Read, Write};

/// Reads an order and follows it.
pub(super) fn run() -> Result<Exit> {
    let mut text = String::new();
    std::io::stdin().lock().take(LONGEST).read_to_string(&mut text)?;
    match serde_json::from_str(&text).context("no order on standard input")? {
        Order::Facts(store) => {
            output::value(&facts::gather(|_| store, Deadline::after(PATIENCE)))?;
            Ok(Exit::Done)
        }
        Order::History(since) => {
            output::value(&gather::gather(since, Deadline::after(gather::PATIENCE)))?;
            Ok(Exit::Done)
        }
        Order::Run(order) => execute(&order),
        Order::Support(request) => {
            std::io::stdout().write_all(&support::gather(&request).pack()?)?;
            Ok(Exit::Done)
        }
    }
}

fn execute(order: &Run) -> Result<Exit> {
    let (program, arguments) = order.words.split_first().context("no command")?;
    let answer = Command::new(program)
        .args(arguments)
        .input(order.input.as_str())
        .run(Deadline::after(order.patience))?;
    std::io::stdout().write_all(&answer.stdout)?;
    if answer.status.success() {
        return Ok(Exit::Done);
    }
    output::note(&answer.last_words());
    Ok(Exit::Failed)
}
