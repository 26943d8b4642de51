//! The client commands: `sql`, `node status`, `node drain`, `quit`.

pub(crate) mod protocol;
pub(crate) mod table;
mod target;
mod url;

use std::io::{self, BufRead, Write};
use std::thread;
use std::time::Duration;

use crate::flags::{Arguments, Flag, Kind, flag, parse_duration, short};
use crate::wire::{Control, NODE_STATUS};

use protocol::Connection;
use table::{Format, render};
use target::{CONNECTION_FLAGS, Stream, Target};

const SQL_FLAGS: &[Flag] = &[
    short("execute", 'e', Kind::Text),
    flag("format", Kind::Text),
    flag("set", Kind::Text),
    flag("watch", Kind::Duration),
];
const NODE_FLAGS: &[Flag] = &[
    flag("format", Kind::Text),
    flag("timeout", Kind::Duration),
    flag("drain-wait", Kind::Duration),
    flag("decommission", Kind::Switch),
];
/// How long `quit` and `node drain` wait for the clients to go.
const DRAIN_WAIT: Duration = Duration::from_secs(600);

/// `kwbase sql`.
pub(crate) fn sql(args: &[String]) -> Result<(), String> {
    let given = Arguments::parse(&[CONNECTION_FLAGS, SQL_FLAGS], args)?;
    refuse_arguments(&given)?;
    let mut format = Format::parse(given.get("format").unwrap_or("tsv"))?;
    let mut stop_at_error = true;
    for option in given.all("set") {
        match option.split_once('=') {
            Some(("display_format", value)) => format = Format::parse(value)?,
            Some(("errexit", value)) => stop_at_error = value != "false",
            _ => return Err(format!("invalid syntax: \\set {option}. Try \\? for help.")),
        }
    }
    let mut session = Target::read(&given)?.connect(None)?;
    let statements = given.all("execute");
    if statements.is_empty() {
        return read_statements(&mut session, format, stop_at_error);
    }
    loop {
        for statement in &statements {
            run(&mut session, statement, format)?;
        }
        match given.get("watch").and_then(parse_duration) {
            Some(pause) => thread::sleep(pause),
            None => return Ok(()),
        }
    }
}

/// Runs what standard input holds, statement by statement; one ends at a `;` at the end of a line.
fn read_statements(
    session: &mut Connection<Box<dyn Stream>>,
    format: Format,
    stop_at_error: bool,
) -> Result<(), String> {
    let mut statement = String::new();
    let mut outcome = Ok(());
    for line in io::stdin().lock().lines() {
        statement.push_str(&line.map_err(|error| error.to_string())?);
        statement.push('\n');
        if statement.trim_end().ends_with(';') {
            match run(session, &std::mem::take(&mut statement), format) {
                Err(error) if stop_at_error => return Err(error),
                Err(error) => outcome = Err(error),
                Ok(()) => {}
            }
        }
    }
    if statement.trim().is_empty() {
        outcome
    } else {
        run(session, &statement, format)
    }
}

fn run(session: &mut Connection<Box<dyn Stream>>, sql: &str, format: Format) -> Result<(), String> {
    for outcome in session.query(sql).map_err(|error| error.to_string())? {
        print(&render(&outcome, format))?;
    }
    Ok(())
}

/// `kwbase node status|drain`.
pub(crate) fn node(args: &[String]) -> Result<(), String> {
    match args.first().map(String::as_str) {
        Some("status") => {
            let given = Arguments::parse(&[CONNECTION_FLAGS, NODE_FLAGS], &args[1..])?;
            let format = Format::parse(given.get("format").unwrap_or("tsv"))?;
            let limit = given
                .get("timeout")
                .and_then(parse_duration)
                .filter(|limit| !limit.is_zero());
            let mut session = Target::read(&given)?.connect(limit)?;
            run(&mut session, NODE_STATUS, format)
        }
        Some("drain") => {
            order(Control::Drain, &args[1..])?;
            print("node is draining... remaining: 0 (complete)\nok\n")
        }
        Some(other) => Err(format!("unknown command \"{other}\" for \"kwbase node\"")),
        None => Err("kwbase node needs a command: status or drain".into()),
    }
}

/// `kwbase quit`.
pub(crate) fn quit(args: &[String]) -> Result<(), String> {
    order(Control::Quit, args)?;
    print("ok\n")
}

fn order(control: Control, args: &[String]) -> Result<(), String> {
    let given = Arguments::parse(&[CONNECTION_FLAGS, NODE_FLAGS], args)?;
    refuse_arguments(&given)?;
    let limit = given
        .get("drain-wait")
        .and_then(parse_duration)
        .unwrap_or(DRAIN_WAIT);
    let mut session = Target::read(&given)?.connect(Some(limit))?;
    session
        .query(control.sql())
        .map(drop)
        .map_err(|error| error.to_string())
}

fn refuse_arguments(given: &Arguments) -> Result<(), String> {
    match given.positional.first() {
        Some(extra) => Err(format!("unknown command \"{extra}\" for \"kwbase\"")),
        None => Ok(()),
    }
}

fn print(text: &str) -> Result<(), String> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}
