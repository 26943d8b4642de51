//! The handbook, which is part of this program: it can be read on a server without a network, and wherever packages are installed without their documents.

use site::language::{Language, Text};

/// A part of the handbook in both languages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// What it can be asked for by, besides its number: the words of its file's name.
    pub(crate) name: &'static str,
    text: Text,
}

macro_rules! parts {
    ($($name:literal),* $(,)?) => {
        [$(Part {
            name: $name,
            text: Text {
                english: include_str!(concat!("../../../docs/handbook/en/", $name, ".md")),
                chinese: include_str!(concat!("../../../docs/handbook/zh-CN/", $name, ".md")),
            },
        }),*]
    };
}

/// All parts, by their numbers.
pub(crate) const PARTS: [Part; 15] = parts![
    "00-start-here",
    "01-what-you-get",
    "02-before-you-begin",
    "03-fencing",
    "04-new-cluster",
    "05-migrate-from-the-guide",
    "06-acceptance",
    "07-daily-operation",
    "08-planned-work",
    "09-when-something-failed",
    "10-backup-and-restore",
    "11-look-up",
    "12-reference",
    "13-design-and-figures",
    "14-appendix",
];

impl Part {
    /// Its heading.
    pub(crate) fn title(self, language: Language) -> &'static str {
        let text = self.text.of(language);
        text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// What people read: without the lines that are for the lab, and without the targets of links.
    pub(crate) fn plain(self, language: Language) -> String {
        let mut plain = String::new();
        let mut is_code = false;
        for line in self.text.of(language).lines() {
            if line.starts_with("<!-- lab: ") {
                continue;
            }
            if line.starts_with("```") {
                is_code = !is_code;
                continue;
            }
            if is_code {
                plain.push_str("    ");
                plain.push_str(line);
            } else {
                plain.push_str(&without_targets(line));
            }
            plain.push('\n');
        }
        plain
    }

    /// Whether it is what was asked for: its number, or a word of its name.
    fn is(self, topic: &str) -> bool {
        let (number, words) = self.name.split_once('-').unwrap_or_default();
        let asked = topic.parse::<u8>().ok();
        asked.is_some() && asked == number.parse().ok()
            || topic.len() > 3 && words.split('-').any(|word| word == topic)
            || topic == words
    }
}

/// The part that is meant by a number or a word; the first, if several are.
pub(crate) fn find(topic: &str) -> Option<Part> {
    let topic = topic.to_lowercase();
    PARTS.into_iter().find(|part| part.is(&topic))
}

/// A line with the words of its links only.
fn without_targets(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        // Code between back-ticks may have brackets of its own.
        let Some((open, (_, behind))) = before.rfind('[').zip(after.split_once(')')) else {
            break;
        };
        plain.push_str(&before[..open]);
        plain.push_str(&before[open + 1..]);
        rest = behind;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_number_and_by_word() {
        let name = |topic: &str| find(topic).map(|part| part.name);
        assert_eq!(name("9"), Some("09-when-something-failed"));
        assert_eq!(name("09"), Some("09-when-something-failed"));
        assert_eq!(name("Fencing"), Some("03-fencing"));
        assert_eq!(name("planned-work"), Some("08-planned-work"));
        assert_eq!(name("and"), None);
        assert_eq!(name("15"), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn every_part_is_there_in_both_languages_with_the_same_headings() {
        let levels = |text: &str| {
            let headings = text.lines().filter(|line| line.starts_with("##"));
            headings
                .map(|line| line.split(' ').next().unwrap_or_default().len())
                .collect::<Vec<_>>()
        };
        let blocks = |text: &str| text.lines().filter(|line| line.starts_with("```console")).count();
        for (number, part) in PARTS.into_iter().enumerate() {
            assert!(part.name.starts_with(&format!("{number:02}-")), "{}", part.name);
            assert_eq!(
                levels(part.text.english),
                levels(part.text.chinese),
                "{}",
                part.name
            );
            assert_eq!(
                blocks(part.text.english),
                blocks(part.text.chinese),
                "{}",
                part.name
            );
            assert_ne!(part.title(Language::English), part.title(Language::Chinese));
        }
    }

    #[test]
    fn what_is_read_has_neither_targets_nor_lines_for_the_lab() {
        assert_eq!(
            without_targets("see [9.1](a.md#b), [9.2](c.md) and [x]"),
            "see 9.1, 9.2 and [x]"
        );
        for part in PARTS {
            for language in [Language::English, Language::Chinese] {
                let plain = part.plain(language);
                assert!(
                    !plain.contains("<!-- lab") && !plain.contains(".md)"),
                    "{}",
                    part.name
                );
            }
        }
    }
}
