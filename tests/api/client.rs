//! A client that says exactly what a test wants said.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::Fallible;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Fallible<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Sends these bytes and reads until the other end closes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Fallible<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    // Whoever is refused in the middle of a long body sees the connection go.
    let sent = stream.write_all(bytes).await;
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text).await;
    let text = String::from_utf8_lossy(&text).into_owned();
    if text.is_empty() {
        sent?;
        read?;
        return Err("closed without an answer".into());
    }
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// A request with further header lines, each ended by CR LF.
pub(crate) async fn ask(
    address: SocketAddr,
    line: &str,
    headers: &str,
    body: &str,
) -> Fallible<Answer> {
    let length = body.len();
    let text = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    raw(address, text.as_bytes()).await
}

/// What is there to read.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Fallible<Answer> {
    ask(address, &format!("GET {path}"), "", "").await
}

/// The header line of a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Asks for a change.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    token: &str,
    body: &Value,
) -> Fallible<Answer> {
    let headers = format!("{}Content-Type: application/json\r\n", bearer(token));
    ask(address, &format!("POST {path}"), &headers, &body.to_string()).await
}
