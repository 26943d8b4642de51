//! Questions to the operator. No is what everything but yes means.

use crate::context::Context;
use crate::texts;
use anyhow::{Result, bail};
use site::cluster::Undecided;
use std::io::{BufRead, IsTerminal, Write};

/// What was typed after the question, without the line's end. Without a terminal nobody can be asked: the error is `nobody`.
pub(crate) fn answer(question: &str, nobody: &str) -> Result<String> {
    if !is_possible() {
        bail!("{nobody}");
    }
    let _ = write!(std::io::stderr(), "{question}");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Whether somebody is there to be asked.
pub(crate) fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for what only the operator can decide. Whether he has: the subcommand that could not go on begins again with his choice. It has
/// changed nothing until then.
pub(crate) fn decide(context: &mut Context, error: &anyhow::Error) -> Result<bool> {
    let Some(undecided) = error.downcast_ref::<Undecided>().filter(|_| is_possible()) else {
        return Ok(false);
    };
    let choices = undecided.doubt.choices();
    if choices.is_empty() {
        return Ok(false);
    }
    let list: Vec<String> = (1..)
        .zip(choices)
        .map(|(number, choice)| format!("  {number}  {choice}\n"))
        .collect();
    let which = texts::question::WHICH.of(context.language);
    let question = format!("{undecided}\n{}{which}", list.concat());
    let answer = answer(&question, "")?;
    let Some(choice) = chosen(choices, &answer) else {
        let words = texts::question::NOT_ONE_OF_THEM;
        bail!(words.fill(
            context.language,
            &[("answer", &answer), ("names", &choices.join(", "))]
        ));
    };
    context.site.choose(&undecided.doubt, choice.to_owned());
    Ok(true)
}

/// The name or the number of one of them.
fn chosen<'a>(choices: &'a [String], answer: &str) -> Option<&'a str> {
    let named = choices.iter().find(|choice| *choice == answer);
    let numbered = || choices.get(answer.parse::<usize>().ok()?.checked_sub(1)?);
    named.or_else(numbered).map(String::as_str)
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
    use super::{chosen, is_yes};

    #[test]
    fn only_yes_is_yes() {
        assert!(["y", "Y", "yes", "是"].into_iter().all(is_yes));
        assert!(
            !["", "n", "no", "yess", "否", "Yes please"]
                .into_iter()
                .any(is_yes)
        );
    }

    #[test]
    fn a_choice_is_a_name_or_a_number() {
        let choices = ["KaiwuDB", "1", "Third"].map(str::to_owned);
        assert_eq!(chosen(&choices, "Third"), Some("Third"));
        assert_eq!(chosen(&choices, "3"), Some("Third"));
        assert_eq!(chosen(&choices, "1"), Some("1"), "a name before a number");
        for wrong in ["", "0", "4", "-1", "third", "y"] {
            assert_eq!(chosen(&choices, wrong), None, "{wrong}");
        }
    }
}
