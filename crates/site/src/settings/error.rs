//! Errors that name the line.

use crate::language::{Language, Text};
use crate::texts::settings as texts;
use anyhow::anyhow;
use toml::Spanned;

/// The file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a str,
    pub(super) language: Language,
}

impl Place<'_> {
    /// What the parser refused.
    pub(super) fn refused(&self, error: &toml::de::Error) -> anyhow::Error {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message();
        let why = match message.strip_prefix("unknown field ") {
            Some(rest) => {
                let mut quoted = rest.split('`').skip(1).step_by(2);
                let key = quoted.next().unwrap_or_default();
                self.unknown(key, &quoted.collect::<Vec<_>>())
            }
            None => message.to_owned(),
        };
        self.at(at, &why)
    }

    /// The sentence about a key that does not exist, with the nearest of those that do.
    pub(super) fn unknown(&self, key: &str, known: &[&str]) -> String {
        let values = [("key", key), ("allowed", &known.join(", "))];
        let mut text = texts::UNKNOWN_KEY.fill(self.language, &values);
        let nearest = known
            .iter()
            .map(|known| (strsim::jaro_winkler(key, known), known))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((_, nearest)) = nearest {
            text += &texts::DID_YOU_MEAN.fill(self.language, &[("key", nearest)]);
        }
        text
    }

    /// A value that is impossible: what the key is called, and what is allowed.
    pub(super) fn impossible<T: ToString>(
        &self,
        key: &str,
        value: &Spanned<T>,
        allowed: Text,
    ) -> anyhow::Error {
        self.impossible_in_words(key, value, allowed.of(self.language))
    }

    /// The same where what is allowed is known only now.
    pub(super) fn impossible_in_words<T: ToString>(
        &self,
        key: &str,
        value: &Spanned<T>,
        allowed: &str,
    ) -> anyhow::Error {
        let shown = value.get_ref().to_string();
        let values = [("key", key), ("value", shown.as_str()), ("allowed", allowed)];
        self.at(
            value.span().start,
            &texts::IMPOSSIBLE.fill(self.language, &values),
        )
    }

    /// An error at this byte of the file.
    pub(super) fn at(&self, offset: usize, why: &str) -> anyhow::Error {
        let before = self.text.bytes().take(offset);
        let line = (before.filter(|byte| *byte == b'\n').count() + 1).to_string();
        let values = [("file", self.name), ("line", &line), ("why", why)];
        anyhow!(texts::WRONG.fill(self.language, &values))
    }

    /// An error where this word stands first.
    pub(super) fn at_word(&self, word: &str, why: &str) -> anyhow::Error {
        self.at(self.text.find(word).unwrap_or(0), why)
    }
}
