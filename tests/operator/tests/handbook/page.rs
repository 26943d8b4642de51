//! A page of the handbook as what is done in the lab.
//!
//! - A block that begins with ```` ```console ```` is typed, line by line: `node1# COMMAND` on that node, and below it what the command prints. A line `…` stands
//!   for any lines, `…` in a line for any text. `[y/N] y` at the end of a line is a question and its answer.
//! - ```` ```console vm ```` needs DRBD or hardware, ```` ```console site ```` what only a site has (the vendor's installer, a fencing device): both are counted, and not typed here.
//! - `<!-- lab: … -->` is what happens around the reader: `power-off NODE`, `power-on NODE`, `online`, `NODE: SHELL COMMAND`; `rows are lost` of a section that restores older data. The installed handbook is without these lines.
//! - Each heading of the second level begins with the database on node1 and nothing to attend to.

use anyhow::{Context, Result, bail};

/// What is done.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// A line of a block, and what is shown below it.
    Command {
        node: String,
        line: String,
        shown: Vec<String>,
        at: usize,
    },
    /// A line for the lab.
    Lab { words: String, at: usize },
}

/// From one heading of the second level to the next.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Section {
    pub(crate) heading: String,
    pub(crate) steps: Vec<Step>,
    /// Commands that are not typed here.
    pub(crate) elsewhere: usize,
}

impl Section {
    /// How many commands are typed.
    pub(crate) fn commands(&self) -> usize {
        let is_command = |step: &&Step| matches!(step, Step::Command { .. });
        self.steps.iter().filter(is_command).count()
    }
}

/// What a line is part of.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    Prose,
    Typed,
    Elsewhere,
    Other,
}

/// Splits a page; an error names the line.
pub(crate) fn sections(text: &str) -> Result<Vec<Section>> {
    let mut found = vec![Section::default()];
    let mut block = Block::Prose;
    for (number, line) in text.lines().enumerate() {
        let at = number + 1;
        let section = found.last_mut().context("there is always one")?;
        if let Some(info) = line.trim_start().strip_prefix("```") {
            block = match (block, info) {
                (Block::Prose, "console") => Block::Typed,
                (Block::Prose, "console vm" | "console site") => Block::Elsewhere,
                (Block::Prose, _) if info.starts_with("console") => bail!("line {at}: {info} is unknown"),
                (Block::Prose, _) => Block::Other,
                _ => Block::Prose,
            };
            continue;
        }
        let command = ["node1# ", "node2# "].iter().find_map(|prompt| {
            let command = line.strip_prefix(prompt)?;
            Some((prompt.trim_end_matches("# "), command))
        });
        match (block, command) {
            (Block::Prose, _) if line.starts_with("## ") => found.push(Section {
                heading: line.trim_start_matches("## ").to_owned(),
                ..Section::default()
            }),
            (Block::Prose, _) => {
                if let Some(words) = line.strip_prefix("<!-- lab: ") {
                    let words = words
                        .strip_suffix(" -->")
                        .with_context(|| format!("line {at}: --> is missing"))?;
                    section.steps.push(Step::Lab {
                        words: words.to_owned(),
                        at,
                    });
                }
            }
            (Block::Typed, Some((node, command))) => section.steps.push(Step::Command {
                node: node.to_owned(),
                line: command.to_owned(),
                shown: Vec::new(),
                at,
            }),
            (Block::Typed, None) => match section.steps.last_mut() {
                Some(Step::Command { line: open, .. }) if open.ends_with('\\') => {
                    open.pop();
                    open.push_str(line.trim_start());
                }
                Some(Step::Command { shown, .. }) => shown.push(line.to_owned()),
                _ => bail!("line {at}: a block begins with a command"),
            },
            (Block::Elsewhere, Some(_)) => section.elsewhere += 1,
            _ => {}
        }
    }
    Ok(found)
}

/// The steps of this very text, for the notation's own test.
pub(crate) fn notation() -> Result<()> {
    let page = "# P\n## One\n<!-- lab: power-off node2 -->\n```console\nnode1# echo a \\\n  b\na b\n…\n```\n```console vm\nnode2# drbdadm up r\n```\n## Two\n";
    let found = sections(page)?;
    let expected = Section {
        heading: "One".to_owned(),
        steps: vec![
            Step::Lab {
                words: "power-off node2".to_owned(),
                at: 3,
            },
            Step::Command {
                node: "node1".to_owned(),
                line: "echo a b".to_owned(),
                shown: vec!["a b".to_owned(), "…".to_owned()],
                at: 5,
            },
        ],
        elsewhere: 1,
    };
    anyhow::ensure!(found.len() == 3 && found[1] == expected, "{found:#?}");
    anyhow::ensure!(
        sections("```console lab\n```\n").is_err(),
        "an unknown kind of block is accepted"
    );
    Ok(())
}
