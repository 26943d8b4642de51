//! What operators write, and what nodes leave for each other.

use crate::variables;
use ::site::language::Language;
use ::site::settings::Settings;
use agent::ResourceAgent;
use ocf::Env;
use std::net::{IpAddr, Ipv4Addr};

/// `ha.toml`.
pub(crate) fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let chinese = Settings::parse(&text, "ha.toml", Language::Chinese).is_ok();
    let english = Settings::parse(&text, "ha.toml", Language::English).is_ok();
    assert_eq!(chinese, english, "a language decides nothing");
}

/// What Pacemaker gives to an agent, strictly and leniently.
pub(crate) fn ocf_environment(bytes: &[u8]) {
    fn read<A: ResourceAgent>(env: &Env) {
        let strict = A::configure(env, false).is_ok();
        let lenient = A::configure(env, true).is_ok();
        assert!(lenient || !strict, "who is strict refuses no less");
    }
    let env = variables(bytes);
    let _ = (
        env.timeout(),
        env.interval(),
        env.feature_set(),
        env.check_level(),
        env.dialect(),
    );
    read::<drbd_promotable_agent::DrbdPromotable>(&env);
    read::<filesystem_agent::FileSystem>(&env);
    read::<kaiwudb_agent::Kaiwudb>(&env);
    read::<virtual_ip_agent::VirtualIp>(&env);
    read::<cert_sync_agent::CertSync>(&env);
}

/// The list of connections that a node leaves.
pub(crate) fn connection_list(bytes: &[u8]) {
    let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100));
    let _ = virtual_ip_agent::connections_left_in(&String::from_utf8_lossy(bytes), ip);
}
