//! DRBD's configuration as `drbdadm dump-xml` prints it. It holds the shared secret: never log the text.

use serde::Deserialize;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    #[serde(rename = "resource", default)]
    resources: Vec<ResourceConfig>,
}

/// One resource.
#[derive(Clone, Debug, Deserialize)]
pub struct ResourceConfig {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "host", default)]
    hosts: Vec<Host>,
    #[serde(rename = "section", default)]
    sections: Vec<Section>,
    #[serde(rename = "connection", default)]
    connections: Vec<ConnectionConfig>,
}

#[derive(Clone, Debug, Deserialize)]
struct Host {
    /// None for a host that is found by its address.
    #[serde(rename = "@name")]
    name: Option<String>,
    #[serde(rename = "address", default)]
    addresses: Vec<Address>,
    #[serde(rename = "volume", default)]
    volumes: Vec<VolumeConfig>,
}

/// Where a host is reached.
#[derive(Clone, Debug, Deserialize)]
struct Address {
    #[serde(rename = "$text")]
    address: String,
}

#[derive(Clone, Debug, Deserialize)]
struct VolumeConfig {
    #[serde(rename = "@vnr")]
    number: u32,
    /// None for a node without a disk of its own.
    #[serde(default)]
    disk: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct ConnectionConfig {
    #[serde(rename = "section", default)]
    sections: Vec<Section>,
    /// With more than two nodes each connection has addresses of its own.
    #[serde(rename = "host", default)]
    hosts: Vec<Host>,
}

#[derive(Clone, Debug, Deserialize)]
struct Section {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "option", default)]
    options: Vec<Setting>,
}

#[derive(Clone, Debug, Deserialize)]
struct Setting {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@value")]
    value: Option<String>,
}

impl Config {
    /// Reads the XML of drbd-utils 8.4 and 9.
    pub fn parse(xml: &str) -> Result<Self, String> {
        quick_xml::de::from_str(xml).map_err(|error| format!("drbdadm dump-xml: {error}"))
    }

    /// The resource of that name.
    pub fn resource(&self, name: &str) -> Option<&ResourceConfig> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    /// Names of all resources.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|resource| resource.name.as_str())
    }
}

impl ResourceConfig {
    /// Names of the hosts that it is configured for, as in the `on` sections; floating hosts have none.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().filter_map(|host| host.name.as_deref())
    }

    /// Numbers of its volumes.
    pub fn volumes(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self
            .hosts
            .iter()
            .flat_map(|host| host.volumes.iter().map(|volume| volume.number))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Backing disks of all hosts, as written.
    pub fn disks(&self) -> impl Iterator<Item = &str> {
        self.hosts
            .iter()
            .flat_map(|host| &host.volumes)
            .filter_map(|volume| volume.disk.as_deref())
    }

    /// Backing disks of one host, as written.
    pub fn disks_of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a str> {
        self.hosts
            .iter()
            .filter(move |one| one.name.as_deref() == Some(host))
            .flat_map(|one| &one.volumes)
            .filter_map(|volume| volume.disk.as_deref())
    }

    /// Names of hosts and the addresses that they replicate over.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        self.hosts
            .iter()
            .chain(self.connections.iter().flat_map(|connection| &connection.hosts))
            .filter_map(|host| Some((host.name.as_deref()?, &host.addresses)))
            .flat_map(|(name, addresses)| {
                addresses
                    .iter()
                    .map(move |address| (name, address.address.trim()))
            })
    }

    /// An option, for example `("net", "protocol")`; of a connection where the resource itself does not have it. An option that
    /// is only named is `yes`.
    pub fn option(&self, section: &str, option: &str) -> Option<&str> {
        self.sections
            .iter()
            .chain(
                self.connections
                    .iter()
                    .flat_map(|connection| &connection.sections),
            )
            .filter(|known| known.name == section)
            .flat_map(|known| &known.options)
            .find(|known| known.name == option)
            .map(|known| known.value.as_deref().unwrap_or("yes"))
    }

    /// Whether both nodes may be Primary at once.
    pub fn allows_two_primaries(&self) -> bool {
        self.option("net", "allow-two-primaries") == Some("yes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KWDB: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-kwdb.xml");
    const GUIDE: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-guide.xml");
    const GUIDE_84: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-guide-84.xml");
    const DUAL: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-dual.xml");

    #[test]
    fn two_volumes() {
        let config = Config::parse(KWDB).unwrap();
        assert_eq!(config.names().collect::<Vec<_>>(), ["kwdb"]);
        let resource = config.resource("kwdb").unwrap();
        assert_eq!(
            resource.hosts().collect::<Vec<_>>(),
            ["db-a.example", "db-b.example"]
        );
        assert_eq!(resource.volumes(), [0, 1]);
        assert_eq!(resource.option("net", "protocol"), Some("C"));
        assert_eq!(resource.option("options", "auto-promote"), Some("no"));
        assert!(!resource.allows_two_primaries());
        assert!(config.resource("other").is_none());
    }

    #[test]
    fn both_tools_say_the_same() {
        for xml in [GUIDE, GUIDE_84] {
            let config = Config::parse(xml).unwrap();
            let resource = config.resource("drbd3").unwrap();
            assert_eq!(resource.hosts().collect::<Vec<_>>(), ["kwdb1", "kwdb2"]);
            assert_eq!(resource.option("net", "allow-two-primaries"), Some("no"));
            assert!(
                resource
                    .addresses()
                    .any(|one| one == ("kwdb2", "192.168.122.222"))
            );
            assert!(!resource.allows_two_primaries());
        }
        assert!(
            Config::parse(DUAL)
                .unwrap()
                .resource("dual")
                .unwrap()
                .allows_two_primaries()
        );
    }

    #[test]
    fn an_option_without_a_value_is_yes() {
        let xml = DUAL.replace(r#" value="yes""#, "");
        assert!(
            Config::parse(&xml)
                .unwrap()
                .resource("dual")
                .unwrap()
                .allows_two_primaries()
        );
    }

    #[test]
    fn floating_hosts_have_no_name() {
        let xml =
            r#"<config><resource name="f"><host floating="1"><volume vnr="0"/></host></resource></config>"#;
        let config = Config::parse(xml).unwrap();
        assert_eq!(config.resource("f").unwrap().hosts().count(), 0);
    }

    proptest! {
        #[test]
        fn no_cut_panics(at in 0usize..3000) {
            let end = at.min(KWDB.len());
            let _ = Config::parse(&KWDB[..end]);
        }
    }
}
