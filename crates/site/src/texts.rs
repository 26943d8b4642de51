//! Sentences that belong to what is known, one table for each part; the verbs of the command have their own.

pub mod attention;
pub mod general;
pub mod history;
pub mod incident;
pub mod readiness;
pub mod roles;
pub mod settings;
pub mod stack;

/// Declares messages: `NAME: "English", "Chinese";`. Each becomes a constant, and a test of its own sees to it that both languages are
/// there and name the same values.
#[macro_export]
macro_rules! texts {
    ($($name:ident: $english:literal, $chinese:literal;)*) => {
        $(#[doc = concat!("`", $english, "`")] pub const $name: $crate::language::Text = $crate::language::Text { english: $english, chinese: $chinese };)*

        #[cfg(test)]
        mod texts_tests {
            #[test]
            fn every_message_has_both_languages() {
                for (name, text) in [$((stringify!($name), super::$name)),*] {
                    assert_eq!(text.defect(), None, "{name}: {text:?}");
                }
            }
        }
    };
}
