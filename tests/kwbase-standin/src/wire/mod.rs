//! The SQL port: PostgreSQL's protocol towards the clients, relayed to the PostgreSQL server behind the stand-in.

mod login;
pub(crate) mod messages;
mod password;
mod relay;
mod startup;
mod statement;
mod stream;

pub(crate) use statement::{Control, NODE_STATUS, literal};

use std::net::TcpStream;
use std::sync::Arc;

use crate::node::{Node, Phase};
use crate::own;

/// Serves one client until it or the server ends the session. While the server starts, the client waits.
pub(crate) fn serve(node: &Arc<Node>, socket: TcpStream) {
    let _ = socket.set_read_timeout(Some(startup::LOGIN_LIMIT));
    if own::is_grpc(&socket) {
        // The connection that failed tells why.
        let _ = own::hold(node, socket);
        return;
    }
    node.wait_for(Phase::Serving);
    node.answer_gate();
    // A client that goes away or breaks the protocol is its own business; the reason is still worth a line.
    if let Err(error) = startup::accept(node, socket).and_then(|accepted| match accepted {
        Some(accepted) => relay::run(node, accepted),
        None => Ok(()),
    }) {
        node.log.info(&format!("client session ended: {error}"));
    }
}
