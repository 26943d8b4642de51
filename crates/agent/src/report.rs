//! The two places where an agent speaks: standard output (meta-data, usage) and the exit reason on standard error.

use host::is_printable;
use ocf::{Env, MetaData};
use std::io::Write;

/// Pacemaker keeps one line; `crm_mon` shows all of it. Longer than this is not read.
const LONGEST_REASON: usize = 600;

/// Tells Pacemaker why. A closed standard error is not a reason to fail.
pub(crate) fn exit_reason(env: &Env, reason: &str) {
    let mut line: String = reason
        .chars()
        .map(|c| if is_printable(c) { c } else { ' ' })
        .collect();
    if line.chars().count() > LONGEST_REASON {
        line = line.chars().take(LONGEST_REASON - 1).chain(['…']).collect();
    }
    let _ = writeln!(std::io::stderr(), "{}{line}", env.exit_reason_prefix());
}

/// Prints a document; false when it could not be written.
pub(crate) fn print(text: &str) -> bool {
    let mut stdout = std::io::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .is_ok()
}

/// How to call the agent.
pub(crate) fn usage(table: &MetaData) -> String {
    let mut actions: Vec<&str> = Vec::new();
    for spec in table.actions {
        if !actions.contains(&spec.action.name()) {
            actions.push(spec.action.name());
        }
    }
    format!(
        "usage: {} {{{}}}\n{}\nParameters are given as OCF_RESKEY_<name> in the environment; see meta-data.\n",
        table.name,
        actions.join("|"),
        table.short.en
    )
}
