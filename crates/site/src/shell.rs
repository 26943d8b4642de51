//! Commands as one types them.

/// The command as a shell wants it.
pub fn typed<W: AsRef<str>>(command: &[W]) -> String {
    let words: Vec<String> = command.iter().map(|word| quote(word.as_ref())).collect();
    words.join(" ")
}

/// The text as one word of a POSIX shell, and of crmsh; as it is where nothing in it is special.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
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
        assert_eq!(typed(&["rm", "-r", "a b"]), "rm -r 'a b'");
    }
}
