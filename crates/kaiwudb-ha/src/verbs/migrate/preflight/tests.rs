//! What is refused on facts that no lab shows.

use super::*;
use crate::design::fixture;
use crate::ui::output::Output;
use pacemaker::status::Status;
use site::facts::{Holding, Mounted, Server};
use site::roles::Site;

/// A node, with a server where it serves.
fn node(name: &str, serves: bool) -> Node {
    let mut facts = Facts {
        name: name.to_owned(),
        root: true,
        ..Facts::default()
    };
    facts.database.data_root = "/srv/db/store".to_owned();
    if serves {
        facts.database.servers = vec![Server {
            pid: 7,
            ..Server::default()
        }];
        facts.database.health = Some(Verdict::Ready);
    }
    Node {
        name: name.to_owned(),
        facts: Ok(facts),
        clock_difference: Duration::ZERO,
    }
}

/// What is said of the store on the node that serves, where this is mounted at the store itself, and this above it.
fn said_of_a_store(mount: Option<Mounted>, on: Option<Holding>) -> Option<String> {
    let context = Context {
        site: fixture::context(""),
        output: Output::new(false, false),
    };
    let cluster = Cluster {
        cib: Err(String::new()),
        status: Ok(Status::default()),
        site: Site::default(),
    };
    let mut nodes = [node("db-1", false), node("db-2", true)];
    if let Ok(facts) = &mut nodes[1].facts {
        facts.database.mount = mount;
        facts.database.on = on;
    }
    let scene = Scene {
        context: &context,
        cluster: &cluster,
        nodes: &nodes,
        cib: &Element::new("cib"),
    };
    let (name, facts) = scene.server().unwrap();
    let answer = scene.store_is_mounted(name, facts);
    answer.err().map(|error| error.to_string())
}

/// The new agent would not start the server there again.
#[test]
fn a_store_that_is_a_directory_of_the_mount() {
    let holding = Holding {
        point: "/srv/db".to_owned(),
        source: "/dev/drbd7".to_owned(),
    };
    for on in [Some(holding.clone()), None] {
        let said = said_of_a_store(None, on).unwrap();
        assert!(
            said.starts_with("nothing is mounted at /srv/db/store on db-2"),
            "{said}"
        );
    }
    assert_eq!(said_of_a_store(Some(Mounted::default()), None), None);
}
