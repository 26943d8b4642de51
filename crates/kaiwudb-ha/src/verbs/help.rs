//! `help`: parts of the handbook, in the operator's language.

use crate::context::Context;
use crate::handbook::{self, PARTS};
use crate::texts::handbook as t;
use crate::ui::exit::Exit;
use crate::ui::{output, pager};

/// Options of `help`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Number of a part, or a word of its name such as 'fencing'; without it, all parts are listed
    topic: Option<String>,
}

/// Shows a part, or what there is.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Exit {
    let language = context.site.language;
    let Some(topic) = &arguments.topic else {
        output::line(t::HEADING.of(language));
        for (number, part) in PARTS.iter().enumerate() {
            output::line(&format!("{number:3}  {}", part.title(language)));
        }
        return Exit::Done;
    };
    let Some(part) = handbook::find(topic) else {
        output::note(&t::UNKNOWN.fill(language, &[("topic", topic)]));
        return Exit::Usage;
    };
    pager::show(&part.plain(language));
    Exit::Done
}
