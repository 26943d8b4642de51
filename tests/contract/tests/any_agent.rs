//! What holds for every agent of the suite, whatever it manages: on a node where nothing of it is set up.

use contract::metadata::MetaData;
use contract::on_a_bare_machine;
use contract::programs::{Programs, agents};
use contract::{Call, Outcome};
use std::time::Duration;

/// An agent with its required parameters.
struct Agent {
    name: String,
    document: MetaData,
}

impl Agent {
    fn all() -> Vec<Self> {
        let document = |name: &str| MetaData::parse(&Self::bare_call(name, "meta-data").run().stdout);
        let all: Vec<Self> = agents()
            .into_iter()
            .map(|name| Self {
                document: document(&name),
                name,
            })
            .collect();
        assert!(!all.is_empty());
        all
    }

    fn bare_call(name: &str, action: &str) -> Call {
        Call::new(Programs::get().agent(name), action)
            .env("OCF_RESOURCE_TYPE", name)
            .env("OCF_RESOURCE_INSTANCE", "Resource")
    }

    fn call(&self, action: &str) -> Call {
        let required = self
            .document
            .parameters
            .iter()
            .filter(|parameter| parameter.required);
        required.fold(Self::bare_call(&self.name, action), |call, parameter| {
            call.set(&parameter.name, valid(&parameter.name))
        })
    }

    fn declares(&self, action: &str) -> bool {
        self.document
            .actions
            .iter()
            .any(|declared| declared.name == action)
    }
}

/// A value that a required parameter takes, of something that is not there.
fn valid(parameter: &str) -> &'static str {
    match parameter {
        "device" => "/dev/not-there",
        "directory" => "/var/lib/not-there",
        "fstype" => "ext4",
        "ip" => "192.0.2.9",
        _ => "r0",
    }
}

fn with_every_agent(test: impl Fn(&Agent) + Send) {
    Programs::get();
    on_a_bare_machine(|_| Agent::all().iter().for_each(test));
}

#[track_caller]
fn code_is_one_of(outcome: &Outcome, codes: &[i32]) {
    assert!(
        codes.contains(&outcome.code()),
        "not one of {codes:?}: {outcome:?}"
    );
    assert!(outcome.stdout.is_empty(), "{outcome:?}");
    if !matches!(outcome.code(), 0 | 7) {
        outcome.reason();
    }
}

#[test]
fn words_and_streams() {
    with_every_agent(|agent| {
        for word in ["", "status", "migrate_to", "START"] {
            let outcome = agent.call(word).run();
            let reasons = outcome.stderr.matches("ocf-exit-reason:").count();
            assert_eq!((outcome.code(), reasons), (3, 1), "{}: {outcome:?}", agent.name);
        }
        for word in ["promote", "demote", "notify"]
            .into_iter()
            .filter(|word| !agent.declares(word))
        {
            assert_eq!(agent.call(word).run().code(), 3, "{} {word}", agent.name);
        }
        for word in ["meta-data", "usage"] {
            let outcome = Agent::bare_call(&agent.name, word)
                .without_environment()
                .arg("x")
                .run();
            assert!(outcome.code() == 0 && outcome.stderr.is_empty(), "{outcome:?}");
            assert!(outcome.stdout.contains(&agent.name), "{outcome:?}");
        }
    });
}

#[test]
fn a_node_where_nothing_is_set_up() {
    with_every_agent(|agent| {
        let probe = agent.call("monitor").every(Duration::ZERO);
        let nothing = Agent::bare_call(&agent.name, "usage");
        probe.is_over_at_once(&nothing, |outcome| code_is_one_of(outcome, &[5, 7]));
        for _ in 0..2 {
            agent.call("stop").run().succeeds();
        }
        agent.call("validate-all").run().succeeds();
        code_is_one_of(&agent.call("validate-all").level(10).run(), &[0, 2, 5]);
        let start = agent.call("start").timeout(Duration::from_secs(4)).run();
        code_is_one_of(start.within(Duration::from_secs(4)), &[1, 2, 5]);
    });
}

/// What the type alone says is wrong.
#[test]
fn values_that_no_parameter_takes() {
    with_every_agent(|agent| {
        for parameter in &agent.document.parameters {
            let wrong: &[&str] = match parameter.kind.as_str() {
                "boolean" => &["maybe", "2"],
                "integer" => &["x", "1.5", "99999999999999999999"],
                "select" => &["no-such-word"],
                _ => &["two\nlines"],
            };
            for value in wrong {
                let call = |action: &str| agent.call(action).set(&parameter.name, *value);
                for action in ["validate-all", "start"] {
                    let outcome = call(action).run();
                    assert_eq!(
                        outcome.code(),
                        6,
                        "{} {}={value}: {outcome:?}",
                        agent.name,
                        parameter.name
                    );
                    outcome.fails(6, &[&parameter.name, "allowed"]);
                }
                code_is_one_of(&call("monitor").every(Duration::ZERO).run(), &[5, 7]);
                call("stop").run().succeeds();
            }
        }
    });
}
