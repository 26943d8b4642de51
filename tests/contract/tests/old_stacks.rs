//! Releases of the cluster's software that are too old are refused with one sentence, before anything of theirs is misread.

use contract::machine::shell;
use contract::on_a_bare_machine;
use contract::programs::Programs;
use std::process::{Command, Stdio};

/// Pacemaker 1.1.13 and pcs 0.9.143 on el7, as manuals on the web show them; 2.0.5 and 0.10.8 on Debian 11.
const OLD_PACEMAKER: &str = "Pacemaker 1.1.13-10.el7\nWritten by Andrew Beekhof\n";
const NEW_PACEMAKER: &str = "Pacemaker 2.0.5\nWritten by Andrew Beekhof\n";
const OLD_PCS: &str = "0.9.143\n";
const NEW_PCS: &str = "0.10.8\n";

/// The tools say their versions, and nothing to any other question.
fn tools(pacemaker: &str, pcs: &str) {
    for (tool, said) in [("cibadmin", pacemaker), ("pcs", pcs)] {
        shell(&format!(
            "printf '#!/bin/sh\\n[ \"$1\" = --version ] || exit 1\\nprintf \"%%s\" \"{said}\"\\n' >/usr/sbin/{tool}; chmod 755 /usr/sbin/{tool}"
        ));
    }
}

/// What the command says on its error output, in English, and its exit status.
fn said(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(&Programs::get().command)
        .args(words)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("the command is built");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn stacks_that_are_too_old_are_refused() {
    on_a_bare_machine(|_| {
        let verbs: [&[&str]; 4] = [&["plan"], &["apply", "--yes"], &["check"], &["migrate", "--yes"]];
        for (pacemaker, pcs, sentence) in [
            (OLD_PACEMAKER, NEW_PCS, "Pacemaker 1.1.13-10.el7 on "),
            (NEW_PACEMAKER, OLD_PCS, "pcs is too old (0.9.143): "),
        ] {
            tools(pacemaker, pcs);
            for words in verbs {
                let (status, text) = said(words);
                assert_eq!(status, Some(3), "{words:?}: {text}");
                assert!(
                    text.starts_with(&format!("kaiwudb-ha: {sentence}")) && text.lines().count() == 1,
                    "{words:?}: {text}"
                );
            }
        }
        tools(NEW_PACEMAKER, NEW_PCS);
        for words in verbs {
            let (_, text) = said(words);
            assert!(!text.contains("too old"), "{words:?}: {text}");
        }
    });
}
