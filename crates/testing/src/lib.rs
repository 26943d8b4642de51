//! Tests that need what not every machine has. Where it is missing they are reported as ignored, with the reason, and never as
//! passed. The standard harness cannot say that of a test that has begun.

use libtest_mimic::{Arguments, Completion, Trial};
use std::process::ExitCode;

/// A test's path and what it does.
pub type Test = (&'static str, fn());

/// The tests of a module and its source.
#[derive(Debug)]
pub struct Module {
    /// The tests.
    pub tests: &'static [Test],
    /// The text that names them.
    pub source: &'static str,
}

/// The tests of a module, as the constant `TESTS`. A function that is not named is dead code, which the compiler reports, but one with
/// the standard harness's attribute it would leave out without a word: [`run`] finds those.
#[macro_export]
macro_rules! tests {
    ($($test:ident),+ $(,)?) => {
        pub(crate) const TESTS: $crate::Module = $crate::Module {
            tests: &[$((concat!(module_path!(), "::", stringify!($test)), $test)),+],
            // Packages lie two directories below the workspace, which paths of sources begin at.
            source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", file!())),
        };
    };
}

/// Runs the tests that the command line selects, as the standard harness would. Where `missing` says what this machine lacks, none of
/// them is run.
pub fn run(modules: &[Module], missing: Option<&str>) -> ExitCode {
    for module in modules {
        assert!(
            !has_other_tests(module.source),
            "a #[test] is not run: name it in tests![]"
        );
    }
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials(modules, missing)).exit_code()
}

/// What [`run`] is told where root is needed and this is another user.
pub fn without_root() -> Option<&'static str> {
    (!nix::unistd::geteuid().is_root()).then_some("needs root")
}

fn has_other_tests(source: &str) -> bool {
    source.lines().any(|line| line.trim() == "#[test]")
}

fn trials(modules: &[Module], missing: Option<&str>) -> Vec<Trial> {
    modules
        .iter()
        .flat_map(|module| module.tests)
        .map(|&(path, test)| {
            let missing = missing.map(str::to_owned);
            Trial::ignorable_test(name(path), move || {
                if let Some(missing) = missing {
                    return Ok(Completion::ignored_with(missing));
                }
                test();
                Ok(Completion::Completed)
            })
        })
        .collect()
}

/// The path without the name of the binary, as the standard harness prints it.
fn name(path: &str) -> &str {
    path.split_once("::").map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    static RUNS: AtomicU32 = AtomicU32::new(0);

    fn runs() {
        RUNS.fetch_add(1, Ordering::Relaxed);
    }

    fn fails() {
        panic!("as it should");
    }

    crate::tests![runs, fails];

    #[test]
    fn what_is_missing_is_no_pass() {
        // Its totals must not be taken for those of this binary.
        let arguments = Arguments {
            logfile: Some("/dev/null".into()),
            ..Arguments::default()
        };
        let conclusion = |missing| libtest_mimic::run(&arguments, trials(&[TESTS], missing));
        let ignored = conclusion(Some("a thing"));
        assert_eq!((ignored.num_passed, ignored.num_ignored), (0, 2));
        assert_eq!(RUNS.load(Ordering::Relaxed), 0);
        let run = conclusion(None);
        assert_eq!((run.num_passed, run.num_failed, run.num_ignored), (1, 1, 0));
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_test_that_nobody_runs_is_found() {
        assert!(has_other_tests(TESTS.source), "this is one");
        assert!(!has_other_tests("fn a() {}\n// #[test]"));
    }

    #[test]
    fn names_are_those_of_the_standard_harness() {
        assert_eq!(TESTS.tests[0].0, "testing::tests::runs");
        assert_eq!(name(TESTS.tests[0].0), "tests::runs");
        assert_eq!(name("alone"), "alone");
    }
}
