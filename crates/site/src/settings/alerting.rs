//! `[alerts]`: who is told, and how.

use super::error::Place;
use super::who::others;
use crate::language::Language;
use crate::texts::settings as texts;
use crate::value::is_host;
use alerts::Secret;
use alerts::channel::{Channel, DINGTALK, Encryption, Http, Mail, WECOM, Way, is_mailbox};
use anyhow::Result;
use host::untrusted;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::Path;
use toml::Spanned;

/// Who is told, and how. Nothing of it is in the cluster's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertSettings {
    /// How people call this pair of servers; else the names of both nodes.
    pub name: Option<Spanned<String>>,
    /// `en` or `zh`; else the language of the system.
    pub language: Option<Spanned<String>>,
    /// Whether planned work is told, too.
    #[serde(default)]
    pub planned: bool,
    /// A URL that is asked for every minute as long as the cluster is well enough to do so.
    pub heartbeat: Option<Spanned<String>>,
    /// A file with that URL, where it is a secret.
    pub heartbeat_file: Option<Spanned<String>>,
    /// Certificates of authorities besides the system's.
    pub authorities: Option<Spanned<String>>,
    /// `http://HOST:PORT`, for everything but mail.
    pub proxy: Option<Spanned<String>>,
    #[serde(default)]
    mail: Vec<Spanned<MailSettings>>,
    #[serde(default)]
    webhook: Vec<Spanned<WebhookSettings>>,
    #[serde(default)]
    wecom: Vec<Spanned<WecomSettings>>,
    #[serde(default)]
    dingtalk: Vec<Spanned<DingtalkSettings>>,
    #[serde(default)]
    command: Vec<Spanned<CommandSettings>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct MailSettings {
    server: Spanned<String>,
    port: Option<Spanned<i64>>,
    encryption: Option<Spanned<String>>,
    user: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    password_command: Option<Spanned<Vec<String>>>,
    from: Spanned<String>,
    to: Spanned<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookSettings {
    url: Option<Spanned<String>>,
    url_file: Option<Spanned<String>>,
    secret_file: Option<Spanned<String>>,
    secret_command: Option<Spanned<Vec<String>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WecomSettings {
    url: Option<Spanned<String>>,
    key_file: Option<Spanned<String>>,
    key_command: Option<Spanned<Vec<String>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DingtalkSettings {
    url: Option<Spanned<String>>,
    token_file: Option<Spanned<String>>,
    token_command: Option<Spanned<Vec<String>>>,
    secret_file: Option<Spanned<String>>,
    secret_command: Option<Spanned<Vec<String>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandSettings {
    run: Spanned<Vec<String>>,
}

impl AlertSettings {
    /// The language of messages.
    pub fn language(&self, otherwise: Language) -> Language {
        match self.language.as_ref().map(|language| language.get_ref().as_str()) {
            Some("zh") => Language::Chinese,
            Some(_) => Language::English,
            None => otherwise,
        }
    }

    /// The sign of life, where one is wanted, and how it gets there.
    pub fn heartbeat(&self) -> Option<(Secret, Http)> {
        let file = self
            .heartbeat_file
            .as_ref()
            .map(|path| Secret::File(path.get_ref().into()));
        let url = self
            .heartbeat
            .as_ref()
            .map(|url| Secret::Told(url.get_ref().clone()));
        Some((file.or(url)?, self.http()))
    }

    fn http(&self) -> Http {
        Http {
            authorities: self.authorities.as_ref().map(|path| path.get_ref().into()),
            proxy: self.proxy.as_ref().map(|proxy| proxy.get_ref().clone()),
        }
    }

    /// Every channel, in an order that only a change of the settings changes.
    pub fn channels(&self) -> Vec<Channel> {
        let named = |kind: &str, ways: Vec<Way>| -> Vec<Channel> {
            let numbered = ways.into_iter().zip(1..);
            numbered
                .map(|(way, number)| Channel {
                    name: format!("{kind}-{number}"),
                    way,
                })
                .collect()
        };
        let mail = self.mail.iter().map(|mail| self.mail_way(mail.get_ref()));
        let webhook = self.webhook.iter().filter_map(|one| {
            let one = one.get_ref();
            let told = one.url.as_ref().map(|url| Secret::Told(url.get_ref().clone()));
            Some(Way::Webhook {
                url: secret(one.url_file.as_ref(), None).or(told)?,
                secret: secret(one.secret_file.as_ref(), one.secret_command.as_ref()),
                http: self.http(),
            })
        });
        let or = |url: &Option<Spanned<String>>, default: &str| {
            url.as_ref()
                .map_or_else(|| default.to_owned(), |url| url.get_ref().clone())
        };
        let wecom = self.wecom.iter().filter_map(|one| {
            let one = one.get_ref();
            Some(Way::Wecom {
                url: or(&one.url, WECOM),
                key: secret(one.key_file.as_ref(), one.key_command.as_ref())?,
                http: self.http(),
            })
        });
        let dingtalk = self.dingtalk.iter().filter_map(|one| {
            let one = one.get_ref();
            Some(Way::Dingtalk {
                url: or(&one.url, DINGTALK),
                token: secret(one.token_file.as_ref(), one.token_command.as_ref())?,
                secret: secret(one.secret_file.as_ref(), one.secret_command.as_ref()),
                http: self.http(),
            })
        });
        let command = self
            .command
            .iter()
            .map(|one| Way::Command(one.get_ref().run.get_ref().clone()));
        [
            named("mail", mail.collect()),
            named("webhook", webhook.collect()),
            named("wecom", wecom.collect()),
            named("dingtalk", dingtalk.collect()),
            named("command", command.collect()),
        ]
        .concat()
    }

    fn mail_way(&self, mail: &MailSettings) -> Way {
        let encryption = encryption(mail);
        let default = match encryption {
            Encryption::None => 25,
            Encryption::StartTls => 587,
            Encryption::Tls => 465,
        };
        let port = mail
            .port
            .as_ref()
            .and_then(|port| u16::try_from(*port.get_ref()).ok());
        let password = secret(mail.password_file.as_ref(), mail.password_command.as_ref());
        Way::Mail(Box::new(Mail {
            server: mail.server.get_ref().clone(),
            port: port.unwrap_or(default),
            encryption,
            authorities: self.authorities.as_ref().map(|path| path.get_ref().into()),
            account: mail
                .user
                .as_ref()
                .map(|user| user.get_ref().clone())
                .zip(password),
            from: mail.from.get_ref().clone(),
            to: mail.to.get_ref().clone(),
        }))
    }

    /// Looks at every value.
    pub(super) fn check(&self, place: &Place<'_>) -> Result<()> {
        if let Some(language) = &self.language
            && !matches!(language.get_ref().as_str(), "en" | "zh")
        {
            return Err(place.impossible("[alerts] language", language, texts::ALERT_LANGUAGE));
        }
        if let Some(name) = &self.name
            && !(1..=60).contains(&name.get_ref().chars().filter(|c| host::is_printable(*c)).count())
        {
            return Err(place.impossible("[alerts] name", name, texts::ALERT_NAME));
        }
        for (key, url) in [("heartbeat", &self.heartbeat), ("proxy", &self.proxy)] {
            is_url(&format!("[alerts] {key}"), url.as_ref(), place)?;
        }
        let files = [
            ("heartbeat_file", &self.heartbeat_file),
            ("authorities", &self.authorities),
        ];
        for (key, path) in files {
            is_file(&format!("[alerts] {key}"), path.as_ref(), place)?;
        }
        for mail in &self.mail {
            check_mail(mail, place)?;
        }
        for one in &self.webhook {
            let (at, one) = (one.span().start, one.get_ref());
            is_url("[[alerts.webhook]] url", one.url.as_ref(), place)?;
            is_file("[[alerts.webhook]] url_file", one.url_file.as_ref(), place)?;
            is_secret(
                "[[alerts.webhook]] secret",
                one.secret_file.as_ref(),
                one.secret_command.as_ref(),
                place,
            )?;
            if one.url.is_some() == one.url_file.is_some() {
                return Err(place.at(at, &missing(place, "[[alerts.webhook]]", "url, url_file")));
            }
        }
        for one in &self.wecom {
            let (at, one) = (one.span().start, one.get_ref());
            is_url("[[alerts.wecom]] url", one.url.as_ref(), place)?;
            if !is_secret(
                "[[alerts.wecom]] key",
                one.key_file.as_ref(),
                one.key_command.as_ref(),
                place,
            )? {
                return Err(place.at(at, &missing(place, "[[alerts.wecom]]", "key_file, key_command")));
            }
        }
        for one in &self.dingtalk {
            let (at, one) = (one.span().start, one.get_ref());
            is_url("[[alerts.dingtalk]] url", one.url.as_ref(), place)?;
            is_secret(
                "[[alerts.dingtalk]] secret",
                one.secret_file.as_ref(),
                one.secret_command.as_ref(),
                place,
            )?;
            if !is_secret(
                "[[alerts.dingtalk]] token",
                one.token_file.as_ref(),
                one.token_command.as_ref(),
                place,
            )? {
                return Err(place.at(
                    at,
                    &missing(place, "[[alerts.dingtalk]]", "token_file, token_command"),
                ));
            }
        }
        for one in &self.command {
            is_program("[[alerts.command]] run", &one.get_ref().run, place)?;
        }
        Ok(())
    }
}

fn check_mail(mail: &Spanned<MailSettings>, place: &Place<'_>) -> Result<()> {
    let (at, mail) = (mail.span().start, mail.get_ref());
    if !is_host(mail.server.get_ref()) {
        return Err(place.impossible("[[alerts.mail]] server", &mail.server, texts::HOST));
    }
    if let Some(port) = &mail.port
        && !(1..=65_535).contains(port.get_ref())
    {
        return Err(place.impossible("[[alerts.mail]] port", port, texts::PORT));
    }
    if let Some(word) = &mail.encryption
        && !matches!(word.get_ref().as_str(), "starttls" | "tls" | "none")
    {
        return Err(place.impossible("[[alerts.mail]] encryption", word, texts::ENCRYPTION));
    }
    let to = mail.to.get_ref();
    if let Some(wrong) = to.iter().find(|address| !is_mailbox(address)) {
        let shown = Spanned::new(mail.to.span(), wrong.clone());
        return Err(place.impossible("[[alerts.mail]] to", &shown, texts::MAILBOX));
    }
    if !is_mailbox(mail.from.get_ref()) {
        return Err(place.impossible("[[alerts.mail]] from", &mail.from, texts::MAILBOX));
    }
    let password = is_secret(
        "[[alerts.mail]] password",
        mail.password_file.as_ref(),
        mail.password_command.as_ref(),
        place,
    )?;
    if mail.user.is_some() != password {
        return Err(place.at(
            at,
            &missing(place, "[[alerts.mail]]", "user, password_file, password_command"),
        ));
    }
    if to.is_empty() {
        return Err(place.at(at, &missing(place, "[[alerts.mail]]", "to")));
    }
    if password && encryption(mail) == Encryption::None && !is_this_host(mail.server.get_ref()) {
        return Err(place.at(at, texts::PASSWORD_IN_CLEAR.of(place.language)));
    }
    Ok(())
}

/// A relay on this host is not asked for encryption; every other server has to do it.
fn encryption(mail: &MailSettings) -> Encryption {
    match mail.encryption.as_ref().map(|word| word.get_ref().as_str()) {
        Some("none") => Encryption::None,
        Some("tls") => Encryption::Tls,
        None if is_this_host(mail.server.get_ref()) => Encryption::None,
        _ => Encryption::StartTls,
    }
}

fn is_this_host(server: &str) -> bool {
    server == "localhost"
        || server
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn missing(place: &Place<'_>, table: &str, keys: &str) -> String {
    texts::INCOMPLETE.fill(place.language, &[("table", table), ("keys", keys)])
}

fn secret(file: Option<&Spanned<String>>, command: Option<&Spanned<Vec<String>>>) -> Option<Secret> {
    file.map(|path| Secret::File(path.get_ref().into()))
        .or_else(|| command.map(|words| Secret::Command(words.get_ref().clone())))
}

/// Whether there is one. `NAME_file` and `NAME_command` are two ways to say the same thing.
fn is_secret(
    key: &str,
    file: Option<&Spanned<String>>,
    command: Option<&Spanned<Vec<String>>>,
    place: &Place<'_>,
) -> Result<bool> {
    is_file(&format!("{key}_file"), file, place)?;
    if let Some(command) = command {
        is_program(&format!("{key}_command"), command, place)?;
    }
    match (file, command) {
        (Some(file), Some(_)) => {
            let name = key.rsplit(' ').next().unwrap_or_default();
            let why = texts::SAID_TWICE.fill(
                place.language,
                &[
                    ("file", &format!("{name}_file")),
                    ("command", &format!("{name}_command")),
                ],
            );
            Err(place.at(file.span().start, &why))
        }
        (None, None) => Ok(false),
        _ => Ok(true),
    }
}

fn is_file(key: &str, path: Option<&Spanned<String>>, place: &Place<'_>) -> Result<()> {
    match path {
        Some(path) if !path.get_ref().starts_with('/') || !path.get_ref().chars().all(host::is_printable) => {
            Err(place.impossible(key, path, texts::ABSOLUTE))
        }
        _ => Ok(()),
    }
}

fn is_url(key: &str, url: Option<&Spanned<String>>, place: &Place<'_>) -> Result<()> {
    let fits = |url: &str| {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic()))
    };
    match url {
        Some(url) if !fits(url.get_ref()) => Err(place.impossible(key, url, texts::URL)),
        _ => Ok(()),
    }
}

/// A program that root will run: it is named by its path, and nobody else can change it.
fn is_program(key: &str, words: &Spanned<Vec<String>>, place: &Place<'_>) -> Result<()> {
    let program = words.get_ref().first().map(String::as_str).unwrap_or_default();
    if !program.starts_with('/') {
        let shown = Spanned::new(words.span(), program.to_owned());
        return Err(place.impossible(key, &shown, texts::ABSOLUTE));
    }
    let writers = untrusted::writers(Path::new(program)).unwrap_or_default();
    match others(writers, place.language) {
        Some(who) => {
            let values = [("key", key), ("file", program), ("who", &who)];
            Err(place.at(
                words.span().start,
                &texts::FOREIGN_PROGRAM.fill(place.language, &values),
            ))
        }
        None => Ok(()),
    }
}
