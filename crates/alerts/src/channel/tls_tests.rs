//! Servers that prove who they are, and servers that do not: mail with STARTTLS and with TLS from the first byte, and HTTPS.

use super::{Channel, Encryption, Http, Mail, Way, heartbeat};
use crate::Secret;
use crate::message::tests::any;
use host::Deadline;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

const HOST: &str = "127.0.0.1";

/// A site's own authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A server of this name, whose certificate is valid until the end of this year.
    fn server(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

/// What is spoken to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    StartTls,
    MailInTls,
    Webhook,
    Heartbeat,
}

const ALL: [Speech; 4] = [
    Speech::StartTls,
    Speech::MailInTls,
    Speech::Webhook,
    Speech::Heartbeat,
];

impl Speech {
    /// Sends the message, or the sign of life.
    fn send(self, port: u16, authorities: Option<PathBuf>) -> Result<(), String> {
        let deadline = Deadline::after(Duration::from_secs(60));
        let secret = || Secret::Told("hush".into());
        let http = || Http {
            authorities: authorities.clone(),
            proxy: None,
        };
        let url = Secret::Told(format!("https://{HOST}:{port}/hook"));
        let way = match self {
            Self::Heartbeat => return heartbeat(&url, &http(), deadline),
            Self::Webhook => Way::Webhook {
                url,
                secret: Some(secret()),
                http: http(),
            },
            Self::StartTls | Self::MailInTls => Way::Mail(Box::new(Mail {
                server: HOST.into(),
                port,
                encryption: if self == Self::StartTls {
                    Encryption::StartTls
                } else {
                    Encryption::Tls
                },
                authorities,
                account: Some(("ha".into(), secret())),
                from: "ha@example.com".into(),
                to: vec!["dba@example.com".into()],
            })),
        };
        let name = "it".to_owned();
        Channel { name, way }.send(&any(), deadline)
    }

    /// Serves one client; gives what it said in clear, and what it said in TLS.
    fn serve(self, config: Arc<ServerConfig>) -> (u16, JoinHandle<(String, String)>) {
        let listener = TcpListener::bind((HOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let talk = move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let in_clear = match self {
                Self::StartTls => mail(&mut stream, true),
                _ => String::new(),
            };
            let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
            let in_tls = match self {
                Self::StartTls => mail(&mut tls, false),
                Self::MailInTls => {
                    let _ = tls.write_all(b"220 sink\r\n");
                    mail(&mut tls, false)
                }
                Self::Webhook | Self::Heartbeat => request(&mut tls),
            };
            tls.conn.send_close_notify();
            let _ = tls.flush();
            let _ = TcpStream::shutdown(&tls.sock, Shutdown::Write);
            (in_clear, in_tls)
        };
        (port, spawn(talk))
    }
}

/// A line; `None` when the client has gone away.
fn line(stream: &mut impl Read) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        match stream.read(&mut byte) {
            Ok(1) => line.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(line).ok()
}

/// Takes mail until the client quits; before TLS it greets and offers that.
fn mail(stream: &mut (impl Read + Write), before_tls: bool) -> String {
    let mut said = String::new();
    let mut data = false;
    if before_tls {
        let _ = stream.write_all(b"220 sink\r\n");
    }
    while let Some(line) = line(stream) {
        said += &line;
        let answer = match line.split_whitespace().next().unwrap_or_default() {
            "." => {
                data = false;
                "250 taken\r\n"
            }
            _ if data => continue,
            "EHLO" if before_tls => "250-sink\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n",
            "EHLO" => "250-sink\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "DATA" => {
                data = true;
                "354 send it\r\n"
            }
            "AUTH" => "235 welcome\r\n",
            "STARTTLS" => "220 ready\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        let _ = stream.write_all(answer.as_bytes());
        if matches!(line.trim_end(), "QUIT" | "STARTTLS") {
            break;
        }
    }
    said
}

/// Takes one request.
fn request(stream: &mut (impl Read + Write)) -> String {
    let mut said = String::new();
    let mut length = 0;
    while let Some(line) = line(stream) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        said += &line;
        if line == "\r\n" {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            said += &String::from_utf8(body).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            break;
        }
    }
    said
}

/// A file with these authorities.
fn file(directory: &tempfile::TempDir, authorities: &[&Authority]) -> PathBuf {
    let path = directory.path().join("ca.pem");
    let pem: String = authorities.iter().map(|one| one.pem.as_str()).collect();
    std::fs::write(&path, pem).unwrap();
    path
}

#[test]
fn a_server_of_the_sites_own_authority_gets_everything_and_only_in_tls() {
    let place = tempfile::tempdir().unwrap();
    let (own, other) = (Authority::new(), Authority::new());
    let authorities = file(&place, &[&other, &own]);
    for speech in ALL {
        let (port, server) = speech.serve(own.server(HOST, 2100));
        let sent = speech.send(port, Some(authorities.clone()));
        let (in_clear, in_tls) = server.join().unwrap();
        assert_eq!(sent, Ok(()), "{speech:?}: {in_tls}");
        let expected: &[&str] = match speech {
            Speech::Heartbeat => &["GET /hook HTTP/1.1\r\n"],
            Speech::Webhook => &["POST /hook HTTP/1.1\r\n", "node-lost:node1"],
            Speech::StartTls | Speech::MailInTls => &["AUTH PLAIN ", "RCPT TO:<dba@example.com>", "QUIT"],
        };
        for words in expected {
            assert!(in_tls.contains(words), "{speech:?}: {words}: {in_tls}");
            assert!(!in_clear.contains(words), "{speech:?}: {in_clear}");
        }
    }
}

#[test]
fn a_server_that_cannot_prove_who_it_is_learns_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (own, other) = (Authority::new(), Authority::new());
    let authorities = file(&place, &[&own]);
    for (config, trusted, why) in [
        (own.server(HOST, 2100), None, "its CA is not the system's"),
        (other.server(HOST, 2100), Some(&authorities), "another CA"),
        (
            own.server("127.0.0.2", 2100),
            Some(&authorities),
            "another host's",
        ),
        (own.server(HOST, 2002), Some(&authorities), "it has run out"),
    ] {
        for speech in ALL {
            let (port, server) = speech.serve(Arc::clone(&config));
            let said = speech.send(port, trusted.cloned()).expect_err(why);
            let (in_clear, in_tls) = server.join().unwrap();
            assert_eq!(in_tls, "", "{speech:?}: {why}");
            assert!(
                !in_clear.contains("AUTH") && !in_clear.contains("MAIL"),
                "{in_clear}"
            );
            assert!(
                said.starts_with(HOST) && said.contains("certificate") && !said.contains("hush"),
                "{speech:?}: {why}: {said}"
            );
        }
    }
}
