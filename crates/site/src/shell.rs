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
    use host::{Command, Deadline};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::time::Duration;

    /// A shell reads the words that were meant, whatever is in them.
    #[test]
    fn bash_reads_the_words_that_were_meant() {
        let mut runner = TestRunner::deterministic();
        let word = prop_oneof![
            any::<String>(),
            "[ -~\t\n]{0,20}",
            Just("$(id)`id`;&|'\"\\!~*".to_owned())
        ];
        let words = proptest::collection::vec(word.prop_map(|word| word.replace('\0', "")), 1..4);
        let words: Vec<String> = (0..500)
            .flat_map(|_| words.new_tree(&mut runner).unwrap().current())
            .collect();
        let script = format!("printf '%s\\0' {}", typed(&words));
        let output = Command::new("bash")
            .args(["--norc", "-s"])
            .input(script)
            .run_ok(Deadline::after(Duration::from_secs(60)))
            .unwrap();
        let read: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
        assert_eq!(read.len(), words.len() + 1);
        for (read, word) in read.iter().zip(&words) {
            assert_eq!(*read, word.as_bytes());
        }
    }

    #[test]
    fn what_is_special_is_quoted() {
        assert_eq!(quote("ip=10.0.0.1"), "ip=10.0.0.1");
        assert_eq!(quote("a;b"), "'a;b'");
        assert_eq!(quote("it's $x"), r"'it'\''s $x'");
        assert_eq!(quote(""), "''");
        assert_eq!(typed(&["rm", "-r", "a b"]), "rm -r 'a b'");
    }
}
