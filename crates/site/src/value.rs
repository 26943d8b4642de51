//! What a value can look like, whoever says it: the settings, MODE, another node, the cluster's configuration. Values stand in commands
//! and in the files of others, so nothing is in them that begins anything there.

use kwdb::installation;
use std::net::IpAddr;
use std::path::Path;

/// An IP address.
pub fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Whether ssh takes it for a host and never for an option.
pub fn is_ssh_target(target: &str) -> bool {
    !target.is_empty()
        && !target.starts_with('-')
        && target
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | ':' | '%' | '[' | ']'))
}

/// The name of a node, of a resource of DRBD, of an agent.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A host's name or address.
pub fn is_host(text: &str) -> bool {
    is_name(text) || is_address(text)
}

/// One word without quotes, which is how a path is written everywhere.
pub fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c == '"' || !host::is_printable(c))
}

/// A block device.
pub fn is_device(text: &str) -> bool {
    text.strip_prefix("/dev/")
        .is_some_and(|rest| is_word(rest) && !rest.contains(".."))
}

/// A device of DRBD's.
pub fn is_drbd_device(text: &str) -> bool {
    text.strip_prefix("/dev/drbd")
        .is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor < 1 << 20))
}

/// Where a store can be mounted.
pub fn is_store_directory(text: &str) -> bool {
    is_word(text) && installation::is_store_directory(Path::new(text))
}

/// A file system that the store can lie on.
pub fn is_file_system(text: &str) -> bool {
    matches!(text, "ext4" | "xfs" | "ext3" | "btrfs")
}

/// Mount options.
pub fn is_options(text: &str) -> bool {
    is_word(text)
}

/// A network interface. The kernel's own limit is 15 bytes.
pub fn is_interface(text: &str) -> bool {
    text.len() <= 15 && is_word(text) && !text.contains(['/', ':'])
}

/// A hardware address as `ip link` writes it; the longest are those of InfiniBand.
pub fn is_hardware(text: &str) -> bool {
    text.len() <= 59
        && text
            .split(':')
            .all(|byte| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// A fence agent.
pub fn is_fence_agent(text: &str) -> bool {
    text.starts_with("fence_") && is_name(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses() {
        for right in ["52:54:00:12:34:56", "0a"] {
            assert!(is_hardware(right), "{right}");
        }
        for wrong in ["", "52:54:00:12:34:5", "52-54", "zz:00", "\u{1b}[2J", "52:54 x"] {
            assert!(!is_hardware(wrong), "{wrong}");
        }
    }
}
