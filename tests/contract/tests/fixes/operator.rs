//! Who types what `check` prints.

use super::cases::Case;
use super::ground::{CIB, COROSYNC, Finding, NODES, check, edit_drbd, run};
use contract::debian::text;
use std::collections::BTreeSet;

/// What an operator knows and `check` does not.
const KNOWN: [(&str, &str); 8] = [
    ("INTERFACE", "eth7"),
    ("PREFIX", "24"),
    ("SAFE_PLACE", "/root/safe/"),
    ("CA_KEY", "/root/ca.key"),
    ("ADDRESS", "198.51.100.200"),
    ("USER", "operator"),
    ("FILE", "/root/password"),
    ("FENCE", "power-NODE"),
];

/// What went otherwise than it should.
pub(super) fn fix_all(case: &Case) -> Vec<String> {
    let before = check();
    let expected: BTreeSet<&str> = case.finds.iter().copied().collect();
    let ids = |findings: &[Finding]| -> BTreeSet<String> {
        findings.iter().map(|finding| finding.id.clone()).collect()
    };
    let missing: Vec<&&str> = expected
        .iter()
        .filter(|id| !ids(&before).contains(**id))
        .collect();
    let mut complaints = Vec::new();
    if !missing.is_empty() {
        complaints.push(format!("not found: {missing:?} among {before:#?}"));
    }
    let mut typed = BTreeSet::new();
    let ours = before
        .iter()
        .filter(|finding| expected.contains(finding.id.as_str()));
    for finding in ours {
        let lines = finding.fixes.iter().filter(|line| !is_an_alternative(line));
        for line in lines {
            let command = line.split("  # ").next().unwrap_or_default();
            // One line may be for several findings.
            if typed.insert(command.to_owned())
                && let Err(why) = act(command)
            {
                complaints.push(format!("{}: {line}\n{why}", finding.id));
            }
        }
    }
    let after = check();
    let was = ids(&before);
    for finding in after {
        let is_new = !was.contains(&finding.id);
        if is_new || expected.contains(finding.id.as_str()) {
            let what = if is_new { "has come" } else { "is still there" };
            complaints.push(format!("{what}: {finding:#?}"));
        }
    }
    complaints.extend(case.then.and_then(|then| then().err()));
    complaints
}

/// What needs a third machine, of which the next line says what does as well.
fn is_an_alternative(line: &str) -> bool {
    line.starts_with("pcs quorum device add ")
}

fn act(command: &str) -> Result<(), String> {
    if ["net {", "disk {", "handlers {"]
        .iter()
        .any(|section| command.starts_with(section))
    {
        edit_drbd(command);
        return Ok(());
    }
    let mut command = command.to_owned();
    for (what, value) in KNOWN {
        let words = command.split(' ').map(|word| match word.split_once('=') {
            Some((name, given)) if given == what => format!("{name}={value}"),
            _ if word == what => value.to_owned(),
            _ => word.to_owned(),
        });
        command = words.collect::<Vec<_>>().join(" ");
    }
    // There is no systemd that could read it again.
    command = command.replace(" && systemctl daemon-reload", "");
    if let Some(rest) = command.strip_prefix("pcs cluster config update ") {
        command = format!("pcs cluster config update {rest} --corosync_conf {COROSYNC}");
    } else if let Some(rest) = command.strip_prefix("pcs ") {
        command = format!("pcs -f {CIB} {rest}");
    }
    if command.contains("stonith create") {
        // The image has no fence agents.
        command += " --force";
    }
    // Once for each node.
    let each: Vec<String> = if command.contains("=NODE") {
        NODES.iter().map(|node| command.replace("NODE", node)).collect()
    } else {
        vec![command.replace("NODE", NODES[0])]
    };
    for command in each {
        let output = run(&["sh", "-ec", &command]);
        if !output.status.success() {
            return Err(format!("{command}: {}\n{}", output.status, text(&output)));
        }
    }
    Ok(())
}
