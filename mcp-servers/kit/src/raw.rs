//! The Engine API in its own words: JSON in, JSON out.
//!
//! A typed model drops what it does not know (an old engine's `Config.MacAddress`, a new
//! engine's new field). Where a container must survive as it is, its description passes through
//! here untouched. One connection a request; a reply of more than [`REPLY_MAX`] bytes is refused.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::tls;

/// The longest reply that is read, in bytes.
pub const REPLY_MAX: usize = 32 << 20;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// One request to the engine.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'a Method,
    /// Path and query, made of ids and checked names only.
    pub path: &'a str,
    /// The JSON body.
    pub body: Option<&'a Value>,
    /// How long the answer may take.
    pub wait: Duration,
    /// What this is, for the error: "inspect demo-api".
    pub doing: &'a str,
}

/// A text from outside as one segment of a path: everything but letters, digits, `-`, `_`, `.`
/// and `~` is escaped, and so is a segment that only means a folder.
pub fn segment(text: &str) -> String {
    let only_dots = text.bytes().all(|b| b == b'.');
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
        if plain || (byte == b'.' && !only_dots) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 15].map(|half| {
                    char::from_digit(half.into(), 16).unwrap_or('0').to_ascii_uppercase()
                }),
            );
        }
    }
    out
}

/// Sends a request and reads its JSON answer (`null` where there is none). A status of 300 or
/// more is a [`Failure::Engine`] with the engine's own message, 304 ("already so") excepted.
pub async fn send(endpoint: &Endpoint, ask: Ask<'_>) -> Result<Value, Failure> {
    let work = async {
        match endpoint {
            Endpoint::Unix(path) => {
                let stream = connected(endpoint, UnixStream::connect(path)).await?;
                over(endpoint, stream, ask).await
            }
            Endpoint::Tcp(address) => {
                let stream = connected(endpoint, TcpStream::connect(address)).await?;
                over(endpoint, stream, ask).await
            }
            Endpoint::Tls { address, certificates } => {
                let tcp = connected(endpoint, TcpStream::connect(address)).await?;
                let stream = tls::wrap(tcp, address, certificates)
                    .await
                    .map_err(|reason| unreachable_engine(endpoint, reason))?;
                over(endpoint, stream, ask).await
            }
        }
    };
    match tokio::time::timeout(ask.wait, work).await {
        Ok(result) => result,
        Err(_) => Err(Failure::Timeout(format!(
            "the Docker engine at {endpoint} did not {} within {} s",
            ask.doing,
            ask.wait.as_secs()
        ))),
    }
}

async fn connected<S>(
    endpoint: &Endpoint,
    connecting: impl Future<Output = std::io::Result<S>>,
) -> Result<S, Failure> {
    match tokio::time::timeout(CONNECT, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) => Err(unreachable_engine(endpoint, e.to_string())),
        Err(_) => {
            Err(unreachable_engine(endpoint, format!("no answer within {} s", CONNECT.as_secs())))
        }
    }
}

async fn over<S>(endpoint: &Endpoint, stream: S, ask: Ask<'_>) -> Result<Value, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lost = |e: &dyn std::fmt::Display| unreachable_engine(endpoint, e.to_string());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| lost(&e))?;
    // The connection ends with the request: it is driven beside it, not on its own.
    let connection = tokio::spawn(connection);
    let answer = async {
        let body = ask.body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header("Host", "docker")
            .header("Content-Type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| lost(&e))?;
        let reply = sender.send_request(request).await.map_err(|e| lost(&e))?;
        let status = reply.status().as_u16();
        let bytes = Limited::new(reply.into_body(), REPLY_MAX)
            .collect()
            .await
            .map_err(|e| lost(&e))?
            .to_bytes();
        Ok((status, bytes))
    }
    .await;
    connection.abort();
    let (status, bytes) = answer?;
    let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if status < 300 || status == 304 {
        return Ok(value);
    }
    let said = value
        .get("message")
        .and_then(Value::as_str)
        .map_or_else(|| crate::text::line(&String::from_utf8_lossy(&bytes)), crate::text::line);
    Err(Failure::Engine { doing: ask.doing.to_owned(), status: Some(status), reason: said })
}

fn unreachable_engine(endpoint: &Endpoint, reason: String) -> Failure {
    Failure::Unreachable { endpoint: endpoint.to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_place_in_a_path() {
        assert_eq!(segment("demo_api-1.x~"), "demo_api-1.x~");
        assert_eq!(segment("../a b?x=1#%"), "..%2Fa%20b%3Fx%3D1%23%25");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("é"), "%C3%A9");
    }
}
