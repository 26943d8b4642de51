//! `monitor`: brings both sides together again and reports what needs attention. Certificates never make it fail.

use crate::config::Config;
use crate::finding::Finding;
use crate::reconcile;
use crate::run_directory::{RunDirectory, State};
use crate::start::LOCK_TIMEOUT;
use crate::{attributes, server};
use agent::Context;
use certs::Moment;
use host::{Deadline, log};
use ocf::{CheckLevel, Failure, Role};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::time::Duration;

/// Pacemaker runs the first monitors right after the start, and on a small or busy machine before it starts the database:
/// nothing that can wait is done then.
const SETTLING_SECONDS: i64 = 5;
/// Loading certificates takes the server milliseconds.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(1);
/// A handshake on the loopback interface takes milliseconds.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);

/// `publish` is false where this looks again after a start or a stop: nothing may delay a failover.
pub(crate) fn monitor(config: &Config, publish: bool, cx: &Context<'_>) -> Result<ocf::State, Failure> {
    let run = RunDirectory::of(&config.instance);
    let state = run.state().map_err(|error| {
        Failure::generic(format!("cannot read the state of {}: {error}", config.instance))
    })?;
    let Some(mut state) = state else {
        // The standby: the volume is not here, but what this node has is worth knowing before a failover.
        if publish {
            attributes::publish(config, &run, &reconcile::inspect(config), cx.deadline);
        }
        return Ok(ocf::State::Stopped);
    };
    let _lock = match run.lock(cx.deadline.slice(LOCK_TIMEOUT)) {
        Ok(lock) => lock,
        Err(error) => return Ok(ocf::State::Degraded(Role::Unpromoted, error)),
    };
    let before = state.clone();
    let mut found = reconcile::reconcile(config, Moment::Running, &mut state, cx.deadline);
    tell_server(config, &mut state, &mut found);
    let is_settled = !(0..SETTLING_SECONDS).contains(&(host::now_seconds() - state.started));
    if is_settled && cx.env.check_level() >= CheckLevel::Service {
        let server = ask_server(config, &mut state, &found, cx.deadline);
        let authkeys = compare_authkeys(config, &found, cx.deadline);
        state.deeper = server.into_iter().chain(authkeys).collect();
    }
    found.concerns.extend(state.deeper.iter().cloned());
    let concerns = found.concerns.join("; ");
    if state.told != concerns {
        // Pacemaker tells a degraded state only when it begins, not when its reason changes.
        if concerns.is_empty() {
            log::info("nothing needs attention any longer");
        } else {
            log::warning(&concerns);
        }
        state.told.clone_from(&concerns);
    }
    if state != before
        && let Err(error) = run.set_state(&state)
    {
        found
            .concerns
            .push(format!("cannot keep the state of {}: {error}", config.instance));
    }
    if publish && is_settled {
        attributes::publish(config, &run, &found, cx.deadline);
    }
    if found.concerns.is_empty() {
        Ok(ocf::State::Running(Role::Unpromoted))
    } else {
        Ok(ocf::State::Degraded(Role::Unpromoted, found.concerns.join("; ")))
    }
}

/// Lets the server load a set that became the cluster's since its last SIGHUP.
fn tell_server(config: &Config, state: &mut State, found: &mut Finding) {
    if !found.is_sound || state.served == found.digest {
        return;
    }
    let servers = server::running(config);
    match server::tell(&servers) {
        Ok(true) => {
            state.served = found.digest;
            if !servers.is_empty() {
                log::info("SIGHUP sent to the server: it loads the new certificates");
            }
        }
        Ok(false) => {}
        Err(error) => found.concerns.push(error),
    }
}

/// What to tell when the server does not show what is in its directory: it keeps the old certificates when it rejects
/// the new ones.
fn ask_server(config: &Config, state: &mut State, found: &Finding, deadline: Deadline) -> Option<String> {
    let pem = found.server_certificate.as_deref()?;
    let expected = CertificateDer::from_pem_slice(pem).ok()?;
    let was_told = found.is_sound && state.served == found.digest;
    if !was_told {
        return None;
    }
    let ask = || kwdb::tls::shown_certificate(config.http_port, deadline.slice(HANDSHAKE_TIMEOUT));
    let mut shown = ask();
    let is_another =
        |shown: &Result<CertificateDer<'_>, _>| shown.as_ref().is_ok_and(|shown| *shown != expected);
    // The search for the server goes through all processes: only where the port shows something else, which may not be the server's.
    if is_another(&shown) && server::running(config).is_empty() {
        return None;
    }
    // It may have got SIGHUP a moment ago.
    let reloading = deadline.slice(RELOAD_TIMEOUT);
    while is_another(&shown) && reloading.pause(Duration::from_millis(50)) {
        shown = ask();
    }
    match shown {
        Ok(shown) if shown == expected => None,
        Ok(_) => {
            // Tell it again at the next monitor: perhaps it read in the middle of an installation.
            state.served = None;
            Some(format!(
                "the certificate served on port {} is not the one in {}: SIGHUP is sent again; if this persists, \
                 look for \"could not reload certificates\" in its log",
                config.http_port,
                config.certs_dir.display()
            ))
        }
        // Whether the server answers at all is the database resource's business.
        Err(error) => {
            log::debug(format!("cannot see which certificate the server shows: {error}"));
            None
        }
    }
}

/// What to tell when the other node could not open the bundle: found before a failover, not after.
fn compare_authkeys(config: &Config, found: &Finding, deadline: Deadline) -> Option<String> {
    if config.node.is_none() || found.authkeys.is_empty() {
        return None;
    }
    match attributes::nodes_without_our_authkey(config, found, deadline) {
        Ok(nodes) if nodes.is_empty() => None,
        Ok(nodes) => {
            let keys: Vec<String> = config
                .authkeys()
                .iter()
                .map(|key| key.display().to_string())
                .collect();
            Some(format!(
                "{} could not open the certificates after a failover, because its authkey is another one: make {} the same on \
                 every node",
                nodes.join(", "),
                keys.join(" or ")
            ))
        }
        Err(error) => {
            log::debug(format!("the authkeys of the nodes are not compared: {error}"));
            None
        }
    }
}
