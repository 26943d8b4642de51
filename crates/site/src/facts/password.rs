//! Whether an account has a password that is printed in a guide. The hash is compared where it is and goes nowhere.

use host::file;
use sha_crypt::{PasswordVerifier, ShaCrypt};
use std::path::Path;
use yescrypt::Yescrypt;

/// The account with which pcs and pcsd log in to each other.
const ACCOUNT: &str = "hacluster";
/// What set-up guides on the web give it.
const PRINTED: &str = "123456";
const SHADOW: &str = "/etc/shadow";

/// Whether `hacluster` has the guides' password; `None` where that cannot be told, as for everybody but root.
pub(super) fn is_printed() -> Option<bool> {
    judge(&file::read_text(Path::new(SHADOW)).ok()??)
}

fn judge(shadow: &str) -> Option<bool> {
    let mut entries = shadow.lines().map(|line| line.split(':'));
    let hash = entries.find_map(|mut fields| (fields.next() == Some(ACCOUNT)).then(|| fields.next())?)?;
    // Locked, or without a password: nobody logs in.
    if !hash.starts_with('$') {
        return Some(false);
    }
    verify(hash)
}

/// As crypt(3) does, which musl has not for yescrypt, Debian's own choice. `None`: another algorithm.
fn verify(hash: &str) -> Option<bool> {
    let password = PRINTED.as_bytes();
    match hash.split('$').nth(1)? {
        "5" | "6" => Some(ShaCrypt::default().verify_password(password, hash).is_ok()),
        "y" => Some(Yescrypt::default().verify_password(password, hash).is_ok()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by libxcrypt 4.4.33's crypt(3); the second one of each pair is that of another password.
    #[test]
    fn hashes_of_the_systems_own_crypt() {
        for (hash, expected) in [
            (
                "$6$saltsalt$1exCt/dOPxcYhFKNrpFEJZM3XdbauNE1U6SSfdUbaG/VkuiiZ9y002RSRJzuNQ03V0IN9WSP0CpiOXuoSRVIU0",
                Some(true),
            ),
            (
                "$6$saltsalt$ZHkpfg1g7w65PmfuOYlgD3nJ0ht8uc0y5Q9.3YPp8syMacHxSsupyR1FSUXUIZX2gcRBkowoSEoyfCvQwmJiU0",
                Some(false),
            ),
            (
                "$6$rounds=5000$abcdefgh$fsQAa16ibv7N/pkIMTWAm9JGNGOIC4zzMpCqrfg2f6e5sTkTI49pdvKD4Wjy8PO6mzddXEf0oICL6PtgHim/F.",
                Some(true),
            ),
            (
                "$6$rounds=5000$abcdefgh$WQIkvMn6A9vRGt2ezaK.hd13kwgJ5Mhy6gVdTN25jAoh.vwMcRAsR3bYDDJ9tqezVHdN6lQhfj99MA4pV0Ifd0",
                Some(false),
            ),
            (
                "$5$saltsalt$bNuW6hMdhDP6R51UI1RrpgGgbWeTrM7ajkOj8vMX2d.",
                Some(true),
            ),
            (
                "$5$saltsalt$CL/hROJJAdtQfOg3.wx61xDGP7q3VuzHw4OK/vLMDv1",
                Some(false),
            ),
            (
                "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$NHKFeBrkafwHC2nQzJgxGD9dPavDpuWFa9fsWu57o/.",
                Some(true),
            ),
            (
                "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YHohZyXziZcuu54A4f5eV3cE81AIzgJyy9XksJk44MB",
                Some(false),
            ),
            // Not judged: MD5, which no release that Pacemaker 2 runs on makes any more, and China's SM3.
            ("$1$abcdefgh$KJHEbEnUJaxWv269o9nH60", None),
            ("$sm3$saltsalt$x", None),
            ("!", Some(false)),
            ("*", Some(false)),
            ("", Some(false)),
            ("!$6$saltsalt$x", Some(false)),
        ] {
            let shadow = format!("root:*:19000::::::\nhacluster:{hash}:19000:0:99999:7:::\n");
            assert_eq!(judge(&shadow), expected, "{hash}");
        }
        assert_eq!(judge("root:*:19000::::::\n"), None);
    }
}
