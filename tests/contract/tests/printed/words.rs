//! Commands of which only the words can be looked at.

use super::classes::Verdict;
use super::stage::{Stage, text};
use contract::programs::{agents, repository};
use std::fs;

/// KWDB cannot be had here; what its client and its tool for certificates take (KWDB's documentation).
pub(super) fn kwbase(arguments: &[&str]) -> Verdict {
    let needed: &[&str] = match arguments {
        ["sql", ..] => &["--host="],
        // What only names it.
        ["cert", "create-node"] | ["cert"] | [] => &[],
        ["cert", "create-node", ..] => &["--certs-dir=", "--ca-key="],
        ["cert", "list", ..] => &["--certs-dir="],
        _ => return Err("known are: sql, cert, cert create-node, cert list".to_owned()),
    };
    let known = [
        "--insecure",
        "--certs-dir",
        "--host",
        "--ca-key",
        "--overwrite",
        "-e",
    ];
    for option in arguments.iter().filter(|word| word.starts_with('-')) {
        if !known.contains(&option.split('=').next().unwrap_or_default()) {
            return Err(format!("{option} is not known; known are: {}", known.join(", ")));
        }
    }
    for prefix in needed {
        if !arguments.iter().any(|word| word.starts_with(prefix)) {
            return Err(format!("{prefix} is missing"));
        }
    }
    let is_secured = |word: &&&str| **word == "--insecure" || word.starts_with("--certs-dir=");
    if arguments.first() == Some(&"sql") && arguments.iter().filter(is_secured).count() != 1 {
        return Err("one of --insecure and --certs-dir= is needed".to_owned());
    }
    Ok("kwbase, options only")
}

pub(super) fn make(arguments: &[&str]) -> Verdict {
    let makefile = fs::read_to_string(repository().join("Makefile")).map_err(|error| error.to_string())?;
    let suites = fs::read_dir(repository().join("tests")).map_err(|error| error.to_string())?;
    let suites: Vec<String> = suites
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|suite| format!("{suite}-test"))
        .collect();
    for target in arguments.iter().filter(|word| !word.contains('=')) {
        let is_rule = makefile.lines().any(|line| {
            line.split(':')
                .next()
                .is_some_and(|targets| targets.split(' ').any(|one| one == *target))
        });
        if !is_rule && !suites.iter().any(|suite| suite == target) {
            return Err(format!("the Makefile has no target {target}"));
        }
    }
    Ok("make, targets only")
}

pub(super) fn man(arguments: &[&str]) -> Verdict {
    let known = |page: &&str| {
        *page == "kaiwudb-ha"
            || agents()
                .iter()
                .any(|agent| format!("ocf_kaiwudb_{agent}") == *page)
    };
    match arguments.iter().find(|page| !known(page)) {
        Some(page) => Err(format!("there is no page {page}")),
        None => Ok("man, pages only"),
    }
}

pub(super) fn systemctl(stage: &Stage, arguments: &[&str]) -> Verdict {
    let all = text(&stage.run(&["systemctl", "--help"], &[]));
    let verb = arguments
        .iter()
        .find(|word| !word.starts_with('-'))
        .copied()
        .unwrap_or_default();
    let knows = |word: &str| {
        all.lines()
            .any(|line| line.split([' ', '=', '[']).any(|one| one == word))
    };
    if let Some(word) = arguments
        .iter()
        .filter(|word| word.starts_with('-') || **word == verb)
        .find(|word| !knows(word.split('=').next().unwrap_or_default()))
    {
        return Err(format!("systemctl does not know {word}"));
    }
    Ok("systemctl, verbs and options only")
}

/// Long options must be in the program's own help.
pub(super) fn help(stage: &Stage, program: &str, arguments: &[&str], class: &'static str) -> Verdict {
    let mut all = text(&stage.run(&[program, "--help"], &[]));
    if all.contains("--help-all") {
        all = text(&stage.run(&[program, "--help-all"], &[]));
    }
    if let Some(verb) = arguments.first().filter(|word| !word.starts_with('-')) {
        all += &text(&stage.run(&[program, verb, "--help"], &[]));
    }
    let unknown = arguments
        .iter()
        .filter(|word| word.starts_with("--"))
        .map(|word| word.split('=').next().unwrap_or_default())
        .find(|option| !all.contains(option));
    match unknown {
        Some(option) => Err(format!("{option} is not in its help:\n{all}")),
        None => Ok(class),
    }
}

/// The verb must be in the program's help.
pub(super) fn verb(stage: &Stage, program: &str, arguments: &[&str]) -> Verdict {
    // Those of 8.4 are programs of their own.
    let both = [program.to_owned(), format!("/usr/lib/drbd/{program}-84")];
    let all: String = both
        .iter()
        .map(|program| text(&stage.run(&[program.as_str(), "--help"], &[])))
        .collect();
    let verb = arguments
        .iter()
        .find(|word| !word.starts_with('-'))
        .copied()
        .unwrap_or_default();
    if all.split_whitespace().any(|word| word == verb) {
        Ok("DRBD's tools, verbs only")
    } else {
        Err(format!("{program} has no '{verb}':\n{all}"))
    }
}
