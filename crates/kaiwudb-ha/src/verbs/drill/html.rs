//! The report of a drill: one file without anything from elsewhere, to be mailed.

use super::chart;
use super::timeline::{sentence, summary, title};
use crate::texts::drill as texts;
use crate::ui::html::escape;
use crate::ui::output::Tone;
use site::drill::Record;
use site::language::Language;
use site::time::{moment, seconds};
use std::fmt::Write;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;color:#1d2733;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.05rem;margin-top:2rem}.quiet{color:#66727f}\
dl{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}dl div{border:1px solid #d8dee5;border-radius:.5rem;padding:.6rem 1rem;min-width:9rem}\
dt{color:#66727f;font-size:.85rem}dd{margin:0;font-size:1.4rem;font-weight:600}.good{color:#1a7f37}.bad{color:#c0262d}\
.event{stroke:#9aa5b1;stroke-dasharray:3 3}.event.bad{stroke:#c0262d;stroke-dasharray:none}.event.good{stroke:#1a7f37;stroke-dasharray:none}\
.number{font-size:10px;fill:#4a5561}.length{font-size:20px;font-weight:600;fill:#c0262d}\
table{border-collapse:collapse;width:100%}td{padding:.25rem .6rem;border-bottom:1px solid #e8ecf0;vertical-align:top}\
td:nth-child(-n+2){text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;width:1%}";

/// The whole page.
pub(super) fn page(language: Language, record: &Record) -> String {
    let of = |text: site::language::Text| escape(text.of(language));
    let title = escape(&title(language, record));
    let began = escape(&texts::BEGAN.fill(language, &[("time", &moment(record.began))]));
    let code = match language {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{}{STYLE}</style></head><body>\n\
         <h1>{title}</h1><div class=\"quiet\">{began} · kaiwudb-ha {}</div>\n<dl>",
        ::chart::STYLE,
        env!("CARGO_PKG_VERSION")
    );
    for (name, value, tone) in summary(language, record) {
        let class = match tone {
            Tone::Good => "good",
            Tone::Bad => "bad",
            _ => "plain",
        };
        let _ = write!(
            page,
            "<div><dt>{}</dt><dd class=\"{class}\">{}</dd></div>",
            escape(&name),
            escape(&value)
        );
    }
    let _ = write!(
        page,
        "</dl>\n<h2>{}</h2>\n{}<h2>{}</h2>\n<table>\n",
        of(texts::CHART),
        chart::svg(record),
        of(texts::TIMELINE)
    );
    for (index, event) in record.events.iter().enumerate() {
        let _ = writeln!(
            page,
            "<tr><td class=\"quiet\">{}</td><td>{}</td><td>{}</td></tr>",
            index + 1,
            seconds(event.at_ms),
            escape(&sentence(language, event))
        );
    }
    let _ = write!(
        page,
        "</table>\n<p class=\"quiet\">{}</p>\n</body></html>\n",
        of(texts::METHOD)
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use site::drill::{Event, Fault, Kind};

    #[test]
    fn a_page_needs_nothing_from_elsewhere() {
        let record = Record {
            fault: Some(Fault::Kill),
            node: "<node&1>".to_owned(),
            outage_ms: Some(1830),
            acknowledged: 200,
            lost: Some(0),
            events: vec![Event {
                at_ms: 0,
                kind: Kind::Injected,
                what: "kill".to_owned(),
                node: "<node&1>".to_owned(),
            }],
            ..Record::default()
        };
        for language in [Language::English, Language::Chinese] {
            let page = page(language, &record);
            assert!(
                page.contains("&lt;node&amp;1&gt;") && !page.contains("<node&1>"),
                "{page}"
            );
            assert!(page.contains("1.83 s"), "{page}");
            for elsewhere in ["src=", "href=", "url(", "@import", "<script"] {
                assert!(!page.contains(elsewhere), "{elsewhere}");
            }
        }
    }
}
