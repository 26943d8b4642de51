//! The language of messages: Chinese for Chinese locales, English otherwise.

use ocf::Env;
use std::collections::BTreeSet;

/// A language that every message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// What the environment asks for: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set decides.
    pub fn of(env: &Env) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| env.variable(name));
        if locale.is_some_and(|locale| locale.starts_with("zh")) {
            Self::Chinese
        } else {
            Self::English
        }
    }
}

/// A message in both languages; `{name}` is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// In English, ASCII only.
    pub english: &'static str,
    /// In simplified Chinese.
    pub chinese: &'static str,
}

impl Text {
    /// The message in one language.
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }

    /// The message with `{name}` replaced by its value.
    pub fn fill(self, language: Language, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(self.of(language).to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
    }

    /// What is wrong with the message: a language is missing or has other `{names}` than the other one. For tests.
    pub fn defect(self) -> Option<&'static str> {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        if self.english.trim().is_empty() || !self.english.is_ascii() {
            Some("no English")
        } else if !self.chinese.contains(is_chinese) {
            Some("no Chinese")
        } else if names(self.english) != names(self.chinese) {
            Some("other values in the other language")
        } else {
            None
        }
    }
}

/// The `{names}` in a message.
fn names(text: &str) -> BTreeSet<&str> {
    let rests = text.split('{').skip(1);
    rests.filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides() {
        let of = |pairs: &[(&str, &str)]| Language::of(&pairs.iter().copied().collect());
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(
            of(&[("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")]),
            Language::English
        );
        assert_eq!(
            of(&[("LC_ALL", ""), ("LC_MESSAGES", "zh_TW"), ("LANG", "C")]),
            Language::Chinese
        );
        assert_eq!(of(&[]), Language::English);
    }

    #[test]
    fn a_message_is_in_both_languages_with_the_same_values() {
        let defect = |english, chinese| Text { english, chinese }.defect();
        assert_eq!(defect("{node} is {state}", "节点 {state}：{node}"), None);
        assert!(defect(" ", "节点").is_some());
        assert!(defect("节点", "节点").is_some());
        assert!(defect("a node", "a node").is_some());
        assert!(defect("{node} fails", "{nodes} 失败").is_some());
    }
}
