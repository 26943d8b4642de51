//! What is public of a certificate, for people: never a key.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Certificates of a file that are described at most.
const MOST: usize = 16;

/// Subject, issuer, names and dates of each certificate of a PEM file, a line each.
pub fn describe(pem: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    for der in CertificateDer::pem_slice_iter(pem).take(MOST) {
        match der {
            Ok(der) => match X509Certificate::from_der(&der) {
                Ok((_, certificate)) => lines.extend(lines_of(&certificate)),
                Err(_) => lines.push("damaged certificate".to_owned()),
            },
            Err(error) => {
                lines.push(format!("no PEM: {error}"));
                break;
            }
        }
    }
    if lines.is_empty() {
        lines.push("no certificate in it".to_owned());
    }
    lines
}

fn lines_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| {
        let names = names.value.general_names.iter().map(name);
        names.collect::<Vec<_>>().join(", ")
    });
    let validity = certificate.validity();
    vec![
        format!("subject {}", certificate.subject()),
        format!("issuer {}", certificate.issuer()),
        format!("serial {}", certificate.raw_serial_as_string()),
        format!("valid from {} until {}", validity.not_before, validity.not_after),
        format!("names {}", names.unwrap_or_else(|| "none".to_owned())),
        format!("authority {}", certificate.is_ca()),
    ]
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Ipv4Addr::new(*a, *b, *c, *d).to_string(),
            _ => <[u8; 16]>::try_from(*bytes).map_or_else(
                |_| "no address".to_owned(),
                |bytes| Ipv6Addr::from(bytes).to_string(),
            ),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public_is_told() {
        let names = ["node1".to_owned(), "10.0.0.1".to_owned(), "fd00::1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let text = describe(made.cert.pem().as_bytes()).join("\n");
        for part in ["subject CN=", "names node1, 10.0.0.1, fd00::1", "valid from "] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(describe(b"x"), ["no certificate in it"]);
        let key = made.signing_key.serialize_pem();
        assert_eq!(describe(key.as_bytes()), ["no certificate in it"]);
    }
}
