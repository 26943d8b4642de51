//! What makes two machines a cluster: corosync's configuration.

use crate::network::Network;
use std::fmt::Write;
use std::time::Duration;

/// `corosync.conf` for two nodes of these names, on the cluster network.
pub(crate) fn configuration(cluster_names: &[String; 2], token: Duration) -> String {
    // "consensus" must be at least 1.2 × token; the pauses before a join and between two merges only cost time here.
    let token = token.as_millis();
    let consensus = token * 12 / 10;
    let mut text = format!(
        "totem {{
    version: 2
    cluster_name: lab
    transport: knet
    crypto_cipher: none
    crypto_hash: none
    token: {token}
    consensus: {consensus}
    join: 50
    merge: 200
}}
quorum {{
    provider: corosync_votequorum
    two_node: 1
    wait_for_all: 1
}}
logging {{
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    to_syslog: yes
    timestamp: hires
}}
nodelist {{
"
    );
    for (number, name) in (1..).zip(cluster_names) {
        let address = Network::Cluster.address(10 + number);
        let _ = write!(
            text,
            "    node {{\n        name: {name}\n        nodeid: {number}\n        ring0_addr: {address}\n    }}\n"
        );
    }
    text + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_times() {
        let names = ["left".to_owned(), "right".to_owned()];
        let text = configuration(&names, Duration::from_millis(1500));
        assert!(text.contains("token: 1500\n    consensus: 1800\n"), "{text}");
        assert!(
            text.contains("name: right\n        nodeid: 2\n        ring0_addr: 10.77.0.12\n"),
            "{text}"
        );
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
