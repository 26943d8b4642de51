//! The resources of a KWDB cluster, one function each. Ids are the KWDB guide's unless the cluster has others already.

use super::operations;
use pacemaker::model::{Operation, Pairs, Primitive};
use site::roles;

/// Ids of the resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) address: String,
    pub(crate) data: String,
    pub(crate) data_clone: String,
    pub(crate) file_system: String,
    pub(crate) certificates: String,
    pub(crate) database: String,
    pub(crate) group: String,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            address: "ClusterIP".to_owned(),
            data: "KaiwuData".to_owned(),
            data_clone: "KaiwuData-clone".to_owned(),
            file_system: "KaiwuFS".to_owned(),
            certificates: "KaiwuCerts".to_owned(),
            database: "KaiwuDB".to_owned(),
            group: "KaiwuDBGrp".to_owned(),
        }
    }
}

/// The database: `ocf:kaiwudb:kaiwudb` with the operations that it advises. Without parameters it takes everything from the
/// installation on the node that it runs on; `parameters` are those of the settings.
///
/// `migrate` puts it in the place of `systemd:kaiwudb.service` under the same id: [`Primitive::element`] gives the XML.
pub(crate) fn database(id: &str, parameters: &[(String, String)]) -> Primitive {
    Primitive {
        id: id.to_owned(),
        agent: roles::DATABASE.to_owned(),
        parameters: parameters.to_vec(),
        meta: Pairs::new(),
        operations: operations::operations(roles::DATABASE),
    }
}

/// One instance of DRBD: `ocf:kaiwudb:drbd-promotable` with the operations that it advises. `migrate` puts it in the place of
/// `ocf:linbit:drbd` under the same id.
pub(crate) fn drbd(id: &str, resource: &str) -> Primitive {
    Primitive {
        id: id.to_owned(),
        agent: roles::DRBD.to_owned(),
        parameters: named(&[("drbd_resource", resource)]),
        meta: Pairs::new(),
        operations: operations::operations(roles::DRBD),
    }
}

/// Meta attributes of the clone of [`drbd`].
pub(crate) fn drbd_clone() -> Pairs {
    named(&[
        ("promotable", "true"),
        ("promoted-max", "1"),
        ("promoted-node-max", "1"),
        ("clone-max", "2"),
        ("clone-node-max", "1"),
    ])
}

/// The certificates: `ocf:kaiwudb:cert-sync`, watched on the node that does not serve, too.
pub(crate) fn certificates(id: &str, parameters: &[(String, String)]) -> Primitive {
    let mut operations = operations::operations(roles::CERTIFICATES);
    operations.push(Operation {
        name: "monitor".to_owned(),
        interval: "600s".to_owned(),
        timeout: "20s".to_owned(),
        role: Some(ocf::NamedRole::Stopped),
        depth: 0,
    });
    Primitive {
        id: id.to_owned(),
        agent: roles::CERTIFICATES.to_owned(),
        parameters: parameters.to_vec(),
        meta: Pairs::new(),
        operations,
    }
}

/// The file system: `ocf:kaiwudb:filesystem`.
pub(crate) fn file_system(id: &str, parameters: Pairs) -> Primitive {
    Primitive {
        id: id.to_owned(),
        agent: roles::FILE_SYSTEM.to_owned(),
        parameters,
        meta: Pairs::new(),
        operations: operations::operations(roles::FILE_SYSTEM),
    }
}

/// The virtual IP: `ocf:kaiwudb:virtual-ip`.
pub(crate) fn address(id: &str, parameters: Pairs) -> Primitive {
    Primitive {
        id: id.to_owned(),
        agent: roles::ADDRESS.to_owned(),
        parameters,
        meta: Pairs::new(),
        operations: operations::operations(roles::ADDRESS),
    }
}

/// The virtual IP of an agent that is in its place already. The operations are those that `IPaddr2`'s meta-data advise.
pub(crate) fn shell_address(id: &str, agent: String, parameters: Pairs) -> Primitive {
    Primitive {
        agent,
        operations: vec![once("start", "20s"), once("stop", "20s"), monitor("10s", "20s")],
        ..address(id, parameters)
    }
}

/// A fencing device; `agent` without class.
pub(crate) fn fencing(id: &str, agent: &str, parameters: Pairs) -> Primitive {
    Primitive {
        id: id.to_owned(),
        agent: format!("stonith:{agent}"),
        parameters,
        meta: Pairs::new(),
        operations: vec![monitor("60s", "60s")],
    }
}

fn once(name: &str, timeout: &str) -> Operation {
    Operation {
        name: name.to_owned(),
        interval: "0s".to_owned(),
        timeout: timeout.to_owned(),
        ..Operation::default()
    }
}

fn monitor(interval: &str, timeout: &str) -> Operation {
    Operation {
        interval: interval.to_owned(),
        ..once("monitor", timeout)
    }
}

/// Names and values.
pub(crate) fn named(values: &[(&str, &str)]) -> Pairs {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
