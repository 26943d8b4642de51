//! `validate-all` at level 10: whether the parameters can work on this host.

use crate::config::Config;
use agent::Context;
use certs::seal::AuthKey;
use host::log;
use ocf::Failure;

pub(crate) fn validate(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    config.refuse_link()?;
    if host::user::find(&config.user, cx.deadline).is_none() {
        return Err(Failure::not_installed(format!(
            "user {} does not exist on this node; create it as the installer does, or set user",
            config.user
        )));
    }
    let mut troubles = Vec::new();
    for path in config.authkeys() {
        match AuthKey::read(&path) {
            Ok(Some(_)) => {
                tell_leftovers(config);
                return Ok(());
            }
            Ok(None) => troubles.push(format!("{} does not exist", path.display())),
            Err(error) => troubles.push(format!("{}: {error}", path.display())),
        }
    }
    Err(Failure::not_installed(format!(
        "there is no secret to seal the certificates with ({}); make one with corosync-keygen and copy it to both nodes",
        troubles.join(", ")
    )))
}

/// The installer leaves the authority's key and an archive of all keys in the directory.
fn tell_leftovers(config: &Config) {
    let found = certs::directory::read(&config.certs_dir, config.include_ca_key);
    if let Ok(Some(found)) = found
        && !found.leftovers.is_empty()
    {
        log::warning(format!(
            "{} has {}, which the server does not need and which an intruder on this node must not find: move it \
             to a safe place",
            config.certs_dir.display(),
            found.leftovers.join(", ")
        ));
    }
}
