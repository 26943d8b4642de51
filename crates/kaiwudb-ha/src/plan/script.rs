//! Words that the scripts for pcs and crmsh share.

use super::model::{Operation, Spelling};
use std::fmt::Write;

/// The text as one word of a POSIX shell, and of crmsh; as it is where nothing in it is special.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | ',' | '@' | '%' | '+')
    };
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_is_quoted() {
        assert_eq!(quote("ip=10.0.0.1"), "ip=10.0.0.1");
        assert_eq!(quote("a;b"), "'a;b'");
        assert_eq!(quote("it's $x"), r"'it'\''s $x'");
        assert_eq!(quote(""), "''");
    }
}
