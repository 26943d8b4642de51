//! What the real tools say to a command.

use super::classes::Verdict;
use super::line::Line;
use super::stage::{Stage, text};
use super::words::help;
use std::fs;

/// Changes the cluster's copy, and its agents accept their parameters.
pub(super) fn pcs(stage: &Stage, arguments: &[&str]) -> Verdict {
    // What is to be made may not be there yet.
    let made = match arguments {
        ["resource" | "stonith", "create", id, ..] => Some(*id),
        _ => None,
    };
    let copy = stage.fresh(made);
    let mut words: Vec<&str> = ["pcs", "-f", copy].iter().chain(arguments).copied().collect();
    let mut output = stage.run(&words, &[]);
    let mut class = "pcs, run";
    if text(&output).contains("is not installed or does not provide valid metadata")
        && arguments[0] == "stonith"
    {
        // The image has no fence agents.
        words.push("--force");
        output = stage.run(&words, &[]);
    } else if text(&output).contains("-f' is not supported") || text(&output).contains("-f is not supported")
    {
        let words: Vec<&str> = ["pcs"].iter().chain(arguments).copied().collect();
        output = stage.run(&words, &[]);
        class = "pcs, needs a cluster: words only";
    }
    let said = text(&output);
    if output.status.success() {
        stage.parameters().map(|()| class)
    } else if said.contains("Usage: pcs") {
        // What only names a command, as "pcs cluster setup".
        let is_name = arguments.len() == 2 && said.contains(&arguments.join(" "));
        is_name.then_some("pcs, names a command").ok_or(said)
    } else if class != "pcs, run" && !said.contains("is not recognized")
        || ["already exists", "already specified", "already present in"]
            .iter()
            .any(|there| said.contains(there))
    {
        // The words were understood: the stage has it, or there is no cluster.
        Ok(class)
    } else {
        Err(said)
    }
}

pub(super) fn crmsh(stage: &Stage, arguments: &[&str]) -> Verdict {
    let copy = stage.fenced();
    let mut words = vec!["crm"];
    words.extend(arguments);
    for word in &mut words {
        if *word == "run" {
            *word = "verify";
        }
    }
    let output = stage.run(&words, &[("CIB_file", copy)]);
    let text = text(&output);
    if arguments.contains(&"load") && text.contains("FILE")
        || output.status.success() && !text.contains("ERROR")
    {
        Ok("crmsh, run")
    } else {
        Err(text)
    }
}

pub(super) fn pacemaker(stage: &Stage, program: &str, arguments: &[&str]) -> Verdict {
    let copy = stage.fresh(None);
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|word| {
            if ["FILE", "KaiwuFS.xml", "ClusterIP.xml"].contains(word) {
                copy
            } else {
                word
            }
        })
        .collect();
    let words: Vec<&str> = [program].iter().chain(&arguments).copied().collect();
    // What only names an option, and what would wait.
    if arguments.len() == 1 && arguments[0].starts_with("--") {
        return help(
            stage,
            program,
            &arguments,
            "Pacemaker's tools, an option is named",
        );
    }
    let output = stage.run(&words, &[("CIB_file", copy), ("CIB_shadow_dir", "/root")]);
    let needs_cluster = [
        "--cleanup",
        "--refresh",
        "--restart",
        "--wait",
        "--force-start",
        "--fail",
        "--list-installed",
        "--metadata",
        "--show-metadata",
        "-l",
        "--reboot",
    ];
    if output.status.success() {
        stage.parameters()?;
        Ok("Pacemaker's tools, run")
    } else if output.status.code() == Some(105)
        && arguments.iter().any(|word| ["-D", "--delete"].contains(word))
    {
        // What it takes away is not there.
        Ok("Pacemaker's tools, run")
    } else if arguments.iter().any(|word| needs_cluster.contains(word))
        || ["crm_report", "crm_node"].contains(&program)
    {
        let said_usage = output.status.code() == Some(64) || text(&output).contains("nknown option");
        if said_usage {
            Err(text(&output))
        } else {
            Ok("Pacemaker's tools, need a cluster: options only")
        }
    } else {
        Err(text(&output))
    }
}

