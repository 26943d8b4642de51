//! `kwbase cert list`.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::client::protocol::Outcome;
use crate::client::table::{Format, render};
use crate::store::describe;
use crate::tls::{certificates, common_name};

/// What a certificate is for; the order is that of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Usage {
    Authority,
    ClientAuthority,
    UiAuthority,
    Node,
    Ui,
    Client,
}

impl Usage {
    /// By the file's name; `None` for files that are no certificates of a server.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ca.crt" => Self::Authority,
            "ca-client.crt" => Self::ClientAuthority,
            "ca-ui.crt" => Self::UiAuthority,
            "node.crt" => Self::Node,
            "ui.crt" => Self::Ui,
            _ if name.starts_with("client.") && Path::new(name).extension()? == "crt" => Self::Client,
            _ => return None,
        })
    }

    fn title(self) -> &'static str {
        match self {
            Self::Authority => "CA",
            Self::ClientAuthority => "Client CA",
            Self::UiAuthority => "UI CA",
            Self::Node => "Node",
            Self::Ui => "UI",
            Self::Client => "Client",
        }
    }
}

/// Prints the certificates of a directory; one that cannot be read is listed with the reason.
pub(super) fn run(directory: &Path) -> Result<(), String> {
    let entries = fs::read_dir(directory).map_err(|error| describe("open", directory, &error))?;
    let mut found: Vec<(Usage, String)> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| Some((Usage::of(&name)?, name)))
        .collect();
    found.sort();
    let rows = found.iter().map(|(usage, name)| {
        let key = format!("{}.key", name.trim_end_matches(".crt"));
        let key = if directory.join(&key).exists() {
            key
        } else {
            String::new()
        };
        let (expires, notes, error) = match describe_certificate(directory, *usage, name) {
            Ok((expires, notes)) => (expires, notes, String::new()),
            Err(error) => (String::new(), String::new(), error),
        };
        [usage.title().to_owned(), name.clone(), key, expires, notes, error]
            .map(Some)
            .to_vec()
    });
    let columns = [
        "Usage",
        "Certificate File",
        "Key File",
        "Expires",
        "Notes",
        "Error",
    ];
    let outcome = Outcome {
        rows: rows.collect(),
        columns: Some(columns.map(str::to_owned).to_vec()),
        ..Outcome::default()
    };
    let text = format!(
        "Certificate directory: {}\n{}",
        directory.display(),
        render(&outcome, Format::Table)
    );
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

/// The day on which a certificate expires, and what it is for.
fn describe_certificate(directory: &Path, usage: Usage, name: &str) -> Result<(String, String), String> {
    let chain = certificates(directory, name)?;
    let (_, parsed) = X509Certificate::from_der(&chain[0]).map_err(|error| error.to_string())?;
    let end = parsed.validity().not_after.to_datetime();
    let notes = match usage {
        Usage::Authority | Usage::ClientAuthority | Usage::UiAuthority => {
            format!("num certs: {}", chain.len())
        }
        Usage::Client => format!("user: {}", common_name(&chain[0])?),
        Usage::Node | Usage::Ui => format!("addresses: {}", addresses(&parsed).join(",")),
    };
    Ok((
        format!("{:04}/{:02}/{:02}", end.year(), u8::from(end.month()), end.day()),
        notes,
    ))
}

/// Names and addresses that the certificate is for.
fn addresses(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(v4), _) => Some(Ipv4Addr::from(v4).to_string()),
            (_, Ok(v6)) => Some(Ipv6Addr::from(v6).to_string()),
            _ => None,
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(text).collect()
}
