//! Meta-data against every schema that the users' tools hold them to.

use contract::machine::{on_a_bare_machine, shell};
use contract::metadata::MetaData;
use contract::programs::{Programs, agents, repository};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

const DIALECTS: [&str; 2] = ["1.0", "1.1"];

fn committed(dialect: &str, agent: &str) -> PathBuf {
    repository().join(format!("ocf-metadata/{dialect}/{agent}.xml"))
}

/// Where pcs's schemas are. They stay there for the next run.
fn schemas() -> &'static Path {
    static FETCHED: Once = Once::new();
    let directory = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/pcs-schemas"));
    FETCHED.call_once(|| {
        // Another run of these tests may fetch them at the same time.
        let script = repository().join("tests/contract/files/schemas.sh");
        shell(&format!(
            "mkdir -p '{0}'; exec 9<'{0}'; flock 9; [ -e '{0}/ocf-1.1.rng' ] || '{1}' '{0}'",
            directory.display(),
            script.display()
        ));
    });
    directory
}

#[test]
fn committed_files_are_what_the_agents_print() {
    let programs = Programs::get();
    on_a_bare_machine(|_| {
        for agent in agents() {
            for dialect in DIALECTS {
                let (major, minor) = dialect.split_once('.').expect("a version");
                let printed = contract::Call::new(programs.agent(&agent), "meta-data")
                    .env("OCF_RA_VERSION_MAJOR", major)
                    .env("OCF_RA_VERSION_MINOR", minor)
                    .run()
                    .stdout;
                let file = committed(dialect, &agent);
                let text = fs::read_to_string(&file).unwrap_or_default();
                assert!(
                    text == printed,
                    "{} is not what the agent prints: run make metadata",
                    file.display()
                );
            }
        }
    });
}

#[test]
fn every_schema_that_applies() {
    Programs::get();
    let pcs = |version: &str| format!("--relaxng '{}/ocf-{version}.rng'", schemas().display());
    let debian = "/usr/share/resource-agents";
    for agent in agents() {
        // ocf-tester's document type, the schema of the resource-agents project, pcs.
        for (dialect, schema) in [
            ("1.0", format!("--dtdvalid {debian}/ra-api-1.dtd")),
            ("1.0", format!("--relaxng {debian}/metadata.rng")),
            ("1.0", pcs("1.0")),
            ("1.0", pcs("1.1")),
            ("1.1", pcs("1.1")),
        ] {
            shell(&format!(
                "xmllint --noout --nonet {schema} '{}'",
                committed(dialect, &agent).display()
            ));
        }
        // As ocf-tester does it: by the document's own DOCTYPE.
        shell(&format!(
            "cd {debian}; xmllint --noout --valid - <'{}'",
            committed("1.0", &agent).display()
        ));
    }
}

/// What OCF 1.1 demands beyond pcs's schema.
#[test]
fn every_action_has_a_timeout_and_the_mandatory_ones_are_there() {
    for agent in agents() {
        for dialect in DIALECTS {
            let text = fs::read_to_string(committed(dialect, &agent)).expect("meta-data are committed");
            let document = MetaData::parse(&text);
            assert_eq!(document.version, dialect);
            for action in &document.actions {
                assert!(
                    action.timeout.is_some(),
                    "{agent} {dialect}: {} has no timeout",
                    action.name
                );
            }
            for mandatory in ["start", "stop", "monitor", "meta-data"] {
                assert!(
                    document.actions.iter().any(|action| action.name == mandatory),
                    "{agent}: {mandatory}"
                );
            }
            let reloadable = document.parameters.iter().any(|parameter| parameter.reloadable);
            let has_reload = document
                .actions
                .iter()
                .any(|action| action.name == "reload-agent");
            assert!(
                !reloadable || has_reload,
                "{agent} {dialect}: reloadable parameters need reload-agent"
            );
        }
    }
}

/// A schema test that could not fail would be worth nothing.
#[test]
fn a_schema_notices_a_defect() {
    Programs::get();
    let text = fs::read_to_string(committed("1.0", "kaiwudb")).expect("meta-data are committed");
    let broken = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    fs::write(broken.path(), text.replace("timeout=", "patience=")).expect("our own file");
    let lint = |schema: &str| {
        let script = format!(
            "! xmllint --noout --nonet {schema} '{}' 2>/dev/null",
            broken.path().display()
        );
        shell(&script)
    };
    lint("--dtdvalid /usr/share/resource-agents/ra-api-1.dtd");
    lint("--relaxng /usr/share/resource-agents/metadata.rng");
    lint(&format!("--relaxng '{}/ocf-1.0.rng'", schemas().display()));
}
