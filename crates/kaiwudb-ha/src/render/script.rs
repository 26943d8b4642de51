//! Words that the scripts for pcs and crmsh share.

use pacemaker::model::{Operation, Spelling};
use site::shell::quote;
use std::fmt::Write;

/// ` name=value` for each.
pub(super) fn assignments(pairs: &[(String, String)]) -> String {
    pairs.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, " {}", quote(&format!("{name}={value}")));
        text
    })
}

/// What follows the word `op`.
pub(super) fn operation(operation: &Operation, spelling: Spelling) -> String {
    let mut text = format!(
        "{} interval={} timeout={}",
        operation.name, operation.interval, operation.timeout
    );
    if let Some(role) = operation.role {
        let _ = write!(text, " role={}", spelling.of(role));
    }
    if operation.depth > 0 {
        let _ = write!(text, " OCF_CHECK_LEVEL={}", operation.depth);
    }
    text
}
