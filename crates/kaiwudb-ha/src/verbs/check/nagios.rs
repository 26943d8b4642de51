//! `check --nagios`: one line with performance data, and the exit statuses of a monitoring plugin.

use super::finding::Finding;
use super::rule::Severity;
use crate::context::Context;
use crate::ui::exit::Exit;
use crate::ui::output;
use site::cluster::Cluster;
use site::facts::Verdict;
use site::node::Node;
use site::status::{self, View};
use std::fmt::Write;

/// Plugins' lines are cut at 4 KiB, and by screens much earlier.
const MOST_NAMES: usize = 12;

/// Prints the line. What needs attention now counts as well: a monitor that is content while the database is down is of no use.
pub(super) fn run(
    context: &Context,
    cluster: &Cluster,
    nodes: &[Node],
    findings: &[Finding],
    unanswered: &[String],
) -> Exit {
    let view = status::build(context, cluster, nodes);
    let (exit, line) = judge(&view, findings, unanswered.len());
    output::line(&line);
    exit
}

fn judge(view: &View, findings: &[Finding], unanswered: usize) -> (Exit, String) {
    let count = |severity| {
        findings
            .iter()
            .filter(|one| one.rule.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let database = view.database.as_ref();
    let serves = database.is_some_and(|one| one.health == Some(Verdict::Ready));
    // Nothing that was seen is the worst: Nagios reads anything but 0, 1 and 2 as unknown.
    let (exit, word) = if errors > 0 || (!serves && view.nodes.iter().any(|node| node.online)) {
        (Exit::PLUGIN_CRITICAL, "CRITICAL")
    } else if warnings > 0 || !view.attention.is_empty() {
        (Exit::PLUGIN_WARNING, "WARNING")
    } else if unanswered > 0 || database.is_none() {
        (Exit::PLUGIN_UNKNOWN, "UNKNOWN")
    } else {
        (Exit::Done, "OK")
    };
    let mut names: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.counts())
        .map(|finding| finding.rule.id)
        .collect();
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    let mut said = vec![
        if serves {
            "database ready"
        } else {
            "DATABASE NOT READY"
        }
        .to_owned(),
    ];
    if let Some(node) = database.and_then(|one| one.node.as_ref()) {
        said.push(format!("on {node}"));
    }
    let mut text = said.join(" ");
    if !names.is_empty() {
        let _ = write!(text, ", {}", names.join(" "));
    }
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    let attention = view.attention.len();
    if attention > 0 {
        let _ = write!(text, ", {attention} to look at: kaiwudb-ha status");
    }
    // What stands before the bar must not have one.
    let text = text.replace('|', "/");
    let mut data = vec![
        format!("errors={errors};;0;0"),
        format!("warnings={warnings};0;;0"),
        format!("attention={attention};0;;0"),
        format!("unanswered={unanswered};0;;0"),
        format!("database_ready={};;@0;0;1", u8::from(serves)),
    ];
    if let Some(one) = database
        && let (Some(free), Some(total)) = (one.free_bytes, one.total_bytes)
    {
        let (warning, critical) = (total / 10, total / 20);
        data.push(format!("store_free={free}B;{warning}:;{critical}:;0;{total}"));
    }
    (exit, format!("KAIWUDB-HA {word} - {text} | {}", data.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::super::rule;
    use super::*;
    use site::status::{DatabaseView, NodeView};

    fn view(health: Option<Verdict>) -> View {
        View {
            nodes: vec![NodeView {
                online: true,
                ..NodeView::default()
            }],
            database: Some(DatabaseView {
                node: Some("node1".to_owned()),
                health,
                free_bytes: Some(50),
                total_bytes: Some(100),
                ..DatabaseView::default()
            }),
            ..View::default()
        }
    }

    #[test]
    fn a_sound_cluster_is_one_line() {
        let (exit, line) = judge(&view(Some(Verdict::Ready)), &[], 0);
        assert_eq!(exit as u8, 0);
        assert_eq!(
            line,
            "KAIWUDB-HA OK - database ready on node1 | errors=0;;0;0 warnings=0;0;;0 attention=0;0;;0 unanswered=0;0;;0 \
             database_ready=1;;@0;0;1 store_free=50B;10:;5:;0;100"
        );
    }

    #[test]
    fn the_worst_decides() {
        let error = Finding::of(rule::FENCING_OFF, "a|b");
        let warning = Finding::of(rule::ADDRESS_MISSING, "x");
        let advice = Finding::of(rule::ADDRESS_NETMASK_MISSING, "x");
        let ready = || view(Some(Verdict::Ready));
        let attention = View {
            attention: vec!["a sentence".to_owned()],
            ..ready()
        };
        for (view, findings, unanswered, expected, word) in [
            (ready(), vec![advice.clone()], 0, 0, "OK"),
            (ready(), vec![warning.clone()], 0, 1, "WARNING"),
            (attention, vec![], 0, 1, "WARNING"),
            (ready(), vec![warning, error], 0, 2, "CRITICAL"),
            (view(None), vec![], 1, 2, "CRITICAL"),
            (ready(), vec![], 1, 3, "UNKNOWN"),
            (View::default(), vec![], 1, 3, "UNKNOWN"),
        ] {
            let (exit, line) = judge(&view, &findings, unanswered);
            assert_eq!(exit as u8, expected, "{line}");
            assert!(line.starts_with(&format!("KAIWUDB-HA {word} - ")), "{line}");
            assert_eq!(line.matches('|').count(), 1, "{line}");
            assert!(!line.contains('\n'));
        }
    }
}
