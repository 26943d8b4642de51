//! DRBD's configuration as `drbdadm -v dump-xml` prints it: what `common` and templates say stands in each resource, where it counts.
//! It holds the shared secret: never log the text.

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
    #[serde(rename = "$text", default)]
    address: String,
}

#[derive(Clone, Debug, Deserialize)]
struct VolumeConfig {
    #[serde(rename = "@vnr")]
    number: u32,
    device: Option<DeviceConfig>,
    /// None for a node without a disk of its own.
    #[serde(default)]
    disk: Option<String>,
    #[serde(rename = "section", default)]
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Deserialize)]
struct DeviceConfig {
    #[serde(rename = "@minor")]
    minor: Option<u32>,
    #[serde(rename = "$text")]
    path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct ConnectionConfig {
    #[serde(rename = "section", default)]
    sections: Vec<Section>,
    /// With more than two nodes each connection has addresses of its own.
    #[serde(rename = "host", default)]
    hosts: Vec<Host>,
    #[serde(rename = "path", default)]
    paths: Vec<PathConfig>,
}

/// One of the ways between two hosts.
#[derive(Clone, Debug, Deserialize)]
struct PathConfig {
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
        // drbdadm up to 9.34 opens this element and never closes it.
        let xml: String = xml
            .lines()
            .filter(|line| !line.trim_start().starts_with("<template "))
            .collect();
        quick_xml::de::from_str(&xml).map_err(|error| format!("drbdadm dump-xml: {error}"))
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

    /// Every name under `/dev` that one of its volumes has on some host, without repetition.
    pub fn devices(&self) -> Vec<String> {
        let mut names = Vec::new();
        for volume in self.hosts.iter().flat_map(|host| &host.volumes) {
            let device = volume.device.as_ref();
            names.extend(
                device
                    .and_then(|device| device.path.as_deref())
                    .map(|path| path.trim().to_owned()),
            );
            names.extend(
                device
                    .and_then(|device| device.minor)
                    .map(|minor| format!("/dev/drbd{minor}")),
            );
            names.push(format!("/dev/drbd/by-res/{}/{}", self.name, volume.number));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Hosts, as far as they have names, and their backing disks, as written.
    pub fn disks(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.hosts.iter().flat_map(|host| {
            let disks = host.volumes.iter().filter_map(VolumeConfig::backing);
            disks.map(|disk| (host.name.as_deref(), disk))
        })
    }

    /// Backing disks of one host, as written.
    pub fn disks_of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a str> {
        self.disks()
            .filter(move |(name, _)| *name == Some(host))
            .map(|(_, disk)| disk)
    }

    /// Names of hosts and the addresses that they replicate over.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_connections = self.connections.iter().flat_map(|connection| {
            let paths = connection.paths.iter().flat_map(|path| &path.hosts);
            connection.hosts.iter().chain(paths)
        });
        self.hosts
            .iter()
            .chain(of_connections)
            .filter_map(|host| Some((host.name.as_deref()?, &host.addresses)))
            .flat_map(|(name, addresses)| {
                addresses
                    .iter()
                    .map(move |address| (name, address.address.trim()))
            })
            // What drbdadm prints for a host whose addresses stand in the connections.
            .filter(|(_, address)| !matches!(*address, "" | "(null)"))
    }

    /// An option, for example `("net", "protocol")`. What a connection or a volume says for itself counts before what is said of the whole
    /// resource. An option that is only named is `yes`.
    pub fn option(&self, section: &str, option: &str) -> Option<&str> {
        let of_connections = self.connections.iter().map(|connection| &connection.sections);
        let volumes = self.hosts.iter().flat_map(|host| &host.volumes);
        let general = value(&self.sections, section, option);
        of_connections
            .chain(volumes.map(|volume| &volume.sections))
            .filter_map(|sections| value(sections, section, option))
            .find(|special| Some(*special) != general)
            .or(general)
    }

    /// Whether both nodes may be Primary at once.
    pub fn allows_two_primaries(&self) -> bool {
        self.option("net", "allow-two-primaries") == Some("yes")
    }
}

