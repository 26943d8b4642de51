//! The group robots of WeCom and DingTalk. Both answer with HTTP status 200 whatever happens; what counts is `errcode`. Each takes 20
//! messages a minute.
//!
//! WeCom: <https://developer.work.weixin.qq.com/document/path/91770>. DingTalk: <https://open.dingtalk.com/document/robots/custom-robot-access>.

use super::Http;
use crate::{Message, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use host::Deadline;
use ring::hmac;
use serde::Deserialize;
use std::fmt::Write;

/// WeCom takes no longer text, in bytes; DingTalk's 20000 bytes are never reached then either.
const LONGEST: usize = 2048;

#[derive(Deserialize)]
struct Answer {
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

pub(super) fn wecom(
    url: &str,
    key: &Secret,
    http: &Http,
    message: &Message,
    deadline: Deadline,
) -> Result<(), String> {
    let key = key.read(deadline)?;
    tell(http, &format!("{url}?key={}", escaped(&key)), message, &[&key])
}

pub(super) fn dingtalk(
    url: &str,
    token: &Secret,
    secret: Option<&Secret>,
    http: &Http,
    message: &Message,
    deadline: Deadline,
) -> Result<(), String> {
    let token = token.read(deadline)?;
    let mut url = format!("{url}?access_token={}", escaped(&token));
    if let Some(secret) = secret {
        // Their clock and ours may differ by an hour.
        let now = host::now().as_millis().to_string();
        let sign = escaped(&signature(&secret.read(deadline)?, &now));
        let _ = write!(url, "&timestamp={now}&sign={sign}");
    }
    tell(http, &url, message, &[&token])
}

fn tell(http: &Http, url: &str, message: &Message, secrets: &[&str]) -> Result<(), String> {
    let text = message.within(LONGEST);
    let body = serde_json::json!({ "msgtype": "text", "text": { "content": text } });
    let said = http.post(url, &[], &body.to_string())?;
    match serde_json::from_str::<Answer>(&said) {
        Ok(Answer { errcode: 0, .. }) => Ok(()),
        Ok(Answer { errcode, errmsg }) => {
            let without = |text: String, secret: &&str| text.replace(secret, "***");
            Err(format!(
                "the robot refuses: {errcode} {}",
                secrets.iter().fold(errmsg, without)
            ))
        }
        Err(_) => Err("the answer is not a robot's; check the URL".into()),
    }
}

/// DingTalk's: the time in milliseconds and the secret, signed with the secret.
fn signature(secret: &str, now: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{now}\n{secret}").as_bytes()))
}

/// As a value in a URL.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_dingtalks() {
        // Made with Python's hmac, base64 and urllib.
        let signed = signature("SECabc", "1700000000000");
        assert_eq!(signed, SIGNED);
        assert_eq!(escaped("a+/=ü"), "a%2B%2F%3D%C3%BC");
    }

    const SIGNED: &str = "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM=";
}
