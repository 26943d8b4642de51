//! Text of others on its way to a person's screen.

/// Whether a terminal shows the character and does nothing else: it is no control character, and nothing that breaks or reorders a line.
pub fn is_printable(c: char) -> bool {
    let reorders = matches!(
        c,
        '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    );
    !c.is_control() && !reorders
}

#[cfg(test)]
mod tests {
    use super::is_printable;

    #[test]
    fn what_commands_a_terminal_is_not_printable() {
        for c in "\u{1b}\u{7}\u{7f}\u{9b}\n\r\t\u{2028}\u{202e}\u{2066}\u{feff}".chars() {
            assert!(!is_printable(c), "{c:?}");
        }
        assert!("kaiwudb 数据库 é 'x' \u{1f600}".chars().all(is_printable));
    }
}
