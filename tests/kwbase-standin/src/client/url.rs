//! Connection URLs.

/// The parts of `postgresql://user:password@host:port/database?name=value&...`.
#[derive(Debug, Default)]
pub(super) struct Url {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// With its port, if there is one.
    pub(super) host: Option<String>,
    pub(super) database: Option<String>,
    options: Vec<(String, String)>,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("postgresql://")
            .or_else(|| text.strip_prefix("postgres://"));
        let rest = rest.ok_or_else(|| format!("URL scheme must be \"postgresql\": {text}"))?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (rest, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = login
            .split_once(':')
            .map_or((login, None), |(user, word)| (user, Some(word)));
        let part = |text: &str| (!text.is_empty()).then(|| decode(text));
        Ok(Self {
            user: part(user),
            password: password.map(decode),
            host: part(host),
            database: part(database),
            options: options
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        })
    }

    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Undoes percent-encoding; a `%` without two digits stands for itself.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url =
            Url::parse("postgresql://u:p%40ss@h:1/db?sslmode=verify-full&sslrootcert=%2Fca.crt").unwrap();
        assert_eq!(url.user.as_deref(), Some("u"));
        assert_eq!(url.password.as_deref(), Some("p@ss"));
        assert_eq!(url.host.as_deref(), Some("h:1"));
        assert_eq!(url.database.as_deref(), Some("db"));
        assert_eq!(url.option("sslrootcert"), Some("/ca.crt"));
        assert!(Url::parse("http://x").is_err());
    }
}
