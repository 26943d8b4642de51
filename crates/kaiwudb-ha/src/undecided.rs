//! What only the operator can decide, asked for when a verb has met it.

use crate::context::Context;
use crate::texts::question as texts;
use crate::ui::question;
use anyhow::{Result, bail};
use site::cluster::Undecided;

/// Asks for what only the operator can decide. Whether he has: the subcommand that could not go on begins again with his choice. It has
/// changed nothing until then.
pub(crate) fn decide(context: &mut Context, error: &anyhow::Error) -> Result<bool> {
    let Some(undecided) = error.downcast_ref::<Undecided>().filter(|_| context.can_ask) else {
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
    let which = texts::WHICH.of(context.language);
    let asked = format!("{undecided}\n{}{which}", list.concat());
    let answer = question::answer(&asked, "")?;
    let Some(choice) = chosen(choices, &answer) else {
        let words = texts::NOT_ONE_OF_THEM;
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

#[cfg(test)]
mod tests {
    use super::chosen;

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
