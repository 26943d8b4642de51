//! How messages leave. What a channel says of a failure is one sentence without its secrets.

mod command;
mod http;
mod mail;
mod robot;
#[cfg(test)]
mod tls_tests;
mod trust;
mod webhook;

pub use http::Http;
pub use mail::{Encryption, Mail, is_mailbox};

use crate::{Message, Secret};
use host::Deadline;

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its kind and number: `mail-1`. In file names and in what is said of it.
    pub name: String,
    /// Where it leads.
    pub way: Way,
}

/// Where a channel leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// To people, by SMTP.
    Mail(Box<Mail>),
    /// JSON to this URL, signed where there is a secret.
    Webhook {
        /// The URL. It may be a secret itself.
        url: Secret,
        /// What it is signed with.
        secret: Option<Secret>,
        /// How it gets there.
        http: Http,
    },
    /// A group robot of WeCom.
    Wecom {
        /// Up to `?key=`.
        url: String,
        /// The robot's key.
        key: Secret,
        /// How it gets there.
        http: Http,
    },
    /// A group robot of DingTalk.
    Dingtalk {
        /// Up to `?access_token=`.
        url: String,
        /// The robot's token.
        token: Secret,
        /// What it is signed with, where the robot wants that (`SEC…`).
        secret: Option<Secret>,
        /// How it gets there.
        http: Http,
    },
    /// A program, which gets the message as JSON on its standard input.
    Command(Vec<String>),
}

/// Where WeCom's robots are.
pub const WECOM: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send";
/// Where DingTalk's robots are.
pub const DINGTALK: &str = "https://oapi.dingtalk.com/robot/send";

impl Channel {
    /// Sends a message. May wait for the network beyond the deadline; see [`crate::outbox::attempt`].
    pub(crate) fn send(&self, message: &Message, deadline: Deadline) -> Result<(), String> {
        match &self.way {
            Way::Mail(mail) => mail.send(message, deadline),
            Way::Webhook { url, secret, http } => {
                webhook::send(url, secret.as_ref(), http, message, deadline)
            }
            Way::Wecom { url, key, http } => robot::wecom(url, key, http, message, deadline),
            Way::Dingtalk {
                url,
                token,
                secret,
                http,
            } => robot::dingtalk(url, token, secret.as_ref(), http, message, deadline),
            Way::Command(words) => command::send(words, message, deadline),
        }
    }
}

/// Asks for a URL and takes any answer of success: a sign of life.
pub fn heartbeat(url: &Secret, http: &Http, deadline: Deadline) -> Result<(), String> {
    let work = || {
        let url = match url.read(deadline) {
            Ok(url) => url,
            Err(why) => return why.into_bytes(),
        };
        http.get(&url).err().unwrap_or_default().into_bytes()
    };
    match host::bounded::run(deadline, work) {
        Ok(bytes) if bytes.is_empty() => Ok(()),
        Ok(bytes) => Err(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}
