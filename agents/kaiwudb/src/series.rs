//! A query of time series. The server looks well with a damaged engine of them, to `/health` and to SQL, until the first query, which
//! ends it, and again after every restart (measured on crash images of a real server).

use crate::config::Config;
use crate::diagnosis;
use crate::run_directory::{Record, RunDirectory};
use host::{Deadline, Process, log, wait_for_end};
use kwdb::series::Found;
use kwdb::sql::{Connection, SqlError};
use ocf::Failure;
use std::time::Duration;

/// The catalog answers from memory. One that does not is not what this looks for.
const CATALOG_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that is ended by a signal takes 0.1 to 0.2 s (measured), longer the more memory it has.
const EXIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The sentinel writes down how the server ended a moment after the end.
const RECORD_TIMEOUT: Duration = Duration::from_secs(1);

/// What a query of time series has shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The engine answers, or there is nothing to ask it for.
    Well,
    /// The query has ended the server.
    Ended,
    /// There was no answer in time.
    Silent,
}

/// Queries one table of time series, if there is one.
pub(crate) fn verify(
    run: &RunDirectory,
    server: Process,
    connection: Option<&mut Connection>,
    deadline: Deadline,
) -> Seen {
    // Whom the server does not let in cannot ask it.
    let Some(connection) = connection else {
        return Seen::Well;
    };
    let Some(table) = run
        .read::<Found>(Record::Series)
        .or_else(|| find(run, connection, deadline))
    else {
        return Seen::Well;
    };
    match connection.query(&table.query(), deadline) {
        Ok(_) => Seen::Well,
        // An engine that says something is alive; the table may have been dropped.
        Err(SqlError::Server { .. }) => {
            run.forget(Record::Series);
            Seen::Well
        }
        Err(error) => {
            log::warning(format!("{}: {error}", table.query()));
            wait_for_end(server, deadline.slice(EXIT_TIMEOUT));
            if server.is_running() {
                Seen::Silent
            } else {
                Seen::Ended
            }
        }
    }
}

fn find(run: &RunDirectory, connection: &mut Connection, deadline: Deadline) -> Option<Found> {
    let table = match Found::any(connection, deadline.slice(CATALOG_TIMEOUT)) {
        Ok(table) => table?,
        Err(error) => {
            log::debug(format!("whether there are time series cannot be told: {error}"));
            return None;
        }
    };
    // Without it the next look asks the catalog again.
    let _ = run.write(Record::Series, &table);
    Some(table)
}

/// The start of a server whose store ends it. The other node has the same bytes: another try, here or there, would only hide what the
/// operator must know, so the resource is started nowhere until a cleanup.
pub(crate) fn kills(config: &Config, run: &RunDirectory, server: Process, deadline: Deadline) -> Failure {
    let ended = diagnosis::wait_for_record(run, server, deadline.slice(RECORD_TIMEOUT));
    let how = diagnosis::how(config, ended.as_ref(), deadline);
    Failure::not_configured(format!(
        "damaged time series: the first query ends the server ({how}); restore {} from a backup, then crm_resource --cleanup; not tried \
         on the other node, whose copy is the same",
        config.data_root().display()
    ))
}
