//! A table of time series for a client that writes one row after the other and counts them later.

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
