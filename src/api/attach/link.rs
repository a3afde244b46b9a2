//! One connection to an instance elsewhere.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::snapshot::Snapshot;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use crate::api::attach::target::Target;
use crate::api::words::{Ask, Hello, PROTOCOL, Place, Say, Want};

/// How long connecting and the first words may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that says nothing for this long is lost; the other end pings more often.
const SILENCE: Duration = Duration::from_secs(45);
/// Bytes of the largest view that is taken.
const LARGEST: usize = 64 * 1024 * 1024;

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum LinkError {
    /// The address cannot be used.
    #[error("write the address like http://127.0.0.1:8000 ({0})")]
    Address(String),
    /// Nothing answers there.
    #[error("{0}")]
    Unreachable(String),
    /// It does not want to talk.
    #[error("it refused: {0}")]
    Refused(String),
    /// It runs another version, which speaks otherwise.
    #[error("it runs sentinel-tui {0}, which speaks otherwise")]
    Version(String),
    /// What it says is not understood.
    #[error("what it says is not understood: {0}")]
    Strange(String),
    /// It ended or broke.
    #[error("the connection was lost: {0}")]
    Lost(String),
}

/// What is heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// The protocol's own words.
    Said(Box<Say>),
    /// A fact.
    Event(Box<Envelope>),
}

/// The connection.
#[derive(Debug)]
pub(super) struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Names the run at the other end.
    pub(super) run: String,
    /// The version at the other end.
    pub(super) version: String,
    /// The first view, where it was waited for.
    pub(super) first: Option<Arc<Snapshot>>,
}

impl Link {
    /// Connects and says the first word.
    pub(super) async fn open(target: &Target, resume: Option<Place>) -> Result<Self, LinkError> {
        timeout(PATIENCE, Self::connect(target, resume))
            .await
            .map_err(|_| LinkError::Unreachable(format!("no answer within {PATIENCE:?}")))?
    }

    async fn connect(target: &Target, resume: Option<Place>) -> Result<Self, LinkError> {
        let url = socket_address(&target.url)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST))
            .max_frame_size(Some(LARGEST));
        let connected = connect_async_with_config(url.as_str(), Some(config), true).await;
        let (socket, _) = connected.map_err(|error| LinkError::Unreachable(words(&error)))?;
        let (run, version) = (String::new(), String::new());
        let mut link = Self { socket, run, version, first: None };
        let (token, name) = (target.token.clone(), Some(target.name.clone()));
        link.send(&Hello { v: PROTOCOL, token, name, want: Want::View, resume }).await?;
        match link.hear().await? {
            Heard::Said(said) => match *said {
                Say::Welcome { v: PROTOCOL, version, run, .. } => {
                    (link.run, link.version) = (run, version);
                    Ok(link)
                }
                Say::Welcome { version, .. } => Err(LinkError::Version(version)),
                other => Err(LinkError::Strange(format!("{other:?}").chars().take(80).collect())),
            },
            Heard::Event(_) => Err(LinkError::Strange("an event before the welcome".to_owned())),
        }
    }

    /// Waits for the first state of everything.
    pub(super) async fn first_view(&mut self) -> Result<Arc<Snapshot>, LinkError> {
        let wait = async {
            loop {
                if let Heard::Said(said) = self.hear().await?
                    && let Say::View { snapshot } = *said
                {
                    self.first = Some(Arc::clone(&snapshot));
                    return Ok(snapshot);
                }
            }
        };
        let none = |_| LinkError::Unreachable("it does not say how things are".to_owned());
        timeout(PATIENCE, wait).await.map_err(none)?
    }

    /// The next word. Safe to be called off.
    pub(super) async fn hear(&mut self) -> Result<Heard, LinkError> {
        loop {
            let message = match timeout(SILENCE, self.socket.next()).await {
                Err(_) => return Err(LinkError::Lost(format!("nothing for {SILENCE:?}"))),
                Ok(None) => return Err(LinkError::Lost("it was closed".to_owned())),
                Ok(Some(Err(error))) => return Err(LinkError::Lost(words(&error))),
                Ok(Some(Ok(message))) => message,
            };
            match message {
                Message::Text(text) => return understood(&text),
                Message::Close(_) => return Err(LinkError::Lost("it was closed".to_owned())),
                _ => {}
            }
        }
    }

    /// Asks for something.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<(), LinkError> {
        self.send(ask).await
    }

    async fn send(&mut self, what: &impl serde::Serialize) -> Result<(), LinkError> {
        let text =
            serde_json::to_string(what).map_err(|error| LinkError::Strange(error.to_string()))?;
        match timeout(PATIENCE, self.socket.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| LinkError::Lost(words(&error))),
            Err(_) => Err(LinkError::Lost("it does not read any more".to_owned())),
        }
    }
}

/// An event has a `type`, everything else a `say`.
fn understood(text: &str) -> Result<Heard, LinkError> {
    let strange = |error: serde_json::Error| LinkError::Strange(error.to_string());
    if text.starts_with("{\"say\":") {
        return match serde_json::from_str(text).map_err(strange)? {
            Say::Refused { version: Some(version), .. } => Err(LinkError::Version(version)),
            Say::Refused { why, .. } => Err(LinkError::Refused(why)),
            said => Ok(Heard::Said(Box::new(said))),
        };
    }
    Ok(Heard::Event(Box::new(serde_json::from_str(text).map_err(strange)?)))
}

/// The address of the WebSocket behind that of the instance. The error does not repeat what was
/// given: it may hold a password.
fn socket_address(url: &str) -> Result<String, LinkError> {
    let wrong = |why: &str| LinkError::Address(why.to_owned());
    let text = url.trim();
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let mut url = Url::parse(&text).map_err(|error| LinkError::Address(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a name or password: use --token"));
    }
    let scheme = match url.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return Err(wrong("it begins with http:// or https://")),
    };
    url.set_scheme(scheme).map_err(|()| wrong("it names no machine"))?;
    let path = format!("{}/ws", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.into())
}

/// An error in words, without the layers around it.
fn words(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::Http(response) => match response.status().as_u16() {
            401 => "it asks for a token: use --token".to_owned(),
            403 => "it does not go by this name: name it in its API_ALLOWED_HOSTS".to_owned(),
            404 => "there is no sentinel-tui API at this address".to_owned(),
            status => format!("it answered with HTTP status {status}"),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_what_was_given() {
        for (given, expected) in [
            ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws"),
            ("http://host:8000/", "ws://host:8000/ws"),
            ("host:8000", "ws://host:8000/ws"),
            ("https://host/sre/", "wss://host/sre/ws"),
            (" http://[::1]:8000/#token ", "ws://[::1]:8000/ws"),
        ] {
            assert_eq!(socket_address(given).unwrap(), expected);
        }
        for given in ["ftp://host", "http://", "http://ann:hunter2@host:8000"] {
            let error = socket_address(given).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
