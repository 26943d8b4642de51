//! The checksum of the Internet protocols (RFC 1071).

use std::net::IpAddr;

/// Of a segment or message that is sent from `source` to `destination`; its own field for the checksum is zero.
pub(crate) fn with_pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> u16 {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut sum = add(0, &[0, protocol]);
    for ip in [source, destination] {
        sum = match ip {
            IpAddr::V4(ip) => add(sum, &ip.octets()),
            IpAddr::V6(ip) => add(sum, &ip.octets()),
        };
    }
    fold(add(add(sum, &length), payload))
}

/// Of a header, whose own field for it is zero.
pub(crate) fn of(header: &[u8]) -> u16 {
    fold(add(0, header))
}

fn add(sum: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(sum, |sum, pair| {
        sum + u32::from(pair[0]) * 256 + pair.get(1).copied().map_or(0, u32::from)
    })
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_over_all_is_zero() {
        let (source, destination) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let mut segment = [1, 2, 3, 4, 0, 0, 7];
        let sum = with_pseudo_header(source, destination, 6, &segment).to_be_bytes();
        segment[4..6].copy_from_slice(&sum);
        assert_eq!(with_pseudo_header(source, destination, 6, &segment), 0);
        // RFC 1071, 3.
        assert_eq!(
            fold(add(0, &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])),
            !0xddf2
        );
    }
}
