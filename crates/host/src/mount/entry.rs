//! One mount.

use std::path::PathBuf;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Number of this mount, which no other mount of the machine has while it exists, in whichever namespace.
    pub id: u64,
    /// Number of the mount on which it is mounted.
    pub parent: u64,
    /// Where it is mounted.
    pub point: PathBuf,
    /// Device or other source.
    pub source: String,
    /// `ext4`, `xfs`, `squashfs`, …
    pub kind: String,
    /// `major:minor` of the device.
    pub device: String,
    /// The directory of that file system which is mounted: `/`, or another for a bind mount or a subvolume.
    pub root: PathBuf,
    /// Whether the mount or the file system is read-only now.
    pub read_only: bool,
    /// Options of the file system, such as an overlay's directories.
    pub super_options: String,
}
