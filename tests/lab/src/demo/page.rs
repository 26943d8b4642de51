//! The report of a demonstration: one file with the picture of its timeline, without anything from elsewhere.

use super::words::words;
use crate::report::Report;
use chart::Chart;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

/// Room for the numbers and lengths of the outages.
const TOP: f64 = 44.0;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;color:#1d2733;max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}.quiet{color:#66727f}\
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
    /// What the client without timeouts waited.
    pub(super) patient: String,
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
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}{}</style></head><body>\n\
         <h1>{title}</h1>\n<p>{}</p>\n{}<table>\n<tr><th></th>",
        words("en", "zh-CN"),
        chart::STYLE,
        words(
            "Every dot is a commit that the database acknowledged to a client at the virtual IP: when, and how long it took. \
             The red bands are the outages that the client saw. It gives up a connection after 50 ms and a commit after 500 ms; a \
             second client has no timeouts, as JDBC by default.",
            "每个点代表数据库向虚拟 IP 上的客户端确认的一次提交：横轴为时间，纵轴为耗时。红色区域为客户端观察到的中断。\
             该客户端 50 毫秒后放弃连接，500 毫秒后放弃提交；另一个客户端没有超时设置（JDBC 的默认行为）。"
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
             <td class=\"figure\">{}</td><td class=\"figure\">{}</td><td>{}</td></tr>",
            index + 1,
            row.event,
            row.outage(),
            row.patient,
            row.acknowledged,
            row.lost,
            row.place
        );
    }
    let _ = write!(page, "</table>\n<p>{conclusion}</p>\n</body></html>\n");
    page
}

/// The picture as SVG.
fn picture(report: &Report, rows: &[Row]) -> String {
    let since = |at: Instant| at.saturating_duration_since(report.started).as_secs_f64() * 1000.0;
    let last = report.acknowledged.last().map_or(1000.0, |row| since(row.at));
    let mut chart = Chart::new(0.0, last.max(1000.0), TOP);
    for (index, row) in rows.iter().enumerate() {
        let (from, to) = (since(row.from), since(row.to));
        chart.outage(from, to);
        let middle = f64::midpoint(chart.x(from), chart.x(to));
        chart.text("number", middle, 18.0, index + 1);
        chart.text("axis", middle, 34.0, format_args!("{:.2} s", row.outage()));
    }
    chart.axes();
    for row in &report.acknowledged {
        let took = row.at.saturating_duration_since(row.begun);
        chart.commit(since(row.at), took.as_secs_f64() * 1000.0);
    }
    chart.svg()
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
            patient: "5.00 s".to_owned(),
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
            page.contains(">4.80 s<") && page.contains(">5.00 s<") && page.contains("all is well"),
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
