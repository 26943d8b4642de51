//! Bytes of anybody's become text that a terminal can show and the rules can read.

/// The bytes as text: what is not UTF-8 is replaced, sequences that command a terminal and other control characters are left out, a NUL and
/// a tab become a space. A name cannot be hidden from the rules by a colour in the middle of it.
pub fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut blank = false;
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut rest),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                out.push('\n');
                blank = false;
            }
            // A sparse file has gigabytes of them.
            '\0' => {
                if !blank {
                    out.push(' ');
                }
                blank = true;
            }
            '\t' => out.push(' '),
            c if is_shown(c) => {
                out.push(c);
                blank = false;
            }
            _ => {}
        }
    }
    out
}

/// No control character, and none that is invisible or reorders a line.
fn is_shown(c: char) -> bool {
    let is_invisible = matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    );
    !c.is_control() && !is_invisible
}

/// Passes over what follows an escape: a sequence ends with a letter, a title with a bell or another escape.
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            while rest
                .next_if(|c| c.is_ascii_digit() || matches!(c, ';' | '?' | ':' | '<' | '=' | '>' | ' '))
                .is_some()
            {}
            rest.next_if(char::is_ascii_alphabetic);
        }
        Some(']') => {
            rest.next();
            // The longest title that a terminal takes is shorter; a line's end ends it in any case.
            for _ in 0..1024 {
                match rest.next_if(|c| *c != '\n') {
                    Some('\u{7}') | None => return,
                    Some('\u{1b}') => {
                        rest.next_if_eq(&'\\');
                        return;
                    }
                    Some(_) => {}
                }
            }
        }
        Some(c) if c.is_ascii_alphanumeric() => {
            rest.next();
        }
        _ => {}
    }
}
