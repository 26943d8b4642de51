//! DRBD's kernel module.

use host::{Command, CommandError, Deadline, file};
use ocf::{Bounds, ContentType, Value};
use std::fmt;
use std::path::Path;

/// A version of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 8 or 9.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Version {
    /// Reads `9.2.8`, also with something behind it, as in `9.2.8-1` and `8.4.11 (api:1/proto:86-101)`.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }
}

impl Value for Version {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        Self::parse(raw)
            .filter(|version| version.to_string() == raw)
            .ok_or_else(|| "not a version; allowed: three numbers, as in 9.0.16".into())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Whether the module is in the kernel. Ask before running drbdsetup: it loads the module when it is not.
pub fn is_loaded() -> bool {
    Path::new("/proc/drbd").exists() || Path::new("/sys/module/drbd").exists()
}

/// The version of the loaded module.
pub fn loaded_version() -> Option<Version> {
    let read = |path: &str| file::read_text(Path::new(path)).ok().flatten();
    read("/sys/module/drbd/version")
        .and_then(|text| Version::parse(text.trim()))
        .or_else(|| {
            let text = read("/proc/drbd")?;
            Version::parse(text.strip_prefix("version:")?.trim_start())
        })
}

/// The version of the loaded module, else of the installed one.
pub fn version(deadline: Deadline) -> Option<Version> {
    loaded_version().or_else(|| {
        let answer = Command::new("modinfo")
            .args(["-F", "version", "drbd"])
            .run_ok(deadline)
            .ok()?;
        Version::parse(answer.text().trim())
    })
}

/// Installed kernels that are newer than the running one, which the next boot may bring, and the version of the module that each has.
pub fn of_newer_kernels(deadline: Deadline) -> Vec<(String, Option<Version>)> {
    let Ok(running) = nix::sys::utsname::uname() else {
        return Vec::new();
    };
    let running = running.release().to_string_lossy().into_owned();
    let mut kernels: Vec<String> = std::fs::read_dir("/lib/modules")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        // What a removed kernel has left there has no image.
        .filter(|name| {
            [
                format!("/boot/vmlinuz-{name}"),
                format!("/lib/modules/{name}/vmlinuz"),
            ]
            .iter()
            .any(|image| Path::new(image).exists())
        })
        .filter(|name| numbers(name) > numbers(&running))
        .collect();
    kernels.sort_by_key(|name| numbers(name));
    kernels
        .into_iter()
        .map(|name| {
            let answer = Command::new("modinfo")
                .args(["-k", &name, "-F", "version", "drbd"])
                .run_ok(deadline);
            let version = answer
                .ok()
                .and_then(|output| Version::parse(output.text().trim()));
            (name, version)
        })
        .collect()
}

/// The newest of these kernels, which boots next unless somebody has chosen another one.
pub fn newest<'a>(releases: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    releases.max_by_key(|release| numbers(release))
}

/// The numbers in the name of a release, which order it: 6.1.0-9 comes before 6.1.0-10.
fn numbers(release: &str) -> Vec<u64> {
    release
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// Loads the module, with these parameters (`name=value`).
pub fn load(parameters: &[String], deadline: Deadline) -> Result<(), CommandError> {
    Command::new("modprobe")
        .args(["-s", "drbd"])
        .args(parameters)
        .run_ok(deadline)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_their_numbers() {
        for (older, newer) in [
            ("6.1.0-9-amd64", "6.1.0-10-amd64"),
            (
                "5.10.0-136.12.0.86.oe2203sp1.x86_64",
                "5.10.0-182.0.0.95.oe2203sp3.x86_64",
            ),
            ("4.18.0-553.el8_10.x86_64", "5.14.0-70.el9.x86_64"),
        ] {
            assert!(numbers(older) < numbers(newer), "{older} {newer}");
        }
    }

    #[test]
    fn versions() {
        let version = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(version("8.4.11").as_deref(), Some("8.4.11"));
        assert_eq!(version("9.2.8-1").as_deref(), Some("9.2.8"));
        assert_eq!(version("8.4.11 (api:1/proto:86-101)").as_deref(), Some("8.4.11"));
        for wrong in ["", "9", "9.1", "x.y.z", ".."] {
            assert_eq!(version(wrong), None, "{wrong:?}");
        }
        assert!(<Version as Value>::parse("9.2.8-1", Bounds::NONE).is_err());
        assert!(Version::parse("9.0.16") < Version::parse("9.0.20"));
    }
}
