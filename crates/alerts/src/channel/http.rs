//! HTTP, as far as a message needs it: one request, one short answer, no redirect.

use super::trust;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

/// Name resolution, connection, request and answer together.
const TIMEOUT: Duration = Duration::from_secs(15);
/// No answer that is read is longer, in bytes.
const LARGEST: u64 = 16 << 10;

/// How a request gets where it should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// Certificates of authorities besides the system's, in PEM.
    pub authorities: Option<PathBuf>,
    /// `http://HOST:PORT`. The environment's is not used.
    pub proxy: Option<String>,
}

impl Http {
    fn agent(&self) -> Result<Agent, String> {
        let own = trust::own(self.authorities.as_deref())?;
        let authorities: Vec<Certificate<'static>> = trust::of_the_system()
            .iter()
            .chain(&own)
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let proxy = match &self.proxy {
            Some(proxy) => Some(Proxy::new(proxy).map_err(|error| format!("the proxy: {error}"))?),
            None => None,
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(authorities)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .user_agent("kaiwudb-ha")
            .tls_config(tls)
            .build();
        Ok(config.new_agent())
    }

    /// Posts JSON; the answer's body. The error says nothing of the URL but its host: the rest may be a secret.
    pub(super) fn post(&self, url: &str, headers: &[(&str, &str)], json: &str) -> Result<String, String> {
        let said = |why: String| format!("{}: {why}", host_of(url));
        let mut request = self
            .agent()?
            .post(url)
            .content_type("application/json; charset=utf-8");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request
            .send(json)
            .map_err(|error| said(without(&error.to_string(), url)))?;
        read(answer).map_err(said)
    }

    /// Asks for it.
    pub(super) fn get(&self, url: &str) -> Result<(), String> {
        let said = |why: String| format!("{}: {why}", host_of(url));
        let answer = self.agent()?.get(url).call();
        let answer = answer.map_err(|error| said(without(&error.to_string(), url)))?;
        read(answer).map(drop).map_err(said)
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<String, String> {
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("HTTP status {}", status.as_u16()));
    }
    // The status is what counts; a robot's answer that is cut off is none.
    let body = answer.body_mut().with_config().limit(LARGEST).read_to_string();
    Ok(body.unwrap_or_default())
}

/// The scheme and the host.
fn host_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| begin + at);
    match url[begin..end].rfind('@') {
        Some(at) => &url[begin + at + 1..end],
        None => &url[begin..end],
    }
}

fn without(text: &str, url: &str) -> String {
    text.replace(url, "the URL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one request; gives the request.
    fn answering(address: &str, answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut part = [0; 1024];
            while !request.ends_with(b"}") {
                let count = stream.read(&mut part).unwrap();
                request.extend_from_slice(&part[..count]);
                if count == 0 || !request.starts_with(b"POST") && request.ends_with(b"\r\n\r\n") {
                    break;
                }
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (port, thread)
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

    #[test]
    fn a_request_arrives_and_its_answer_too() {
        for (address, shown) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")] {
            let (port, server) = answering(address, OK);
            let url = format!("http://{shown}:{port}/a?b=c");
            let answer = Http::default().post(&url, &[("X-Test", "1")], "{\"a\":1}");
            assert_eq!(answer, Ok("ok".into()), "{url}");
            let request = server.join().unwrap().to_lowercase();
            assert!(request.starts_with("post /a?b=c http/1.1\r\n"), "{request}");
            assert!(
                request.contains("x-test: 1") && request.ends_with("{\"a\":1}"),
                "{request}"
            );
        }
        let (port, server) = answering("127.0.0.1", OK);
        assert_eq!(
            Http::default().get(&format!("http://127.0.0.1:{port}/up")),
            Ok(())
        );
        server.join().unwrap();
    }

    #[test]
    fn a_proxy_is_asked_in_place_of_the_host() {
        let (port, server) = answering(
            "127.0.0.1",
            "HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
        let http = Http {
            proxy: Some(format!("http://127.0.0.1:{port}")),
            ..Http::default()
        };
        assert!(http.get("https://hook.invalid/secret").is_err());
        let request = server.join().unwrap();
        assert!(request.starts_with("CONNECT hook.invalid:443 "), "{request}");
    }

    #[test]
    fn an_error_names_the_host_and_keeps_the_secret() {
        let gone = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let why = Http::default().post(&format!("http://u:pw@127.0.0.1:{gone}/hush?key=hush"), &[], "{}");
        let why = why.unwrap_err();
        assert!(
            why.starts_with(&format!("127.0.0.1:{gone}: ")) && !why.contains("hush"),
            "{why}"
        );
        for answer in [
            "HTTP/1.1 302 Found\r\nLocation: http://x.invalid/\r\n\r\n",
            "HTTP/1.1 500 Oh\r\n\r\n",
        ] {
            let (port, server) = answering("127.0.0.1", answer);
            let why = Http::default()
                .post(&format!("http://127.0.0.1:{port}/hush"), &[], "{}")
                .unwrap_err();
            assert!(why.contains("127.0.0.1") && !why.contains("hush"), "{why}");
            server.join().unwrap();
        }
        for url in ["hush", "ftp://hush/hush", "http://", "http://a b/hush"] {
            let why = Http::default().post(url, &[], "{}").unwrap_err();
            assert!(!why.contains("/hush"), "{why}");
        }
    }
}
