//! The table of the agent: every parameter and action.

use agent::{TRACE_FILE, TRACE_RA};
use ocf::{
    AbsolutePath, Action, ActionSpec, Bounds, CheckLevel, ContentType, MetaData, Parameter, Text, Value,
};

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// Types that are not on one block device of this node alone, and words that are no type of a file system.
const NOT_OURS: [&str; 24] = [
    "9p",
    "auto",
    "autofs",
    "bind",
    "ceph",
    "cifs",
    "devtmpfs",
    "gfs2",
    "glusterfs",
    "lustre",
    "nfs",
    "nfs4",
    "none",
    "ntfs-3g",
    "ocfs2",
    "overlay",
    "proc",
    "ramfs",
    "smb3",
    "smbfs",
    "swap",
    "sysfs",
    "tmpfs",
    "virtiofs",
];
/// Options of mount(8) that make it do something else than to mount the device.
const OTHER_CALLS: [&str; 13] = [
    "bind",
    "rbind",
    "move",
    "remount",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "private",
    "rprivate",
    "unbindable",
    "runbindable",
    "loop",
];

/// The type of a file system on a block device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub(crate) String);

impl Value for Kind {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.+".contains(c);
        if NOT_OURS.contains(&raw)
            || !raw.chars().all(is_word)
            || raw.starts_with('-')
            || raw.starts_with("fuse")
        {
            return Err(
                "not the type of a file system on a block device; allowed: ext4, xfs and the like (for others there is \
                 ocf:heartbeat:Filesystem)"
                    .into(),
            );
        }
        Ok(Self(raw.to_owned()))
    }
}

/// What follows `-o` of mount(8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MountOptions(pub(crate) String);

impl MountOptions {
    /// Whether the file system is meant to be read-only.
    pub(crate) fn read_only(&self) -> bool {
        // The last one counts.
        let last = (self.0.split(',')).rfind(|option| matches!(*option, "ro" | "rw"));
        last == Some("ro")
    }
}

impl Value for MountOptions {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, bounds: Bounds) -> Result<Self, String> {
        let raw = String::parse(raw, bounds)?;
        if raw.contains(char::is_whitespace) {
            return Err("has a space in it; allowed: options of mount(8), separated by commas".into());
        }
        let other = raw.split(',').find(|option| OTHER_CALLS.contains(option));
        match other {
            Some(option) => Err(format!(
                "'{option}' does not mount a device; allowed: options of the file system, separated by \
                 commas (for others there is ocf:heartbeat:Filesystem)"
            )),
            None => Ok(Self(raw)),
        }
    }
}

pub(crate) static DEVICE: Parameter<AbsolutePath> = Parameter::new(
    "device",
    text("Block device", "块设备"),
    text(
        "Path of the block device, such as /dev/drbd0. A start waits for it to appear.",
        "块设备路径，例如 /dev/drbd0。启动时会等待其出现。",
    ),
)
.required();

pub(crate) static DIRECTORY: Parameter<AbsolutePath> = Parameter::new(
    "directory",
    text("Mount point", "挂载点"),
    text(
        "Directory on which the file system is mounted. A start creates it if it is missing.",
        "文件系统的挂载目录。不存在时由启动操作创建。",
    ),
)
.required()
.unique_group("directory");

pub(crate) static FSTYPE: Parameter<Kind> = Parameter::new(
    "fstype",
    text("Type of the file system", "文件系统类型"),
    text(
        "Type of the file system: ext4, xfs or another type that is on a block device and mounted on one node at a time.",
        "文件系统类型：ext4、xfs 或其他位于块设备上、同一时刻只在一个节点挂载的类型。",
    ),
)
.required();

pub(crate) static OPTIONS: Parameter<MountOptions> = Parameter::new(
    "options",
    text("Mount options", "挂载选项"),
    text(
        "What mount(8) takes after -o, for example noatime. Without \"ro\", a file system that the kernel has made \
         read-only is a failure.",
        "mount(8) 的 -o 选项，例如 noatime。未写 \"ro\" 时，内核将文件系统改为只读即视为故障。",
    ),
)
.default("");

pub(crate) static FORCE_UNMOUNT: Parameter<bool> = Parameter::new(
    "force_unmount",
    text("Kill processes that block unmounting", "停止时杀死占用进程"),
    text(
        "Whether a stop kills the processes that use the file system, with SIGTERM and then SIGKILL. They are named in the log. \
         With false, a stop that finds one fails and names it, and the node is fenced.",
        "停止时是否杀死占用文件系统的进程（先 SIGTERM，后 SIGKILL），并在日志中列出。设为 false 时，停止操作会失败并指出占用的进程，节点将被隔离。",
    ),
)
.default("true")
.reloadable();

pub(crate) static METADATA: MetaData = MetaData {
    name: "filesystem",
    version: env!("CARGO_PKG_VERSION"),
    short: text(
        "Mounts a file system that lies on a block device",
        "挂载块设备上的文件系统",
    ),
    long: text(
        "Mounts a file system that lies on a block device, such as a DRBD device that is Primary here, and unmounts it. \
         The monitor looks whether this device is mounted there, writable and answering; with OCF_CHECK_LEVEL=20 it also writes a file. A stop \
         names and ends who still uses it. Parameters mean the same as those of ocf:heartbeat:Filesystem, which is the agent \
         for network file systems, bind mounts and clones.",
        "挂载并卸载块设备（例如本节点为 Primary 的 DRBD 设备）上的文件系统。监控检查该设备是否挂载在指定目录、可写且有响应；设置 OCF_CHECK_LEVEL=20 时还会写入一个文件。\
         停止操作会列出并结束仍在占用的进程。参数含义与 ocf:heartbeat:Filesystem 相同；网络文件系统、bind 挂载和克隆请使用后者。",
    ),
    parameters: &[
        &DEVICE,
        &DIRECTORY,
        &FSTYPE,
        &OPTIONS,
        &FORCE_UNMOUNT,
        &TRACE_RA,
        &TRACE_FILE,
    ],
    actions: &[
        ActionSpec::new(Action::Start, 60),
        ActionSpec::new(Action::Stop, 60),
        ActionSpec::monitor(40, 20, CheckLevel::Basic),
        ActionSpec::new(Action::ReloadAgent, 20),
        ActionSpec::new(Action::MetaData, 5),
        ActionSpec::new(Action::ValidateAll, 20),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_defects() {
        assert_eq!(METADATA.defects(), Vec::<String>::new());
    }

    #[test]
    fn types_that_are_not_on_a_block_device_are_refused() {
        for right in ["ext4", "xfs", "btrfs", "f2fs", "vfat"] {
            assert_eq!(Kind::parse(right, Bounds::NONE).unwrap().0, right);
        }
        for wrong in ["nfs4", "tmpfs", "auto", "-h", "ext4 -o x", "fuse.sshfs", "EXT4"] {
            let why = Kind::parse(wrong, Bounds::NONE).unwrap_err();
            assert!(why.contains("allowed"), "{wrong}: {why}");
        }
    }

    #[test]
    fn options() {
        let parse = |raw| MountOptions::parse(raw, Bounds::NONE);
        assert!(!parse("noatime,errors=remount-ro").unwrap().read_only());
        assert!(parse("noatime,ro").unwrap().read_only());
        assert!(!parse("ro,rw").unwrap().read_only());
        for wrong in ["bind", "noatime,remount", "a b", "loop"] {
            assert!(parse(wrong).unwrap_err().contains("allowed"), "{wrong}");
        }
    }
}
