//! The parameters as they belong together.

use crate::parameters::{self as p, Broadcast};
use agent::RunDirectory;
use network::Subnet;
use ocf::{Env, Failure, Parameters};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The interface that a start has chosen.
const NOTE: &str = "place.json";

/// What is given.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where the calls leave things for each other.
    pub(crate) run: RunDirectory,
    /// None only for an action that must not fail for the configuration (stop, probe): nothing is there then.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) prefix: Option<u8>,
    pub(crate) nic: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) broadcast: Broadcast,
    pub(crate) announcements: u64,
    pub(crate) announcement_interval: Duration,
    pub(crate) refresh: u64,
    pub(crate) nodad: bool,
    pub(crate) no_prefix_route: bool,
    pub(crate) preferred: Option<u32>,
    pub(crate) link_matters: bool,
    pub(crate) tickle_dir: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    link: String,
}

impl Config {
    /// Reads the parameters. See [`agent::ResourceAgent::configure`] for `lenient`.
    pub(crate) fn read(env: &Env, lenient: bool) -> Result<Self, Failure> {
        let given = Parameters::new(env, &p::METADATA, lenient);
        let ip = given.required(&p::IP)?;
        let nic = given.given(&p::NIC)?;
        let label = given.given(&p::IFLABEL)?.map(|label| label.0);
        let config = Self {
            run: RunDirectory::of(env.instance()),
            ip: ip.map(|ip| ip.0),
            prefix: given.given(&p::CIDR_NETMASK)?.map(|prefix| prefix.0),
            label: label.or_else(|| nic.as_ref()?.label.clone()),
            nic: nic.map(|nic| nic.name),
            broadcast: given.given(&p::BROADCAST)?.unwrap_or(Broadcast::Last),
            announcements: given.get(&p::ARP_COUNT)?,
            announcement_interval: Duration::from_millis(given.get(&p::ARP_INTERVAL)?),
            refresh: given.get(&p::ARP_COUNT_REFRESH)?,
            nodad: given.get(&p::NODAD)?,
            no_prefix_route: given.get(&p::NOPREFIXROUTE)?,
            preferred: given.get(&p::PREFERRED_LFT)?.0,
            link_matters: given.get(&p::CHECK_LINK_STATUS)?,
            tickle_dir: given.given(&p::TICKLE_DIR)?.map(PathBuf::from),
        };
        if !lenient {
            config.fits_together()?;
        }
        Ok(config)
    }

    fn fits_together(&self) -> Result<(), Failure> {
        let Some(ip) = self.ip else { return Ok(()) };
        if let Some(prefix) = self.prefix
            && prefix > Subnet::longest(ip)
        {
            return Err(Failure::not_configured(format!(
                "parameter cidr_netmask=\"{prefix}\": too long for {ip}; allowed: 1 to {}",
                Subnet::longest(ip)
            )));
        }
        if is_link_local(ip) && self.nic.is_none() {
            return Err(Failure::not_configured(format!(
                "parameter nic is missing: {ip} is a link-local address, which every interface may have; allowed: the name of an interface"
            )));
        }
        Ok(())
    }

    /// The interface that the last start has chosen; `None` after a stop.
    pub(crate) fn chosen(&self) -> Option<String> {
        self.run.read::<Note>(NOTE).map(|note| note.link)
    }

    /// Notes the choice. Without it the choice is made anew, no more.
    pub(crate) fn note(&self, link: &str) {
        let written = self.run.write(
            NOTE,
            &Note {
                link: link.to_owned(),
            },
        );
        if let Err(error) = written {
            host::log::warning(format!("cannot note the interface: {error}"));
        }
    }

    pub(crate) fn forget(&self) {
        self.run.forget(NOTE);
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocf::FailureKind;

    fn read(pairs: &[(&str, &str)], lenient: bool) -> Result<Config, Failure> {
        let env: Env = pairs
            .iter()
            .map(|(name, value)| (format!("OCF_RESKEY_{name}"), *value))
            .collect();
        Config::read(&env, lenient)
    }

    #[test]
    fn what_does_not_fit_is_told_and_hinders_no_stop() {
        let wrong: [&[(&str, &str)]; 4] = [
            &[],
            &[("ip", "not_ip_address")],
            &[("ip", "10.0.0.1"), ("cidr_netmask", "64")],
            &[("ip", "fe80::2")],
        ];
        for pairs in wrong {
            let error = read(pairs, false).unwrap_err();
            assert_eq!(error.kind, FailureKind::NotConfigured, "{error}");
            read(pairs, true).unwrap();
        }
        assert_eq!(
            read(&[("ip", "fe80::2"), ("nic", "eth0:a")], false)
                .unwrap()
                .label
                .as_deref(),
            Some("a")
        );
    }
}
