//! A gateway that quotes what passes through it: the credential and the bodies of a request in the error that it answers.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::json;

use crate::journal::FaceName;
use crate::reply::Reply;

/// How much is quoted of each thing, in characters.
const QUOTED: usize = 150;

/// What stands before a secret in the bodies that bear one: an app's spec, the reply of a mint, that of an App's token.
const BEFORE_SECRETS: [&str; 3] = ["\"SPACES_SECRET_KEY\"", "\"secret_key\"", "\"token\""];

/// How a gateway spells what it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As it is.
    Plain,
    /// Every character but letters and digits as `%2B`.
    Percent,
    /// Base64 of all of it.
    Base64,
    /// Every character but letters and digits as `\u002b`, within the text itself.
    Unicode,
    /// Every character but letters and digits as `&#43;`.
    Html,
    /// With a line break after every 20 characters.
    Wrapped,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::Percent,
        Self::Base64,
        Self::Unicode,
        Self::Html,
        Self::Wrapped,
    ];

    fn spell(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Base64 => BASE64_STANDARD.encode(text),
            Self::Percent => escaped(text, |c| format!("%{:02X}", u32::from(c))),
            Self::Unicode => escaped(text, |c| format!("\\u{:04x}", u32::from(c))),
            Self::Html => escaped(text, |c| format!("&#{};", u32::from(c))),
            Self::Wrapped => {
                let characters: Vec<char> = text.chars().collect();
                let lines: Vec<String> = characters.chunks(20).map(|line| line.iter().collect()).collect();
                lines.join("\n")
            }
        }
    }
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    let spell = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_string()
        } else {
            escape(c)
        }
    };
    text.chars().map(spell).collect()
}

/// What a request holds that a gateway may quote.
#[derive(Debug)]
pub(crate) struct Asked {
    face: FaceName,
    authorization: String,
    body: Bytes,
}

impl Asked {
    pub(crate) fn of(face: FaceName, request: &Request<Bytes>) -> Self {
        let authorization = request.headers().get(header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        Self {
            face,
            authorization: authorization.unwrap_or_default().to_owned(),
            body: request.body().clone(),
        }
    }

    /// The error in the form of the face: every field of it quotes the true reply, the credential and what was sent,
    /// behind so many other characters.
    pub(crate) fn echoed(
        &self,
        status: StatusCode,
        spelling: Spelling,
        behind: usize,
        reply: &Reply,
    ) -> Reply {
        let parts = [
            excerpt(reply.response.body()),
            self.authorization.chars().take(QUOTED).collect(),
            excerpt(&self.body),
        ];
        let quoted = format!("{}{}", "-".repeat(behind), spelling.spell(&parts.join(" ")));
        let (name, echo) = match self.face {
            FaceName::DigitalOcean => {
                let body = json!({ "id": quoted, "message": quoted, "request_id": quoted });
                ("x-request-id", Reply::json(status, &body))
            }
            FaceName::GitHub => {
                let body = json!({ "message": quoted, "errors": [quoted, { "message": quoted }] });
                ("x-github-request-id", Reply::json(status, &body))
            }
            FaceName::Spaces => (
                "x-amz-request-id",
                Reply::new(status, "application/xml", document(&quoted)),
            ),
        };
        echo.header(name, &quoted)
    }
}

/// The part of a body that bears a secret, or its beginning.
fn excerpt(body: &Bytes) -> String {
    let text = String::from_utf8_lossy(body);
    let start = BEFORE_SECRETS
        .iter()
        .find_map(|before| text.find(before))
        .unwrap_or(0);
    text[start..].chars().take(QUOTED).collect()
}

fn document(quoted: &str) -> String {
    let quoted = quoted.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{quoted}</Code><Message>{quoted}</Message>\
         <Resource>{quoted}</Resource><RequestId>{quoted}</RequestId></Error>"
    )
}