impl VolumeConfig {
    fn backing(&self) -> Option<&str> {
        self.disk.as_deref().filter(|disk| *disk != "none")
    }
}

fn value<'a>(sections: &'a [Section], section: &str, option: &str) -> Option<&'a str> {
    sections
        .iter()
        .filter(|known| known.name == section)
        .flat_map(|known| &known.options)
        .find(|known| known.name == option)
        .map(|known| known.value.as_deref().unwrap_or("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KWDB: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-kwdb.xml");
    const GUIDE: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-guide.xml");
    const GUIDE_84: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-guide-84.xml");
    /// With `common`, as `drbdadm -v` prints it; and the same of 8.4's.
    const COMMON: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-common.xml");
    const COMMON_84: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-common-84.xml");
    const TEMPLATE: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-template.xml");
    const PATHS: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-paths.xml");
    const DUAL: &str = include_str!("../../../tests/fixtures/drbd-utils-9.22/dump-xml-dual.xml");

    #[test]
    fn what_common_says_counts_unless_the_resource_says_otherwise() {
        for xml in [COMMON, COMMON_84] {
            let config = Config::parse(xml).unwrap();
            let resource = config.resource("kwdb").unwrap();
            assert!(resource.allows_two_primaries());
            for (section, option, value) in [
                ("net", "protocol", "B"),
                ("net", "after-sb-1pri", "discard-secondary"),
                ("net", "cram-hmac-alg", "sha1"),
                ("disk", "disk-flushes", "no"),
                ("disk", "on-io-error", "pass_on"),
                ("handlers", "fence-peer", "/usr/lib/drbd/crm-fence-peer.9.sh"),
            ] {
                assert_eq!(
                    resource.option(section, option),
                    Some(value),
                    "{section}/{option}"
                );
            }
            assert_eq!(resource.disks_of("kwdb1").collect::<Vec<_>>(), ["/dev/sda3"]);
            assert_eq!(resource.disks_of("kwdb2").collect::<Vec<_>>(), ["/dev/vg1/kwdb"]);
        }
    }

    /// A template takes the place of `common`.
    #[test]
    fn a_template_is_read() {
        let config = Config::parse(TEMPLATE).unwrap();
        let resource = config.resource("kwdb").unwrap();
        assert!(resource.allows_two_primaries());
        assert_eq!(resource.option("disk", "md-flushes"), Some("no"));
        assert_eq!(resource.option("net", "protocol"), None);
    }

    #[test]
    fn paths_and_hosts_without_a_disk() {
        let config = Config::parse(PATHS).unwrap();
        let resource = config.resource("a").unwrap();
        let addresses: Vec<_> = resource.addresses().filter(|(host, _)| *host == "b").collect();
        assert_eq!(
            addresses,
            [("b", "10.0.0.2"), ("b", "10.1.0.2"), ("b", "10.0.0.2")]
        );
        assert_eq!(resource.disks_of("c").count(), 0);
        assert_eq!(
            resource.disks().collect::<Vec<_>>(),
            [(Some("vm"), "/dev/sda"), (Some("b"), "/dev/sda")]
        );
        // Of one connection only.
        assert_eq!(resource.option("net", "fencing"), Some("resource-only"));
    }

    #[test]
    fn a_connection_and_a_volume_speak_for_themselves() {
        let xml = COMMON
            .replacen(
                r#"name="disk-flushes" value="no""#,
                r#"name="disk-flushes" value="yes""#,
                1,
            )
            .replacen(r#"name="protocol" value="B""#, r#"name="protocol" value="C""#, 1);
        let config = Config::parse(&xml).unwrap();
        let resource = config.resource("kwdb").unwrap();
        assert_eq!(resource.option("net", "protocol"), Some("C"));
        let volume = COMMON.replacen(
            r#"vnr="0">"#,
            r#"vnr="0"><section name="disk"><option name="md-flushes" value="no"/></section>"#,
            1,
        );
        let config = Config::parse(&volume).unwrap();
        assert_eq!(
            config.resource("kwdb").unwrap().option("disk", "md-flushes"),
            Some("no")
        );
    }

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
