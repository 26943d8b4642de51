//! `facts`: prints what is known of this node, for other nodes.

use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::Result;
use host::Deadline;
use site::facts::{self, PATIENCE, Store};

/// Which database is asked about.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(long, hide = true)]
    data_root: Option<String>,
    #[arg(long, hide = true)]
    http_port: Option<u16>,
    #[arg(long, hide = true)]
    sql_port: Option<u16>,
    #[arg(long, hide = true)]
    listen_host: Option<String>,
    #[arg(long, hide = true)]
    certs_dir: Option<String>,
}

/// Prints the facts of this node, always as JSON.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    let store = Store {
        data_root: arguments.data_root.clone(),
        http_port: arguments.http_port,
        sql_port: arguments.sql_port,
        listen_host: arguments.listen_host.clone(),
        certs_dir: arguments.certs_dir.clone(),
    };
    output::value(&facts::gather(Some(&store), Deadline::after(PATIENCE)))?;
    Ok(Exit::Done)
}
