//! Mail.

use super::trust;
use crate::{Message, Secret};
use host::Deadline;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use std::path::PathBuf;
use std::time::Duration;

/// The longest wait for one line of the server's.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Whom to, and by which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The server's name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub encryption: Encryption,
    /// Certificates of authorities besides the system's, in PEM.
    pub authorities: Option<PathBuf>,
    /// The account, where the server wants one.
    pub account: Option<(String, Secret)>,
    /// The sender.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// Whether the connection to a server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Never: a relay on this node.
    None,
    /// From the first command that matters; refused by a server that cannot.
    StartTls,
    /// From the first byte.
    Tls,
}

impl Mail {
    pub(super) fn send(&self, message: &Message, deadline: Deadline) -> Result<(), String> {
        let said = |why: String| format!("{}:{}: {why}", self.server, self.port);
        let mail = self.mail(message)?;
        let tls = match self.encryption {
            Encryption::None => Tls::None,
            Encryption::StartTls => Tls::Required(self.parameters()?),
            Encryption::Tls => Tls::Wrapper(self.parameters()?),
        };
        let mut transport = SmtpTransport::builder_dangerous(self.server.as_str())
            .port(self.port)
            .tls(tls)
            .timeout(Some(TIMEOUT))
            .hello_name(ClientId::Domain(domain()));
        if let Some((account, password)) = &self.account {
            transport = transport.credentials(Credentials::new(account.clone(), password.read(deadline)?));
        }
        let sent = transport.build().send(&mail);
        sent.map(drop).map_err(|error| said(with_causes(&error)))
    }

    fn parameters(&self) -> Result<TlsParameters, String> {
        // With the system's authorities.
        let mut builder = TlsParameters::builder(self.server.clone());
        for authority in trust::own(self.authorities.as_deref())? {
            let certificate = Certificate::from_der(authority.to_vec()).map_err(|error| error.to_string())?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build().map_err(|error| error.to_string())
    }

    fn mail(&self, message: &Message) -> Result<lettre::Message, String> {
        let mailbox = |text: &String| -> Result<Mailbox, String> {
            text.parse().map_err(|error| format!("{text}: {error}"))
        };
        let mut mail = lettre::Message::builder()
            .from(mailbox(&self.from)?)
            .subject(message.subject.as_str())
            .message_id(Some(format!("<{}@{}>", message.id, domain())))
            .date_now()
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(mailbox(to)?);
        }
        // Programs that answer for people who are away do not answer this (RFC 3834).
        let mut mail = mail
            .body(message.text.clone())
            .map_err(|error| error.to_string())?;
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Kaiwudb-Ha-Incident", &message.incident),
        ] {
            let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|error| error.to_string())?;
            mail.headers_mut()
                .insert_raw(HeaderValue::new(name, value.to_owned()));
        }
        Ok(mail)
    }
}

/// Whether mail can go there: `NAME <ADDRESS>` or `ADDRESS`.
pub fn is_mailbox(text: &str) -> bool {
    text.chars().all(host::is_printable) && text.parse::<Mailbox>().is_ok()
}

/// By what name this node presents itself.
fn domain() -> String {
    host::host_name()
}

/// An error and what caused it: lettre's own text is "Connection error".
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text += ": ";
            text += &more;
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::any;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};

    fn mail(port: u16) -> Mail {
        Mail {
            server: "127.0.0.1".into(),
            port,
            encryption: Encryption::None,
            authorities: None,
            account: Some(("ha".into(), Secret::Command(vec!["printf".into(), "hush".into()]))),
            from: "KWDB <ha@example.com>".into(),
            to: vec!["dba@example.com".into(), "值班 <duty@example.com>".into()],
        }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    /// A server for one mail; gives what it was told.
    fn server(greeting: &'static str) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || converse(&listener.accept().unwrap().0, greeting));
        (port, thread)
    }

    fn converse(mut stream: &TcpStream, greeting: &str) -> String {
        let mut said = String::new();
        stream.write_all(greeting.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream);
        let mut data = false;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return said;
            }
            said += &line;
            let answer = match line.split_whitespace().next().unwrap_or_default() {
                "." => {
                    data = false;
                    "250 taken\r\n"
                }
                _ if data => continue,
                "EHLO" => "250-sink\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
                "AUTH" => "235 welcome\r\n",
                "DATA" => {
                    data = true;
                    "354 go on\r\n"
                }
                "QUIT" => {
                    let _ = stream.write_all(b"221 bye\r\n");
                    let _ = stream.shutdown(Shutdown::Both);
                    return said;
                }
                _ => "250 ok\r\n",
            };
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_mail_arrives_at_everybody_with_its_headers() {
        let (port, server) = server("220 sink\r\n");
        let message = Message {
            incident: "concern:KaiwuDB\r\nBcc: other@example.com".into(),
            ..any()
        };
        mail(port).send(&message, soon()).unwrap();
        let said = server.join().unwrap();
        assert_eq!(said.matches("RCPT TO:<").count(), 2, "{said}");
        for words in [
            "Auto-Submitted: auto-generated",
            "Message-ID: <1795253833-7@",
            "AUTH PLAIN ",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!said.contains("\nBcc:"), "{said}");
    }

    #[test]
    fn why_it_did_not_go_is_said_without_the_password() {
        for greeting in ["554 not you\r\n", "220 sink\r\n"] {
            let (port, server) = server(greeting);
            let mut mail = mail(port);
            if greeting.starts_with("220") {
                // It offers no encryption, and without it nothing is said.
                mail.encryption = Encryption::StartTls;
            }
            let why = mail.send(&any(), soon()).unwrap_err();
            assert!(why.starts_with("127.0.0.1:") && !why.contains("hush"), "{why}");
            assert!(why.contains("not you") || why.contains("STARTTLS"), "{why}");
            let said = server.join().unwrap();
            assert!(!said.contains("AUTH PLAIN"), "{said}");
        }
        let gone = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let why = mail(gone).send(&any(), soon()).unwrap_err();
        assert!(why.contains("refused"), "{why}");
    }
}
