//! One scrape over HTTP, as a socket unit of systemd hands it over. Nothing is kept open and nothing else is served.

/// The longest request; Prometheus sends a few hundred bytes.
pub const LONGEST_REQUEST: usize = 8 * 1024;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The request is not complete yet.
    Incomplete,
    /// The metrics.
    Metrics,
    /// The head of the answer alone.
    Head,
    /// Something else: the status line of the answer.
    Refused(&'static str),
}

/// Reads a request.
pub fn request(bytes: &[u8]) -> Request {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {
            let path = request.path.unwrap_or_default();
            let path = path.split('?').next().unwrap_or_default();
            match (request.method, path) {
                (Some("GET"), "/metrics") => Request::Metrics,
                (Some("HEAD"), "/metrics") => Request::Head,
                (Some("GET" | "HEAD"), _) => Request::Refused("404 Not Found"),
                _ => Request::Refused("405 Method Not Allowed"),
            }
        }
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST_REQUEST => Request::Incomplete,
        _ => Request::Refused("400 Bad Request"),
    }
}

/// The head of an answer with this status and length.
pub fn head(status: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scrape_is_answered() {
        for (text, expected) in [
            ("", Request::Incomplete),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n", Request::Incomplete),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Request::Metrics),
            ("GET /metrics?a=b HTTP/1.0\r\n\r\n", Request::Metrics),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", Request::Head),
            (
                "GET /../etc/shadow HTTP/1.1\r\n\r\n",
                Request::Refused("404 Not Found"),
            ),
            (
                "POST /metrics HTTP/1.1\r\n\r\n",
                Request::Refused("405 Method Not Allowed"),
            ),
            ("\u{16}\u{3}\u{1} not HTTP", Request::Refused("400 Bad Request")),
        ] {
            assert_eq!(request(text.as_bytes()), expected, "{text:?}");
        }
        let long = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(LONGEST_REQUEST));
        assert_eq!(request(long.as_bytes()), Request::Refused("400 Bad Request"));
    }
}
