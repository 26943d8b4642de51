//! Every declared parameter with a wrong value.

use contract::metadata::MetaData;
use contract::{on_a_machine, process};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Wrong values of each parameter. A parameter that is declared and not here fails the test.
const WRONG: &[(&str, &[&str])] = &[
    ("data_root", &["store", "./store", "/a/../b"]),
    ("binary", &["kwbase", "/a/../kwbase"]),
    ("user", &["a\nb"]),
    ("group", &["a\tb"]),
    ("secure_mode", &["TLS", "yes", "ssl"]),
    ("certs_dir", &["certs"]),
    ("listen_host", &["localhost", "256.0.0.1", "0.0.0.0:26257"]),
    ("sql_port", &["0", "65536", "-1", "x", "26257 "]),
    ("http_port", &["0", "65536", "0x50"]),
    ("brpc_port", &["65536", "no"]),
    ("advertise_host", &["a\nb"]),
    ("start_mode", &["a\nb"]),
    ("env_file", &["kaiwudb_env"]),
    ("extra_args", &["--cache='1", "a\nb"]),
    ("require_mount", &["maybe", "2"]),
    ("drain_timeout", &["soon", "-1", "601s", "1d"]),
    ("hang_timeout", &["0", "999ms", "11min"]),
    ("durability", &["always", "1"]),
    ("sync_interval", &["-1s", "61min"]),
    ("oom_score_adj", &["1001", "-1001", "low"]),
    ("no_new_privileges", &["maybe", "2"]),
    ("nofile", &["1023", "many", "1073741817"]),
    ("max_map_count", &["-1", "2147483648"]),
    ("stall_timeout", &["1s", "2h"]),
    ("min_free", &["100%", "1.5G", "some"]),
    ("cert_warn_days", &["3651", "-1", "a month"]),
    ("runtime", &["docker", "Bare"]),
    ("unit", &["a\nb"]),
    ("container", &["a\nb"]),
    ("trace_ra", &["maybe"]),
    ("trace_file", &["trace"]),
];

#[test]
fn wrong_values_are_named_where_they_count_and_ignored_where_not() {
    on_a_machine(|machine| {
        let declared = MetaData::parse(&machine.agent("meta-data").run().stdout);
        let names: BTreeSet<&str> = declared
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        let tried: BTreeSet<&str> = WRONG.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, tried);

        for (name, values) in WRONG {
            for value in *values {
                let wrong = |action: &str| machine.agent(action).set(name, *value);
                for call in [
                    wrong("validate-all"),
                    wrong("start"),
                    wrong("reload"),
                    wrong("reload-agent"),
                ] {
                    let outcome = call.run();
                    assert_eq!(outcome.code(), 6, "{name}={value}: {outcome:?}");
                    outcome.fails(6, &[name, "allowed"]);
                }
                wrong("monitor")
                    .every(std::time::Duration::from_secs(10))
                    .run()
                    .fails(6, &[name, "allowed"]);
                wrong("monitor").run().is_silent(7);
                wrong("stop").run().succeeds();
            }
            let not_text = OsString::from_vec(b"/\xff".to_vec());
            machine
                .agent("validate-all")
                .set(name, not_text.clone())
                .run()
                .fails(6, &[name, "UTF-8"]);
            machine.agent("stop").set(name, not_text).run().succeeds();
            // pcs and crmsh hand on an empty value for one that is not set.
            machine.agent("validate-all").set(name, "").run().succeeds();
        }
        assert_eq!(process::servers(), [], "none of these started a server");
    });
}

#[test]
fn defaults_are_valid_when_given() {
    on_a_machine(|machine| {
        let declared = MetaData::parse(&machine.agent("meta-data").run().stdout);
        let mut call = machine.agent("validate-all").level(10);
        for parameter in declared.parameters {
            if let Some(default) = parameter.default {
                call = call.set(&parameter.name, default);
            }
        }
        call.run().succeeds();
    });
}

/// A configuration that went wrong while the server runs must neither make it look stopped nor keep it from stopping.
#[test]
fn a_wrong_value_on_a_running_server() {
    on_a_machine(|machine| {
        let server = machine.start();
        let wrong = |action: &str| {
            machine
                .agent(action)
                .set("drain_timeout", "soon")
                .set("sql_port", "x")
        };
        wrong("monitor").run().is_silent(0);
        wrong("start").run().fails(6, &["allowed"]);
        assert_eq!(process::server(), server);
        wrong("stop").run().succeeds();
        assert_eq!(process::servers(), []);
    });
}
