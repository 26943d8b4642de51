//! Long texts: page by page on a terminal.

use super::output;
use std::io::{IsTerminal, Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What shows a text page by page, in order of preference. `less` ends by itself if the text fits on one page, and starts no other programs.
const PAGERS: [&[&str]; 2] = [&["less", "-FRX"], &["more"]];

/// Shows a text. On a terminal the pager takes the place of this process; without a terminal or a pager the text is printed.
pub(crate) fn show(text: &str) {
    if std::io::stdout().is_terminal() {
        for pager in PAGERS {
            let Ok(input) = as_file(text) else { break };
            // It comes back only if there is no such program.
            let _ = Command::new(pager[0])
                .args(&pager[1..])
                .env("LESSSECURE", "1")
                .env("LESSCHARSET", "utf-8")
                .stdin(input)
                .exec();
        }
    }
    output::line(text);
}

/// A file without a name that is read from its beginning.
fn as_file(text: &str) -> std::io::Result<Stdio> {
    let mut file = tempfile::tempfile()?;
    file.write_all(output::shown(text).as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}
