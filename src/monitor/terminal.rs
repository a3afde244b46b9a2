//! The log of a container with a terminal: raw bytes without frames, cut into pieces of bounded
//! length here, because the client library gathers such a stream until a line end comes. A
//! progress bar that only ever writes carriage returns would fill the memory.

use bollard::container::LogOutput;
use bollard::errors::Error;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::monitor::lines::LINE_BYTES;

/// Reads `path` of the engine at `url`; `None` for transports that only the client library has
/// (TLS, ssh): there its own decoder has to do.
pub(super) fn read(
    url: &str,
    path: String,
) -> Option<BoxStream<'static, Result<LogOutput, Error>>> {
    let address = if let Some(socket) = url.strip_prefix("unix://") {
        Address::Socket(socket.to_owned())
    } else {
        let host = url.strip_prefix("tcp://").or_else(|| url.strip_prefix("http://"))?;
        Address::Host(host.trim_end_matches('/').to_owned())
    };
    let opened = stream::once(async move {
        match open(&address, &path).await {
            Ok(body) => pieces(body).boxed(),
            Err(error) => stream::once(async move { Err(error) }).boxed(),
        }
    });
    Some(opened.flatten().boxed())
}

/// Where the engine listens.
enum Address {
    Socket(String),
    Host(String),
}

async fn open(address: &Address, path: &str) -> Result<Incoming, Error> {
    match address {
        Address::Socket(socket) => ask(UnixStream::connect(socket).await?, path).await,
        Address::Host(host) => ask(TcpStream::connect(host).await?, path).await,
    }
}

async fn ask(
    transport: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
) -> Result<Incoming, Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(transport)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a log connection ended: {error}");
        }
    });
    let request = Request::get(path).header("host", "docker").body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    match response.status() {
        StatusCode::OK => Ok(response.into_body()),
        status => Err(Error::DockerResponseServerError {
            status_code: status.as_u16(),
            message: format!("the engine answered {status}"),
        }),
    }
}

/// Whole lines, or pieces of a line that is longer than what is kept of one.
fn pieces(body: Incoming) -> impl futures_util::Stream<Item = Result<LogOutput, Error>> {
    stream::unfold(
        (body, Splitter::default(), false),
        |(mut body, mut splitter, ended)| async move {
            if ended {
                return None;
            }
            loop {
                if let Some(piece) = splitter.next() {
                    return Some((Ok(piece), (body, splitter, false)));
                }
                match body.frame().await {
                    Some(Ok(frame)) => {
                        if let Ok(bytes) = frame.into_data() {
                            splitter.push(&bytes);
                        }
                    }
                    Some(Err(error)) => return Some((Err(error.into()), (body, splitter, true))),
                    None => {
                        let rest = splitter.rest()?;
                        return Some((Ok(rest), (body, splitter, true)));
                    }
                }
            }
        },
    )
}

/// Gathers bytes until a line is whole or long enough to be passed on.
#[derive(Debug, Default)]
struct Splitter {
    gathered: Vec<u8>,
}

impl Splitter {
    fn push(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Option<LogOutput> {
        let end = match self.gathered.iter().rposition(|b| *b == b'\n') {
            Some(end) => end + 1,
            // The assembler cuts the line; what it needs is only that nothing is kept back.
            None if self.gathered.len() > LINE_BYTES => self.gathered.len(),
            None => return None,
        };
        let message: Vec<u8> = self.gathered.drain(..end).collect();
        Some(LogOutput::Console { message: message.into() })
    }

    fn rest(&mut self) -> Option<LogOutput> {
        let message = std::mem::take(&mut self.gathered);
        (!message.is_empty()).then(|| LogOutput::Console { message: message.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_whole_and_endless_ones_are_passed_on() {
        let mut splitter = Splitter::default();
        splitter.push(b"2026-11-24T03:1");
        assert!(splitter.next().is_none(), "a timestamp is not torn apart");
        splitter.push(b"5:02Z one\n2026-11-24T03:15:03Z tw");
        assert_eq!(splitter.next().unwrap().as_ref(), b"2026-11-24T03:15:02Z one\n");
        assert!(splitter.next().is_none());
        for _ in 0..100 {
            splitter.push(&[b'\r'; 1024]);
            drop(splitter.next());
            assert!(splitter.gathered.len() <= LINE_BYTES);
        }
        splitter.push(b"end");
        assert!(splitter.rest().is_some());
        assert!(splitter.rest().is_none());
    }
}
