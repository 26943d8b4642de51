//! What Pacemaker would do, as people read it.

use crate::context::Context;
use crate::design::plan::Plan;
use crate::design::simulate::{self, Outcome, Simulation};
use crate::texts::plan as texts;
use crate::ui::output::{Table, Tone};
use site::language::Text;

/// The outcomes as a table.
fn table(context: &Context, outcomes: &[Outcome]) -> String {
    let language = context.language;
    let mut table = Table::default();
    let heading = |text: Text| (text.of(language).to_owned(), Some(Tone::Heading));
    table.row([
        (String::new(), None),
        heading(texts::DATABASE_ON),
        heading(texts::ADDRESS_ON),
        heading(texts::SWITCHED_OFF),
    ]);
    for outcome in outcomes {
        let place = |node: &Option<String>| match node {
            Some(node) => (node.clone(), Some(Tone::Good)),
            None => (texts::NOWHERE.of(language).to_owned(), Some(Tone::Bad)),
        };
        let fenced = outcome.fenced.join(" ");
        table.row([
            (outcome.when.clone(), None),
            place(&outcome.database),
            place(&outcome.address),
            (if fenced.is_empty() { "-".to_owned() } else { fenced }, None),
        ]);
    }
    table.render(context.output, 2)
}

/// What was simulated.
fn of(context: &Context, simulation: &Simulation) -> String {
    let mut text = format!("\n{}\n", texts::SIMULATED.of(context.language));
    text += table(context, &simulation.outcomes).trim_end();
    if !simulation.interrupted.is_empty() {
        let resources = simulation.interrupted.join(", ");
        let interrupted = texts::INTERRUPTED.fill(context.language, &[("resources", &resources)]);
        text.push('\n');
        text += &context.output.paint(Tone::Doubtful, &interrupted);
    }
    text
}

/// Simulates; `None` where no cluster runs.
pub(crate) fn text(context: &Context, plan: &Plan) -> Option<String> {
    plan.found
        .live
        .running
        .then(|| match simulate::run(context, plan) {
            Ok(simulation) => of(context, &simulation),
            Err(error) => {
                let why = format!("{error:#}");
                format!(
                    "\n{}",
                    texts::NOT_SIMULATED.fill(context.language, &[("why", &why)])
                )
            }
        })
}
