//! The parameters, and what the kernel's table of mounts says of them.

use crate::note::{Note, of_a_device};
use crate::parameters::{self as p, Kind, MountOptions};
use host::block;
use host::mount::{self, Mount};
use ocf::{Env, Failure, Parameters};
use std::io;
use std::path::{Path, PathBuf};

/// What is given. To an action that must not fail for the configuration (stop, probe) a path that is missing or wrong is
/// empty: nothing is mounted there.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Id of the resource in the cluster.
    pub(crate) instance: String,
    pub(crate) device: PathBuf,
    pub(crate) directory: PathBuf,
    pub(crate) kind: String,
    pub(crate) options: MountOptions,
    pub(crate) force_unmount: bool,
}

/// What is mounted on the directory, topmost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mounted {
    Nothing,
    /// The device.
    Ours(Mount),
    /// Something else, maybe on top of the device.
    Other(Mount),
}

impl Config {
    /// Reads the parameters. See [`agent::ResourceAgent::configure`] for `lenient`.
    pub(crate) fn read(env: &Env, lenient: bool) -> Result<Self, Failure> {
        let given = Parameters::new(env, &p::METADATA, lenient);
        let directory = given
            .required(&p::DIRECTORY)?
            .map_or_else(PathBuf::new, PathBuf::from);
        if directory == Path::new("/") && !lenient {
            return Err(Failure::not_configured(
                "parameter directory=\"/\": the root is mounted already; allowed: another directory",
            ));
        }
        Ok(Self {
            instance: env.instance().to_owned(),
            device: given
                .required(&p::DEVICE)?
                .map_or_else(PathBuf::new, PathBuf::from),
            directory: as_mounted(directory),
            kind: given
                .required(&p::FSTYPE)?
                .map_or_else(String::new, |Kind(kind)| kind),
            options: given.get(&p::OPTIONS)?,
            force_unmount: given.get(&p::FORCE_UNMOUNT)?,
        })
    }

    /// What is mounted on the directory now.
    pub(crate) fn mounted(&self) -> Result<Mounted, Failure> {
        let mounts = mount::all().map_err(|error| unreadable(&error))?;
        let note = Note::read(&self.instance);
        Ok(
            match mounts.into_iter().rfind(|mount| mount.point == self.directory) {
                None => Mounted::Nothing,
                Some(mount) if self.is_ours(&mount, note.as_ref()) => Mounted::Ours(mount),
                Some(mount) => Mounted::Other(mount),
            },
        )
    }

    /// Whether a mount on the directory is one of the device, whatever the name by which it was mounted.
    pub(crate) fn is_ours(&self, mount: &Mount, note: Option<&Note>) -> bool {
        Path::new(&mount.source) == self.device
            || note.is_some_and(|note| note.file_system == mount.device)
            || is_of(self.device_number().as_deref(), mount)
    }

    /// `major:minor` of the device, as it can be reached now.
    pub(crate) fn device_number(&self) -> Option<String> {
        block::number(&self.device)
    }

    /// `major:minor` of the device that is mounted.
    pub(crate) fn block_device(&self, mount: &Mount) -> String {
        of_a_device(mount)
            .or_else(|| self.device_number())
            .unwrap_or_else(|| mount.device.clone())
    }

    /// What to say of a device that is something else.
    pub(crate) fn not_a_block_device(&self) -> Failure {
        Failure::invalid_here(format!(
            "parameter device=\"{}\": not a block device; allowed: a block device, such as /dev/drbd0",
            self.device.display()
        ))
    }

    /// What to say of a mount point that is something else.
    pub(crate) fn not_a_directory(&self) -> Failure {
        Failure::invalid_here(format!(
            "parameter directory=\"{}\": not a directory; allowed: a directory, or none yet",
            self.directory.display()
        ))
    }
}

/// The directory as the kernel's table spells it. A table that cannot be read is reported where a mount is looked up in it.
fn as_mounted(directory: PathBuf) -> PathBuf {
    if directory.as_os_str().is_empty() {
        return directory;
    }
    if mount::is_spelled_point(&directory) {
        return directory;
    }
    mount::resolve(&mount::all().unwrap_or_default(), &directory)
}

/// Whether a mount is one of the file system on this device.
pub(crate) fn is_of(device: Option<&str>, mount: &Mount) -> bool {
    device.is_some() && of_a_device(mount).as_deref() == device
}

/// A table of mounts that is not there may hold a mount.
pub(crate) fn unreadable(error: &io::Error) -> Failure {
    Failure::generic(format!("cannot tell what is mounted: {error}"))
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
    fn what_is_missing_is_named_and_hinders_no_stop() {
        let all = [("device", "/dev/x"), ("directory", "/srv/x/"), ("fstype", "ext4")];
        assert_eq!(read(&all, false).unwrap().directory, Path::new("/srv/x"));
        for (missing, _) in all {
            let rest: Vec<_> = all.into_iter().filter(|(name, _)| *name != missing).collect();
            let error = read(&rest, false).unwrap_err();
            assert_eq!(error.kind, FailureKind::NotConfigured);
            assert!(error.reason.contains(missing), "{error}");
            read(&rest, true).unwrap();
        }
        assert_eq!(read(&[], true).unwrap().mounted(), Ok(Mounted::Nothing));
        let root = [("device", "/dev/x"), ("directory", "/"), ("fstype", "ext4")];
        assert!(read(&root, false).unwrap_err().reason.contains("allowed"));
    }

    #[test]
    fn the_root_is_not_ours() {
        let config = Config {
            directory: "/".into(),
            ..read(&[("device", "/dev/no-such-device")], true).unwrap()
        };
        assert!(matches!(config.mounted(), Ok(Mounted::Other(_))));
    }
}
