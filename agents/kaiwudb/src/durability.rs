//! Whether a crash of the node can take acknowledged rows, as the server's settings and ours say.

use crate::config::Config;
use crate::run_directory::{Record, RunDirectory};
use crate::values::Durability;
use host::{Deadline, log};
use kwdb::durability::{self, Values};
use kwdb::sql::{Connection, SqlError};
use std::time::Duration;

/// The server answers from memory; one that does not is asked by the next monitor.
const ONE_QUESTION: Duration = Duration::from_millis(500);

/// Notes the settings of a server that has just begun to serve, for when it does not answer any more.
pub(crate) fn remember(run: &RunDirectory, connection: Option<&mut Connection>, deadline: Deadline) {
    let deadline = deadline.slice(ONE_QUESTION);
    match connection.map(|connection| durability::query(connection, deadline)) {
        // Without it a stop takes longer, no more.
        Some(Ok(values)) => drop(run.write(Record::Durability, &values)),
        _ => run.forget(Record::Durability),
    }
}

/// The settings as they are, else as they were seen last; nothing where neither is known.
pub(crate) fn values(
    config: &Config,
    run: &RunDirectory,
    connection: Option<&mut Connection>,
    deadline: Deadline,
) -> Values {
    match ask(config, connection, deadline.slice(ONE_QUESTION)) {
        Some(Ok(values)) => {
            let _ = run.write(Record::Durability, &values);
            return values;
        }
        Some(Err(error)) => log::debug(format!("the server's settings are not known: {error}")),
        None => {}
    }
    run.read(Record::Durability).unwrap_or_default()
}

fn ask(
    config: &Config,
    connection: Option<&mut Connection>,
    deadline: Deadline,
) -> Option<Result<Values, SqlError>> {
    if let Some(connection) = connection {
        return Some(durability::query(connection, deadline));
    }
    let target = config.sql_target()?;
    Some(Connection::open(&target, deadline).and_then(|mut own| durability::query(&mut own, deadline)))
}

/// What `durability=required` does not find; `None` where it does, or is not asked for.
pub(crate) fn reason(
    config: &Config,
    run: &RunDirectory,
    connection: Option<&mut Connection>,
    deadline: Deadline,
) -> Option<String> {
    if config.durability == Durability::BestEffort {
        return None;
    }
    let values = values(config, run, connection, deadline);
    let lacking = durability::lacking(&values);
    if !lacking.is_empty() {
        let seen = lacking.iter().map(|setting| {
            let value = values.get(setting.name).map_or("?", String::as_str);
            format!("{}={value}", setting.name)
        });
        let statements: Vec<String> = lacking.iter().map(|setting| setting.set()).collect();
        return Some(format!(
            "{}: a node crash can lose time-series rows; run kaiwudb-ha durable; in SQL: {}; asked for by durability=required",
            seen.collect::<Vec<_>>().join(", "),
            statements.join("; ")
        ));
    }
    config.thresholds.sync_interval.is_zero().then(|| {
        format!(
            "sync_interval=0: a node crash can lose time-series rows; pcs resource update {} sync_interval=1s; asked for by durability=required",
            config.instance
        )
    })
}
