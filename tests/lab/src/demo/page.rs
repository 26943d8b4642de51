//! The report of a demonstration: one file with the picture of its timeline, without anything from elsewhere.

use super::words::words;
use crate::report::Report;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 340.0;
/// Room for the axes.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 40.0;
/// Powers of ten that are drawn, from a millisecond on.
const DECADES: f64 = 4.0;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;color:#1d2733;max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}.quiet{color:#66727f}\
svg{width:100%;height:auto;border:1px solid #d8dee5;border-radius:.5rem;background:#fff}\
.outage{fill:#f9d7d9}.grid{stroke:#e8ecf0}.axis{font-size:11px;fill:#66727f}.commit{fill:#2f6fb2;fill-opacity:.7}\
.number{font-size:13px;font-weight:600;fill:#c0262d}\
table{border-collapse:collapse;width:100%;margin:1.5rem 0}td,th{padding:.3rem .7rem;border-bottom:1px solid #e8ecf0;text-align:left}\
.figure{text-align:right;font-variant-numeric:tabular-nums}";

/// One row of the table and one band of the picture.
#[derive(Debug)]
pub(super) struct Row {
    /// What happened.
    pub(super) event: String,
    /// Last acknowledgement before and first after it.
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) acknowledged: usize,
    pub(super) lost: usize,
    /// Where the database runs.
    pub(super) place: String,
}

impl Row {
    pub(super) fn outage(&self) -> f64 {
        self.to.saturating_duration_since(self.from).as_secs_f64()
    }
}

/// The whole page.
pub(super) fn page(report: &Report, rows: &[Row], conclusion: &str) -> String {
    let title = words(
        "Failover of a KWDB database between two nodes",
        "KWDB 数据库在两个节点之间的故障切换",
    );
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1>\n<p>{}</p>\n{}<table>\n<tr><th></th>",
        words("en", "zh-CN"),
        words(
            "Every dot is a commit that the database acknowledged to a client at the virtual IP: when, and how long it took. \
             The red bands are the outages that the client saw.",
            "每个点代表数据库向虚拟 IP 上的客户端确认的一次提交：横轴为时间，纵轴为耗时。红色区域为客户端观察到的中断。"
        ),
        picture(report, rows),
    );
    for name in super::HEADINGS {
        let _ = write!(page, "<th>{}</th>", words(name.0, name.1));
    }
    page += "</tr>\n";
    for (index, row) in rows.iter().enumerate() {
        let _ = writeln!(
            page,
            "<tr><td class=\"number\">{}</td><td>{}</td><td class=\"figure\">{:.2} s</td><td class=\"figure\">{}</td>\
             <td class=\"figure\">{}</td><td>{}</td></tr>",
            index + 1,
            row.event,
            row.outage(),
            row.acknowledged,
            row.lost,
            row.place
        );
    }
    let _ = write!(page, "</table>\n<p>{conclusion}</p>\n</body></html>\n");
    page
}

/// The picture as SVG. Text in it is numbers only.
fn picture(report: &Report, rows: &[Row]) -> String {
    let since = |at: Instant| at.saturating_duration_since(report.started).as_secs_f64();
    let end = report
        .acknowledged
        .last()
        .map_or(1.0, |row| since(row.at))
        .max(1.0);
    let x = |seconds: f64| LEFT + seconds / end * (WIDTH - LEFT - RIGHT);
    let bottom = HEIGHT - BOTTOM;
    let y = |seconds: f64| {
        let share = (seconds * 1000.0).max(1.0).log10() / DECADES;
        bottom - share.min(1.0) * (bottom - TOP)
    };
    let mut svg =
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n");
    for (index, row) in rows.iter().enumerate() {
        let (from, to) = (x(since(row.from)), x(since(row.to)));
        let _ = writeln!(
            svg,
            "<rect class=\"outage\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>\
             <text class=\"number\" x=\"{middle:.1}\" y=\"18\" text-anchor=\"middle\">{}</text>\
             <text class=\"axis\" x=\"{middle:.1}\" y=\"34\" text-anchor=\"middle\">{:.2} s</text>",
            to - from,
            bottom - TOP,
            index + 1,
            row.outage(),
            middle = f64::midpoint(from, to)
        );
    }
    for (seconds, label) in [
        (0.001, "1 ms"),
        (0.01, "10 ms"),
        (0.1, "100 ms"),
        (1.0, "1 s"),
        (10.0, "10 s"),
    ] {
        let at = y(seconds);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0
        );
    }
    // Some ten round marks.
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0]
        .into_iter()
        .find(|step| end / step <= 12.0)
        .unwrap_or(120.0);
    let mut mark = 0.0;
    while mark <= end {
        let _ = writeln!(
            svg,
            "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{mark:.0} s</text>",
            x(mark),
            bottom + 20.0
        );
        mark += step;
    }
    for row in &report.acknowledged {
        let took = row.at.saturating_duration_since(row.begun).as_secs_f64();
        let _ = writeln!(
            svg,
            "<circle class=\"commit\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.8\"/>",
            x(since(row.at)),
            y(took)
        );
    }
    svg + "</svg>\n"
}

/// The address of a file for a browser.
pub(super) fn address(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut address = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            byte => {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Acknowledgement;
    use std::time::Duration;

    #[test]
    fn every_outage_is_drawn_where_it_was() {
        let started = Instant::now();
        let at = |ms| started + Duration::from_millis(ms);
        let mut report = Report::new(started);
        for (id, ms) in [1000, 2000, 4000, 8800].into_iter().enumerate() {
            report.acknowledged.push(Acknowledgement {
                id: id as u64,
                begun: at(ms - 10),
                at: at(ms),
            });
        }
        let row = |from, to| Row {
            event: "an event".to_owned(),
            from: at(from),
            to: at(to),
            acknowledged: 2,
            lost: 0,
            place: "node2".to_owned(),
        };
        let page = page(&report, &[row(2000, 4000), row(4000, 8800)], "all is well");
        // 880 of 960 columns for 8.8 s.
        assert!(page.contains("x=\"264.0\" y=\"44\" width=\"200.0\""), "{page}");
        assert!(page.contains("x=\"464.0\" y=\"44\" width=\"480.0\""), "{page}");
        assert_eq!(page.matches("<circle").count(), 4);
        assert!(
            page.contains(">4.80 s<") && page.contains("all is well"),
            "{page}"
        );
        for elsewhere in ["src=", "href=", "url(", "@import", "<script", "NaN"] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_path_with_a_blank_is_one_address() {
        assert_eq!(address(Path::new("/a b/ü.html")), "file:///a%20b/%C3%BC.html");
    }
}
