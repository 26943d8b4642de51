//! Yes and no.

/// What Pacemaker takes for true and for false, in any case (its `pcmk__parse_bool`); `None` for anything else, for which it uses
/// the default.
pub fn parse_boolean(word: &str) -> Option<bool> {
    let is_any = |words: [&str; 5]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_any(["true", "on", "yes", "y", "1"]) {
        Some(true)
    } else if is_any(["false", "off", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Value};

    #[test]
    fn one_set_of_words() {
        for (words, expected) in [
            (&["true", "TrUe", "on", "ON", "yes", "Y", "1"][..], Some(true)),
            (&["false", "FALSE", "off", "no", "No", "n", "0"], Some(false)),
            (
                &["", "t", "f", "2", "-1", " true", "true ", "enabled", "ja"],
                None,
            ),
        ] {
            for word in words {
                assert_eq!(parse_boolean(word), expected, "{word:?}");
                assert_eq!(
                    bool::parse(word, Bounds::NONE).ok(),
                    expected,
                    "{word:?} as a parameter"
                );
            }
        }
    }
}