pub(super) fn drbdadm(stage: &Stage, arguments: &[&str]) -> Verdict {
    if arguments.iter().all(|word| word.starts_with('-')) {
        return Ok("drbdadm, an option is named");
    }
    let mut words: Vec<&str> = ["drbdadm", "--dry-run"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    // What only names a verb.
    if arguments.len() == 1 {
        words.push("kwdb");
    }
    for version in ["8.4.11", "9.2.18"] {
        let output = stage.run(
            &words,
            &[
                ("DRBD_DRIVER_VERSION_OVERRIDE", version),
                ("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1"),
            ],
        );
        let text = text(&output);
        if [
            "Unknown command",
            "unrecognized option",
            "USAGE",
            "missing arguments",
            "not defined in your config",
            "Parse error",
        ]
        .iter()
        .any(|complaint| text.contains(complaint))
        {
            return Err(format!("with {version}: {text}"));
        }
    }
    Ok("drbdadm, dry run with 8.4 and 9")
}

/// A section of DRBD's configuration that is printed: one of the versions reads it.
pub(super) fn drbd_section(stage: &Stage, line: &Line) -> Verdict {
    let sections = line.text.split("  #").next().unwrap_or_default();
    let sections = sections.replace("$(openssl rand -hex 24)", "0123456789abcdef");
    let sections = sections
        .replace("{{", "{")
        .replace("}}", "}")
        .replace(
            "{option}",
            if sections.contains("after") || sections.starts_with("net") {
                "after-sb-0pri"
            } else {
                "disk-flushes"
            },
        )
        .replace("{lifts}", "unfence-peer")
        .replace("{UNFENCE}", "/usr/lib/drbd/crm-unfence-peer.9.sh");
    let file = format!(
        "resource kwdb {{\n{sections}\n device /dev/drbd0; meta-disk internal;\n on node1 {{ disk /dev/vdb; address 192.0.2.11:7789; }}\n \
         on node2 {{ disk /dev/vdb; address 192.0.2.12:7789; }}\n}}\n"
    );
    fs::write("/root/section.res", &file).map_err(|error| error.to_string())?;
    let mut why = String::new();
    for version in ["8.4.11", "9.2.18"] {
        let output = stage.run(
            &["drbdadm", "-c", "/root/section.res", "dump", "kwdb"],
            &[
                ("DRBD_DRIVER_VERSION_OVERRIDE", version),
                ("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1"),
            ],
        );
        if output.status.success() {
            return Ok("sections of DRBD's configuration, read by drbdadm");
        }
        why += &text(&output);
    }
    Err(format!("{why}\n{file}"))
}

pub(super) fn unfence(stage: &Stage, arguments: &[&str]) -> Verdict {
    let words: Vec<&str> = ["/usr/lib/drbd/crm-unfence-peer.9.sh"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let output = stage.run(&words, &[("CIB_file", stage.fresh(None))]);
    if output.status.success() && !text(&output).contains("ignoring") {
        Ok("DRBD's handler, run without a constraint")
    } else {
        Err(text(&output))
    }
}

/// One that could not be read is refused before anything is done.
pub(super) fn ours(stage: &Stage, arguments: &[&str]) -> Verdict {
    let alternatives = arguments.iter().find(|word| word.contains('|'));
    let each: Vec<&str> = alternatives.map_or(vec![""], |words| words.split('|').collect());
    for one in each {
        let words: Vec<&str> = ["kaiwudb-ha"]
            .iter()
            .chain(arguments)
            .map(|word| if word.contains('|') { one } else { word })
            .collect();
        let said = text(&stage.run(&words, &[]));
        if said.lines().any(|line| line.starts_with("error: ")) {
            return Err(said);
        }
    }
    Ok("kaiwudb-ha, run where no cluster is")
}
