//! The report of an incident: one file without anything from elsewhere, to be mailed.

use super::screen::rows;
use crate::texts::why as texts;
use crate::ui::html;
use site::history::Incident;
use site::history::words::{Answer, exactly};
use site::language::{Language, Text};
use std::fmt::Write;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;color:#1d2733;max-width:72rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.05rem;margin:1.4rem 0 .2rem}.first{font-size:1.15rem;font-weight:600;color:#c0262d}\
pre,td:last-child{font:12px/1.5 ui-monospace,monospace;color:#66727f;white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0}\
table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem;border-bottom:1px solid #e8ecf0;vertical-align:top}\
td:first-child{white-space:nowrap;font-variant-numeric:tabular-nums}";

/// The whole page.
pub(super) fn page(language: Language, incident: &Incident, answer: &Answer) -> String {
    let title = texts::TITLE.fill(
        language,
        &[("incident", &incident.id), ("time", &exactly(incident.began))],
    );
    let title = escape(&title);
    let code = match language {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    let mut section = |heading: Text, body: &str| {
        let _ = writeln!(page, "<h2>{}</h2>\n{body}", escape(heading.of(language)));
    };
    let all = |tag: &str, lines: &[String]| {
        let lines = lines.iter();
        let tagged: Vec<String> = lines
            .map(|line| format!("<{tag}>{}</{tag}>", escape(line)))
            .collect();
        tagged.concat()
    };
    let list = |lines: &[String]| format!("<ul>{}</ul>", all("li", lines));
    let quoted = all("pre", &answer.evidence);
    section(
        texts::FIRST,
        &format!("<p class=\"first\">{}</p>{quoted}", escape(&answer.first)),
    );
    section(texts::DID, &list(&answer.did));
    section(texts::COST, &format!("<p>{}</p>", escape(&answer.cost)));
    if !answer.unknown.is_empty() {
        section(texts::UNKNOWN, &list(&answer.unknown));
    }
    section(texts::NEXT, &format!("<p>{}</p>", escape(&answer.next)));
    let table: Vec<String> = rows(incident)
        .iter()
        .map(|row| format!("<tr>{}</tr>\n", all("td", row)))
        .collect();
    let table = table.concat();
    section(texts::TIMELINE, &format!("<table>\n{table}</table>"));
    let _ = writeln!(
        page,
        "<p>kaiwudb-ha {}</p>\n</body></html>",
        env!("CARGO_PKG_VERSION")
    );
    page
}

fn escape(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if host::is_printable(c) { c } else { ' ' })
        .collect();
    html::escape(&text)
}
