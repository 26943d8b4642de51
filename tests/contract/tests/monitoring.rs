//! What the package has for Prometheus and systemd, in their own judgement.

use contract::debian;
use contract::on_debian;
use contract::programs::{Programs, repository};
use metrics::families;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

const RULES: &str = include_str!("../../../packaging/monitoring/kaiwudb-ha.rules.yml");
const RULES_TEST: &str = include_str!("../../../packaging/monitoring/kaiwudb-ha.rules.test.yml");
const DASHBOARD: &str = include_str!("../../../packaging/monitoring/kaiwudb-ha.json");
const SIMULATED: &str = include_str!("../../../packaging/monitoring/simulate.prom");
const MANUAL: &str = include_str!("../../../docs/monitoring.md");

#[track_caller]
fn promtool(words: &[&str]) -> String {
    let _ = Programs::get();
    let output = Command::new("promtool")
        .args(words)
        .current_dir(repository().join("packaging/monitoring"))
        .output()
        .expect("Debian's prometheus is installed");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn prometheus_takes_the_rules() {
    let said = promtool(&["check", "rules", "kaiwudb-ha.rules.yml"]);
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn every_rule_fires_for_its_fault_and_none_for_a_sound_pair() {
    promtool(&["test", "rules", "kaiwudb-ha.rules.test.yml"]);
    for line in RULES.lines() {
        if let Some(alert) = line.trim().strip_prefix("- alert: ") {
            assert!(
                RULES_TEST.contains(&format!("\"{alert}\"")),
                "no test fires {alert}"
            );
        }
    }
}

/// The names that begin with `kaiwudb_ha_` in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("kaiwudb_ha_"))
        .collect()
}

#[test]
fn rules_and_documents_name_only_metrics_that_there_are() {
    let known: BTreeSet<&str> = families::ALL.iter().map(|family| family.name).collect();
    for text in [RULES, RULES_TEST, DASHBOARD, SIMULATED] {
        assert_eq!(names(text).difference(&known).collect::<Vec<_>>(), [&""; 0]);
    }
    for family in families::ALL {
        let name = family.name.trim_start_matches("kaiwudb_ha_");
        let row = format!("| `{name}` | {} |", family.help);
        assert!(
            MANUAL.lines().any(|line| line == row),
            "docs/monitoring.md has no row\n{row}"
        );
    }
}

/// Every query of the dashboard, with a pair's name in place of the variable.
fn queries() -> Vec<String> {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    targets
        .map(|target| target["expr"].as_str().expect("a query").replace("$pair", "p"))
        .collect()
}

#[test]
fn prometheus_takes_the_dashboards_queries() {
    let queries = queries();
    assert!(queries.len() > 20);
    let directory = tempfile::tempdir().expect("/tmp can be written");
    let path = directory.path().join("queries.yml");
    let rule = |(number, query): (usize, &String)| serde_json::json!({ "record": format!("query:{number}"), "expr": query });
    let rules: Vec<_> = queries.iter().enumerate().map(rule).collect();
    // JSON is YAML.
    let text = serde_json::json!({ "groups": [{ "name": "queries", "rules": rules }] }).to_string();
    fs::write(&path, text).expect("our own directory");
    let said = promtool(&["check", "rules", &path.display().to_string()]);
    assert!(said.contains(&format!("{} rules found", queries.len())), "{said}");
}

#[test]
fn both_languages_say_what_is_wrong() {
    let count = |word: &str| RULES.lines().filter(|line| line.trim().starts_with(word)).count();
    let alerts = count("- alert: ");
    assert!(alerts > 20);
    assert_eq!((count("summary: "), count("summary_zh: ")), (alerts, alerts));
}

#[test]
fn systemd_takes_the_units() {
    on_debian(|| {
        debian::install(Programs::get());
        let source = repository().join("packaging/systemd");
        let mut units = Vec::new();
        for entry in fs::read_dir(source).expect("there are units") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().expect("a file has a name").to_owned();
            fs::copy(&path, std::path::Path::new("/etc/systemd/system").join(&name))
                .expect("/etc is private");
            let text = fs::read_to_string(&path).expect("a unit is text");
            // A namespace of its own keeps the store from being unmounted.
            for option in [
                "ProtectSystem=",
                "PrivateTmp=",
                "ProtectHome=",
                "ReadOnlyPaths=",
                "PrivateDevices=",
            ] {
                assert!(!text.contains(option), "{}", path.display());
            }
            let name = name.into_string().expect("plain names");
            units.push(name.replace("@.", "@1."));
        }
        let mut words = vec![
            "systemd-analyze".to_owned(),
            "verify".to_owned(),
            "--man=no".to_owned(),
        ];
        words.extend(units);
        let output = debian::run_as("node1", &words, &[]);
        let said = debian::text(&output);
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("kaiwudb-ha")).collect();
        assert!(output.status.success() && ours.is_empty(), "{said}");
    });
}
