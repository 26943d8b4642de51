//! What nobody says, and the lines to write into the settings.

use crate::context::Context;
use crate::design::sources::Missing;
use crate::texts::plan as texts;
use crate::ui::output;
use anyhow::Result;

/// How fencing devices are written into the settings.
pub(crate) const FENCING_LINES: &str = "\
[nodes.NAME.fencing]             # for each node its own device, or one [fencing.device] for both
agent = \"fence_ipmilan\"        # stonith_admin --list-installed shows which there are
ip = \"192.0.2.21\"              # and its parameters: stonith_admin --metadata --agent fence_ipmilan
username = \"admin\"
password_script = \"/etc/kaiwudb-ha/fence-password\"
lanplus = true
";

/// What to write into the settings, with the lines.
pub(crate) fn text(context: &Context, missing: &[Missing]) -> String {
    let file = context.config.display().to_string();
    let heading = texts::MISSING_HEADING.fill(context.language, &[("file", &file)]);
    let lines = missing
        .iter()
        .map(|one| format!("\n\n# {}\n{}", one.what, one.lines.trim_end()));
    std::iter::once(heading).chain(lines).collect()
}

/// Says it, to people or programs.
pub(crate) fn print(context: &Context, missing: &[Missing]) -> Result<()> {
    if context.output.is_json() {
        let values: Vec<_> = missing
            .iter()
            .map(|one| serde_json::json!({ "what": one.what, "lines": one.lines }))
            .collect();
        return output::value(&serde_json::json!({ "missing": values }));
    }
    output::line(&text(context, missing));
    Ok(())
}
