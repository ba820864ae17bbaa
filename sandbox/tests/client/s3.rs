//! The same client with an S3 signature.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::io;
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use ring::{digest, hmac};

use super::client::{Answer, answer, request};

/// A key pair at an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Where to connect to, `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// The `Host` header.
    pub(crate) host: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
}

impl Caller {
    /// Sends a signed request; `target` is path and query, whose parameters must be sorted.
    pub(crate) fn send(&self, method: &str, target: &str, body: &str) -> Answer {
        self.send_with(method, target, &[], body)
    }

    /// As [`Caller::send`], with the `Content-MD5` of the body.
    pub(crate) fn send_digested(&self, method: &str, target: &str, body: &str) -> Answer {
        let digest = STANDARD.encode(Md5::digest(body.as_bytes()));
        self.send_with(method, target, &[("content-md5", &digest)], body)
    }

    /// As [`Caller::send`], with more headers, which are not signed.
    pub(crate) fn send_with(&self, method: &str, target: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let headers = self.signature(method, target, body) + &lines(more);
        self.exchange(&request(method, target, &self.host, &headers, body))
            .expect("an answer")
    }

    /// Sends a request without a signature.
    pub(crate) fn send_unsigned(&self, method: &str, target: &str, more: &[(&str, &str)]) -> Answer {
        let headers = lines(more);
        self.exchange(&request(method, target, &self.host, &headers, ""))
            .expect("an answer")
    }

    fn exchange(&self, request: &str) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        io::Write::write_all(&mut stream, request.as_bytes())?;
        answer(stream)
    }

    /// The headers of a version 4 signature.
    fn signature(&self, method: &str, target: &str, body: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let now = chrono::DateTime::from_timestamp(i64::try_from(now).expect("in time"), 0).expect("in time");
        let (date, day) = (
            now.format("%Y%m%dT%H%M%SZ").to_string(),
            now.format("%Y%m%d").to_string(),
        );
        let hash = sha256(body);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| {
            if pair.contains('=') {
                pair.to_owned()
            } else {
                format!("{pair}=")
            }
        });
        let query = query.collect::<Vec<_>>().join("&");
        let names = "host;x-amz-content-sha256;x-amz-date";
        let signed = format!(
            "host:{}\nx-amz-content-sha256:{hash}\nx-amz-date:{date}\n",
            self.host
        );
        let canonical = format!("{method}\n{path}\n{query}\n{signed}\n{names}\n{hash}");
        let scope = format!("{day}/us-east-1/s3/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(&canonical));
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in [day.as_str(), "us-east-1", "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = hex(&mac(&key, &text));
        let credential = format!("{}/{scope}", self.access_key);
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}\r\n\
             x-amz-content-sha256: {hash}\r\nx-amz-date: {date}\r\n"
        )
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
        .as_ref()
        .to_vec()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Headers as they are sent.
fn lines(headers: &[(&str, &str)]) -> String {
    let lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    lines.concat()
}
