//! Which names are those of secrets.

/// Whoever has one of these in his name is a secret. Small letters; `-` and `_` are left out of the names that are compared.
const STRONG: [&str; 26] = [
    "passw",
    "passphrase",
    "passin",
    "passout",
    "secret",
    "token",
    "credential",
    "community",
    "com2sec",
    "cookie",
    "authorization",
    "authkey",
    "apikey",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "signingkey",
    "sharedkey",
    "masterkey",
    "sessionid",
    "sessionkey",
    "webhook",
    "密码",
    "口令",
    "密钥",
    "令牌",
];

/// Words that are a secret's name when they stand alone, as a parameter of a URL or a key of a file; those that end with `key` or `pass`, too.
const WEAK: [&str; 9] = [
    "pwd",
    "auth",
    "sign",
    "signature",
    "pin",
    "psk",
    "otp",
    "robot",
    "jwt",
];
/// Names that end with `key` and are none: Pacemaker's, of operations.
const NO_KEYS: [&str; 2] = ["operationkey", "transitionkey"];

/// Names of files and programs, not of secrets, where the value is a path.
const PLACES: [&str; 6] = ["file", "script", "path", "dir", "directory", "program"];

/// What has its secret behind a space, without a separator.
const SPACED: [&str; 8] = [
    "sharedsecret",
    "rocommunity",
    "rwcommunity",
    "rocommunity6",
    "rwcommunity6",
    "community",
    "requirepass",
    "com2sec",
];

/// How certain it is that a name is a secret's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    /// Its value is one wherever it stands.
    Strong,
    /// Only as a name in a file, or before `=`.
    Weak,
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether the name is a secret's.
pub(crate) fn sense(name: &str) -> Option<Sense> {
    // The working directory, as shells and sudo name it.
    if matches!(name, "PWD" | "OLDPWD") {
        return None;
    }
    let plain = plain(name);
    if STRONG.iter().any(|word| plain.contains(word)) {
        return Some(Sense::Strong);
    }
    let last = plain.rsplit('.').next().unwrap_or_default();
    if last.ends_with("pwd") && last != "pwd" {
        return Some(Sense::Strong);
    }
    let ends = (last.ends_with("key") && !NO_KEYS.contains(&last)) || last.ends_with("pass");
    (ends || WEAK.contains(&last)).then_some(Sense::Weak)
}

/// Whether a value may stand behind the name and a space.
pub(crate) fn is_spaced(name: &str) -> bool {
    SPACED.contains(&plain(name).as_str())
}

/// Whether the name is that of a place, if the value is a path.
pub(crate) fn is_place(name: &str) -> bool {
    let plain = plain(name);
    PLACES.iter().any(|word| plain.ends_with(word))
}
