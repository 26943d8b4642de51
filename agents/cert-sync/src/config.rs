//! Parameters and installation put together.

use crate::parameters as p;
use crate::real_path;
use certs::{Expectations, Method};
use host::untrusted::Writers;
use host::user::User;
use host::{Deadline, bounded, mount};
use kwdb::environment;
use kwdb::installation::{Deployment, ENVIRONMENT_FILE, MODE_FILE, Mode};
use ocf::{Env, Failure, Parameters};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEFAULT_BINARY: &str = "/usr/local/kaiwudb/bin/kwbase";

/// Links are read within microseconds.
const LAYOUT_TIMEOUT: Duration = Duration::from_secs(2);

/// Everything an action needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Id of the resource in the cluster.
    pub(crate) instance: String,
    /// Name of this node in the cluster, where Pacemaker says it.
    pub(crate) node: Option<String>,
    /// Without symbolic links.
    pub(crate) certs_dir: PathBuf,
    /// Why the path of the directory cannot be followed to its end.
    pub(crate) wrong_link: Option<String>,
    pub(crate) data_root: PathBuf,
    pub(crate) bundle_dir: PathBuf,
    pub(crate) user: String,
    /// Who has a say in which account it is: nobody but root, unless MODE names it.
    named_by: Writers,
    authkey: Option<PathBuf>,
    pub(crate) include_ca_key: bool,
    required_names: Vec<String>,
    pub(crate) cert_warn_days: u64,
    pub(crate) require_mount: bool,
    /// How certificates are installed.
    pub(crate) method: Method,
    pub(crate) binary: PathBuf,
    pub(crate) http_port: u16,
    node_user: String,
}

impl Config {
    /// This node's name, for people: the cluster's name for it, else the host's.
    pub(crate) fn node_name(&self) -> String {
        self.node.clone().unwrap_or_else(host::host_name)
    }

    /// Reads parameters, MODE and environment file. See [`agent::ResourceAgent::configure`] for `lenient`.
    pub(crate) fn read(env: &Env, lenient: bool) -> Result<Self, Failure> {
        let given = Parameters::new(env, &p::METADATA, lenient);
        let unreadable =
            |path: &str, error: std::io::Error| Failure::generic(format!("cannot read {path}: {error}"));
        let mode = match Mode::read() {
            Err(error) if !lenient => return Err(unreadable(MODE_FILE, error)),
            mode => mode.unwrap_or_default(),
        };
        let variables = match environment::read(Path::new(ENVIRONMENT_FILE)) {
            Err(error) if !lenient => return Err(unreadable(ENVIRONMENT_FILE, error)),
            variables => variables.ok().flatten().unwrap_or_default(),
        };
        let data_root: PathBuf = match given.given(&p::DATA_ROOT)? {
            Some(path) => path.into(),
            None => mode.data_root.unwrap_or(given.get(&p::DATA_ROOT)?.into()),
        };
        let certs_dir: PathBuf = given.get(&p::CERTS_DIR)?.into();
        let (certs_dir, wrong_link) = match real_path::of(&certs_dir) {
            Ok(real) => (real, None),
            Err(why) => (certs_dir, Some(why)),
        };
        let bundle_dir = given
            .given(&p::BUNDLE_DIR)?
            .map_or_else(|| data_root.join(".kaiwudb-ha"), PathBuf::from);
        let layout = (!lenient).then(|| Layout::of(&certs_dir, &bundle_dir, &data_root));
        if layout.is_some_and(|layout| layout.certs_are_replicated) {
            return Err(Failure::not_configured(format!(
                "parameter certs_dir=\"{}\": lies on the replicated file system {}, where it needs no cert-sync; allowed: a \
                 directory on the node's own disk",
                certs_dir.display(),
                data_root.display()
            )));
        }
        if layout.is_some_and(|layout| !layout.bundle_is_replicated) {
            return Err(Failure::not_configured(format!(
                "parameter bundle_dir=\"{}\": not below data_root {}; allowed: a directory below it, because only that is \
                 replicated",
                bundle_dir.display(),
                data_root.display()
            )));
        }
        Ok(Self {
            instance: env.instance().to_owned(),
            node: env.on_node().map(str::to_owned),
            certs_dir,
            wrong_link,
            data_root,
            bundle_dir,
            named_by: match (given.given(&p::USER)?, &mode.user) {
                (None, Some(_)) => mode.writers,
                _ => Writers::Root,
            },
            user: match given.given(&p::USER)?.or(mode.user) {
                Some(user) => user,
                None => given.get(&p::USER)?,
            },
            authkey: given.given(&p::AUTHKEY)?.map(PathBuf::from),
            include_ca_key: given.get(&p::INCLUDE_CA_KEY)?,
            required_names: given.given(&p::REQUIRED_NAMES)?.unwrap_or_default().0,
            cert_warn_days: given.get(&p::CERT_WARN_DAYS)?,
            require_mount: given.get(&p::REQUIRE_MOUNT)?,
            // A container has the directory itself mounted: were it swapped, the container would keep the old one.
            method: if mode.deployment == Some(Deployment::Container) {
                Method::InPlace
            } else {
                Method::Exchange
            },
            binary: mode.origin.filter(|origin| origin.starts_with('/')).map_or_else(
                || DEFAULT_BINARY.into(),
                |origin| Path::new(&origin).join("bin/kwbase"),
            ),
            http_port: match (given.given(&p::HTTP_PORT)?, mode.http_port) {
                (None, Some(port)) => port,
                (Some(port), _) => port.try_into().unwrap_or(u16::MAX),
                (None, None) => given.get(&p::HTTP_PORT)?.try_into().unwrap_or(u16::MAX),
            },
            node_user: variables
                .into_iter()
                .rfind(|(name, _)| name == "KWBASE_CERT_NODE_USER")
                .map_or_else(|| "node".to_owned(), |(_, value)| value),
        })
    }

