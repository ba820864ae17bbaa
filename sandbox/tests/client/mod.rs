//! A tiny HTTP client: one request, one connection.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// An answer, as far as tests look.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

/// Sends a request with a bearer token to an `http://` URL.
pub(crate) fn send(url: &str, token: &str, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let host = url.strip_prefix("http://").expect("a plain URL");
    let mut stream = TcpStream::connect(host)?;
    let authorization = format!("Authorization: Bearer {token}\r\n");
    stream.write_all(request(method, path, host, &authorization, body).as_bytes())?;
    answer(stream)
}

/// The text of a request that closes its connection.
pub(crate) fn request(method: &str, path: &str, host: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Reads until the connection closes; an answer without a status line is an error.
pub(crate) fn answer(mut stream: impl Read) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        headers: head.to_owned(),
        body: body.to_owned(),
    })
}
