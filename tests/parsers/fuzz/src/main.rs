//! One program for all targets: `FUZZ_TARGET` names the one to run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static TARGET: OnceLock<parsers::Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let target = parsers::target(&name).unwrap_or_else(|| {
            let names: Vec<&str> = parsers::TARGETS.iter().map(|(name, _)| *name).collect();
            panic!("FUZZ_TARGET is '{name}'; allowed: {}", names.join(" "))
        });
        let _ = TARGET.set(target);
    },
    |bytes: &[u8]| TARGET.get().expect("it is set first")(bytes)
);
