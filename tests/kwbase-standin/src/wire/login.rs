//! Who the client is.

use std::io;

use crate::node::Node;
use crate::tls;

use super::messages::{Inbox, invalid, put, text};
use super::stream::Stream;
use super::{password, statement};

/// Error code and message.
type Refusal = (&'static str, String);

/// Decides whether the client is who it says. Insecure mode believes everybody and makes the user when it is new.
pub(super) fn authenticate(node: &Node, client: &mut Stream, user: &str) -> io::Result<Result<(), Refusal>> {
    if user.is_empty() {
        return Ok(Err(("28000", "no user specified".into())));
    }
    let role = find_role(node, user)?;
    if node.security.is_none() {
        if role.is_none() {
            let name = user.replace('"', "\"\"");
            query(node, &format!("CREATE ROLE \"{name}\" LOGIN"))?;
        }
        return Ok(Ok(()));
    }
    if let Some(certificate) = client.client_certificate() {
        let name = tls::common_name(certificate).map_err(|error| invalid(&error))?;
        return Ok(match role {
            _ if name != user => Err((
                "28000",
                format!("requested user is {user}, but certificate is for {name}"),
            )),
            None => Err(("28000", format!("user {user} does not exist"))),
            Some(_) => Ok(()),
        });
    }
    // Without TLS, too: a secure server takes a password in the clear.
    let failed = || ("XXUUU", format!("password authentication failed for user {user}"));
    let Some(role) = role else {
        return Ok(Err(failed()));
    };
    let mut out = Vec::new();
    put(&mut out, b'R', &3u32.to_be_bytes());
    client.send(&out)?;
    let mut inbox = Inbox::default();
    let given = loop {
        if let Some((kind, body)) = inbox.next()? {
            break (kind == b'p')
                .then(|| text(body).map(|(text, _)| text.to_owned()))
                .transpose()?;
        }
        if !client.receive(&mut inbox.bytes)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let fits = role
        .verifier
        .zip(given)
        .is_some_and(|(verifier, given)| password::matches(&verifier, &given));
    Ok(if fits { Ok(()) } else { Err(failed()) })
}

/// A user that exists.
struct Role {
    /// What fits its password, if it has one.
    verifier: Option<String>,
}

fn find_role(node: &Node, user: &str) -> io::Result<Option<Role>> {
    let name = statement::literal(user);
    let rows = query(
        node,
        &format!("SELECT rolpassword FROM pg_authid WHERE rolname = {name}"),
    )?;
    Ok(rows.into_iter().next().map(|row| Role {
        verifier: row.into_iter().next().flatten(),
    }))
}

fn query(node: &Node, sql: &str) -> io::Result<Vec<Vec<Option<String>>>> {
    let postgres = node
        .postgres
        .get()
        .ok_or_else(|| invalid("the engine is not open"))?;
    let mut session = postgres.administrator("postgres").map_err(io::Error::other)?;
    let outcome = session.query(sql).map_err(io::Error::other)?.pop();
    Ok(outcome.unwrap_or_default().rows)
}
