//! Tables of time series: one for a client that writes one row after the other and counts them later, and any that there is, to see
//! whether the engine answers.

use crate::sql::{Connection, SqlError};
use host::Deadline;
use serde::{Deserialize, Serialize};

/// One table of time series, of whatever database: the engine opens them all in the same way.
const A_TABLE: &str = "SELECT table_catalog, table_name FROM \"\".information_schema.tables \
     WHERE table_type = 'TIME SERIES TABLE' LIMIT 1";

/// A table that was found in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    database: String,
    name: String,
}

impl Found {
    /// Looks for one; `None` where there is none.
    pub fn any(connection: &mut Connection, deadline: Deadline) -> Result<Option<Self>, SqlError> {
        let rows = connection.query(A_TABLE, deadline)?;
        Ok(rows.into_iter().next().and_then(Self::of))
    }

    fn of(row: Vec<Option<String>>) -> Option<Self> {
        let mut row = row.into_iter();
        Some(Self {
            database: row.next()??,
            name: row.next()??,
        })
    }

    /// Reads one row: it makes the engine open its files, whatever their size.
    pub fn query(&self) -> String {
        let quoted = |name: &str| name.replace('"', "\"\"");
        format!(
            "SELECT * FROM \"{}\".\"{}\" LIMIT 1",
            quoted(&self.database),
            quoted(&self.name)
        )
    }
}

/// The database and table of such rows. Names are words of letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// A database of time series, which holds nothing else.
    pub database: String,
    /// The table in it.
    pub table: String,
}

impl Rows {
    /// What makes the database and the table, once or again.
    pub fn make(&self) -> [String; 2] {
        let Self { database, table } = self;
        [
            format!("CREATE TS DATABASE IF NOT EXISTS {database}"),
            format!(
                "CREATE TABLE IF NOT EXISTS {database}.{table} (ts TIMESTAMPTZ NOT NULL, id INT8) TAGS (run INT8 NOT NULL) \
                 PRIMARY TAGS (run)"
            ),
        ]
    }

    /// Writes the row `id` of a run. Its time comes from its number, because two rows of a run with one time would be one.
    pub fn insert(&self, run: u64, id: u64) -> String {
        let (seconds, milliseconds) = (id / 1000, id % 1000);
        let [days, hours, minutes, seconds] = [
            seconds / 86_400,
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60,
        ];
        format!(
            "INSERT INTO {}.{} VALUES ('2026-01-{:02} {hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}', {id}, {run})",
            self.database,
            self.table,
            days + 1
        )
    }

    /// Reads the numbers of a run's rows.
    pub fn select(&self, run: u64) -> String {
        format!(
            "SELECT id FROM {}.{} WHERE run = {run}",
            self.database, self.table
        )
    }

    /// Removes all that [`Self::make`] has made.
    pub fn remove(&self) -> String {
        format!("DROP DATABASE {} CASCADE", self.database)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_time() {
        let rows = Rows {
            database: "d".into(),
            table: "t".into(),
        };
        assert_eq!(
            rows.insert(7, 90_061_002),
            "INSERT INTO d.t VALUES ('2026-01-02 01:01:01.002', 90061002, 7)"
        );
    }
}
