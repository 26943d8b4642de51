//! Time series: rows that survive as the settings say, and an engine that the first query ends.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::harness::Setup;

const DATABASE: &str = "CREATE TS DATABASE IF NOT EXISTS meters";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS meters.power (ts TIMESTAMPTZ NOT NULL, id INT8) TAGS (run INT8 NOT NULL) PRIMARY TAGS (run)";
const COUNT: &str = "SELECT count(*) FROM meters.power";

fn make(setup: &Setup) {
    for statement in [DATABASE, TABLE] {
        assert!(setup.sql(statement).status.success());
    }
}

fn insert(setup: &Setup, id: u32) {
    let insert = format!("INSERT INTO meters.power VALUES ('2026-07-02 10:00:00', {id}, 7)");
    let said = setup.sql(&insert);
    assert!(said.status.success(), "{said:?}");
}

#[test]
fn rows_survive_a_kill_and_a_stop() {
    let setup = Setup::existing();
    let server = setup.serve();
    make(&setup);
    make(&setup);
    insert(&setup, 1);
    drop(server);
    let mut server = setup.serve();
    assert_eq!(setup.value(COUNT), "1");
    insert(&setup, 2);
    assert_eq!(server.stop().code(), Some(0));
    let _server = setup.serve();
    assert_eq!(setup.value("SELECT sum(id) FROM meters.power"), "3");
}

/// Without a log, even a kill on a healthy machine loses what no checkpoint has.
#[test]
fn without_a_log_a_kill_loses_rows() {
    let setup = Setup::existing();
    let server = setup.serve();
    make(&setup);
    assert!(
        setup
            .sql("SET CLUSTER SETTING ts.wal.wal_level = 0")
            .status
            .success()
    );
    insert(&setup, 1);
    assert_eq!(setup.value(COUNT), "1");
    drop(server);
    let _server = setup.serve();
    assert_eq!(setup.value(COUNT), "0");
}

/// Health and SQL say that all is well.
#[test]
fn files_that_a_crash_left_empty_end_the_server_at_the_first_query() {
    let setup = Setup::existing();
    let mut server = setup.serve();
    make(&setup);
    insert(&setup, 1);
    assert_eq!(server.stop().code(), Some(0));
    drop(server);
    for entry in fs::read_dir(setup.store.join("tsdb/vg_001")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("TSVERSION")
        {
            fs::write(path, "").unwrap();
        }
    }
    for _ in 0..2 {
        let mut server = setup.serve();
        assert_eq!(setup.value("SELECT 1"), "1");
        assert_eq!(setup.http("/health?ready=1").unwrap().0, 200);
        assert!(!setup.sql(COUNT).status.success());
        assert_eq!(server.wait().signal(), Some(11));
    }
}

#[test]
fn the_catalog_names_the_tables() {
    let setup = Setup::existing();
    let _server = setup.serve();
    let catalog = "SELECT table_catalog, table_name FROM \"\".information_schema.tables WHERE table_type = 'TIME SERIES TABLE' LIMIT 1";
    let said = |sql: &str| String::from_utf8(setup.sql(sql).stdout).unwrap();
    assert!(!said(catalog).contains("power"));
    make(&setup);
    assert!(said(catalog).contains("power"));
    assert!(
        setup
            .sql("SELECT * FROM \"meters\".\"power\" LIMIT 1")
            .status
            .success()
    );
    assert!(setup.sql("DROP DATABASE meters CASCADE").status.success());
    assert!(!said(catalog).contains("power"));
}
