//! `/proc/drbd` of DRBD 8.4: the state of every volume without starting a program.
//!
//! It knows volumes by minor and not by resource, and is written for people. So it is not parsed into a state: it tells whether
//! the kernel still says word for word what it said when the state was asked for. DRBD 9 has only the module's version there.

use crate::resource::Resource;
use host::file;
use std::path::Path;

/// The whole file; `None` where there is none.
pub fn read() -> Option<String> {
    file::read_text(Path::new("/proc/drbd")).ok().flatten()
}

/// What `text`, the whole file, says of the volumes of `resource`: connection, roles, disks, flags and how much is out of sync.
/// `None` when it does not have all of them, as with DRBD 9.
pub fn of(text: &str, resource: &Resource) -> Option<String> {
    if resource.devices.is_empty() {
        return None;
    }
    let states = (resource.devices.values())
        .map(|device| state(text, device.minor?))
        .collect::<Option<Vec<_>>>()?;
    Some(states.join("\n"))
}

/// ` 3: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----`, and below it `... oos:0` behind counters of
/// what was read and written.
fn state(text: &str, minor: u32) -> Option<String> {
    let begin = format!("{minor}: cs:");
    let mut lines = text.lines().map(str::trim_start);
    let state = lines.find(|line| line.starts_with(&begin))?;
    let out_of_sync = lines
        .next()?
        .split_ascii_whitespace()
        .find(|word| word.starts_with("oos:"))?;
    Some(format!("{} {out_of_sync}", state.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../tests/fixtures/drbd-8.4.11/proc-drbd");

    fn resource(minors: &[u32]) -> Resource {
        let volume =
            |(volume, minor)| format!("exists device name:r0 volume:{volume} minor:{minor} disk:UpToDate\n");
        let volumes: String = minors.iter().enumerate().map(volume).collect();
        let events = format!("exists resource name:r0 role:Primary\n{volumes}exists -\n");
        Resource::from_events("r0", &events).unwrap()
    }

    #[test]
    fn only_what_belongs_to_the_resource_and_is_no_counter() {
        assert_eq!(
            of(TEXT, &resource(&[3])).unwrap(),
            "3: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r----- oos:0"
        );
        let later = TEXT.replace("dw:", "dw:1");
        assert_eq!(of(TEXT, &resource(&[3])), of(&later, &resource(&[3])));
        let second = "13: cs:Connected ro:Primary/Secondary ds:UpToDate/Diskless C r-----\n    ns:0 oos:8";
        let two = of(&TEXT.replace("13: cs:Unconfigured", second), &resource(&[3, 13])).unwrap();
        assert!(
            two.ends_with("\n13: cs:Connected ro:Primary/Secondary ds:UpToDate/Diskless C r----- oos:8"),
            "{two}"
        );
    }

    #[test]
    fn every_change_shows() {
        let before = of(TEXT, &resource(&[3]));
        for (old, new) in [
            ("cs:Connected ro:Primary", "cs:WFConnection ro:Primary"),
            ("ro:Primary", "ro:Secondary"),
            ("ds:UpToDate", "ds:Diskless"),
            ("C r-----", "C s-----"),
            ("oos:0", "oos:4"),
        ] {
            assert!(TEXT.contains(old));
            assert_ne!(of(&TEXT.replacen(old, new, 1), &resource(&[3])), before, "{new}");
        }
    }

    #[test]
    fn a_volume_that_is_not_there_is_no_answer() {
        for minors in [&[][..], &[1], &[4], &[13], &[3, 4], &[3, 13]] {
            assert_eq!(of(TEXT, &resource(minors)), None, "{minors:?}");
        }
        assert_eq!(of("version: 9.2.8 (api:2/proto:86-122)\n", &resource(&[3])), None);
    }
}