    /// Why certificates are not given to this account; `None` when they are. MODE, which belongs to the server's account on a stock
    /// installation, may name its own writer and nobody else.
    pub(crate) fn refuses_owner(&self, user: &User) -> Option<String> {
        if self.named_by == Writers::Root {
            return None;
        }
        let why = if user.is_the_systems() {
            "is an account of the operating system".to_owned()
        } else if !self.named_by.may_name(user.uid) {
            format!("is named by {MODE_FILE}, which others than root and that account can change")
        } else {
            return None;
        };
        Some(format!(
            "user {} (uid {}) {why}; set the parameter user to the server's own account",
            user.name, user.uid
        ))
    }

    /// Refuses a certificate directory that cannot be replaced, before it has to be.
    pub(crate) fn refuse_link(&self) -> Result<(), Failure> {
        match &self.wrong_link {
            Some(why) => Err(Failure::invalid_here(format!("parameter certs_dir: {why}"))),
            None => Ok(()),
        }
    }

    /// The files that may hold the cluster's shared secret, first choice first.
    pub(crate) fn authkeys(&self) -> Vec<PathBuf> {
        match &self.authkey {
            Some(path) => vec![path.clone()],
            None => certs::seal::AUTHKEYS.iter().map(PathBuf::from).collect(),
        }
    }

    /// What a set must fulfil now.
    pub(crate) fn expectations(&self) -> Expectations {
        Expectations {
            now: host::now_seconds(),
            node_user: self.node_user.clone(),
            required_names: self.required_names.clone(),
        }
    }

    /// The bundle's path.
    pub(crate) fn bundle(&self) -> PathBuf {
        certs::volume::bundle_path(&self.bundle_dir)
    }
}

/// How the places lie to the store.
#[derive(Clone, Copy, Debug)]
struct Layout {
    certs_are_replicated: bool,
    bundle_is_replicated: bool,
}

impl Layout {
    /// `certs_dir` without symbolic links. Where a store that hangs leaves no answer, nothing is held against the parameters.
    fn of(certs_dir: &Path, bundle_dir: &Path, data_root: &Path) -> Self {
        let answer = bounded::run(Deadline::after(LAYOUT_TIMEOUT), || {
            let (root, bundle) = (mount::resolved(data_root), mount::resolved(bundle_dir));
            vec![
                u8::from(certs_dir.starts_with(&root)),
                u8::from(bundle != root && bundle.starts_with(&root)),
            ]
        });
        let answer = answer.unwrap_or_default();
        Self {
            certs_are_replicated: answer.first() == Some(&1),
            bundle_is_replicated: answer.get(1) != Some(&0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Failure> {
        let env: Env = pairs.iter().map(|(name, value)| (*name, *value)).collect();
        Config::read(&env, false)
    }

    #[test]
    fn places_that_cannot_work_are_refused() {
        let data_root = ("OCF_RESKEY_data_root", "/data");
        let config = read(&[data_root]).unwrap();
        assert_eq!(config.bundle_dir, Path::new("/data/.kaiwudb-ha"));
        let inside = read(&[data_root, ("OCF_RESKEY_certs_dir", "/data/certs")]).unwrap_err();
        assert!(inside.reason.contains("needs no cert-sync"), "{inside}");
        for wrong in ["/elsewhere", "/data", "/database/x"] {
            let outside = read(&[data_root, ("OCF_RESKEY_bundle_dir", wrong)]).unwrap_err();
            assert!(outside.reason.contains("not below data_root"), "{outside}");
        }
    }
}
