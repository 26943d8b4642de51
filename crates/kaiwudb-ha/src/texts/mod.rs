//! Every sentence for people, in English and Chinese, one table for each part of the command.

/// Declares messages: `NAME: "English", "Chinese";`.
macro_rules! texts {
    ($($name:ident: $english:literal, $chinese:literal;)*) => {
        $(pub(crate) const $name: $crate::language::Text = $crate::language::Text { english: $english, chinese: $chinese };)*
        #[cfg(test)]
        pub(super) const ALL: &[(&str, $crate::language::Text)] = &[$((stringify!($name), $name)),*];
    };
}

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod disks;
pub(crate) mod drill;
pub(crate) mod general;
pub(crate) mod help;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod roles;
pub(crate) mod settings;
pub(crate) mod split_brain;
pub(crate) mod status;

#[cfg(test)]
mod tests {
    use super::*;

    /// The `{names}` in a message, sorted.
    fn placeholders(text: &str) -> Vec<&str> {
        let mut found: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn every_message_has_both_languages() {
        let tables = [
            apply::ALL,
            check::ALL,
            disks::ALL,
            drill::ALL,
            general::ALL,
            plan::ALL,
            roles::ALL,
            settings::ALL,
            migrate::ALL,
            split_brain::ALL,
            status::ALL,
        ];
        for (name, text) in tables.into_iter().flatten() {
            assert!(
                !text.english.trim().is_empty() && text.english.is_ascii(),
                "{name}: {text:?}"
            );
            assert!(
                text.chinese
                    .chars()
                    .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{name} has no Chinese: {text:?}"
            );
            assert_eq!(placeholders(text.english), placeholders(text.chinese), "{name}");
        }
    }
}
