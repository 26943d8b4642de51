//! Questions to the operator. No is what everything but yes means.

use super::output::shown;
use anyhow::{Result, bail};
use std::io::{BufRead, IsTerminal, Write};

/// What was typed after the question, without the line's end. Without a terminal nobody can be asked: the error is `nobody`.
pub(crate) fn answer(question: &str, nobody: &str) -> Result<String> {
    if !is_possible() {
        bail!("{nobody}");
    }
    let _ = write!(std::io::stderr(), "{}", shown(question));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Whether somebody is there to be asked.
pub(crate) fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// Whether the operator says yes.
pub(crate) fn agreed(question: &str, nobody: &str) -> Result<bool> {
    Ok(is_yes(&answer(question, nobody)?))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer, "y" | "Y" | "yes" | "是")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y", "Y", "yes", "是"].into_iter().all(is_yes));
        assert!(
            !["", "n", "no", "yess", "否", "Yes please"]
                .into_iter()
                .any(is_yes)
        );
    }
}
