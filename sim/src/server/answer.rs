//! Answers on their way out.

use std::io;

use futures_util::{Stream, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::refused::Refused;

/// The body of an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a route answers with.
pub(super) enum Answer {
    /// Nothing, with this status.
    Empty(u16),
    /// JSON.
    Json(u16, String),
    /// Plain text.
    Text(&'static str),
    /// A stream of pieces of this type.
    Stream(&'static str, Pieces),
    /// A whole response of its own.
    Whole(Box<Response<Body>>),
}

/// Pieces of a body, each as it comes.
pub(super) type Pieces = futures_util::stream::BoxStream<'static, Bytes>;

impl Answer {
    pub(super) fn ok(value: &Value) -> Self {
        Self::Json(200, value.to_string())
    }

    pub(super) fn created(value: &Value) -> Self {
        Self::Json(201, value.to_string())
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let (status, kind, body) = match self {
            Self::Empty(status) => (status, None, full(String::new())),
            Self::Json(status, text) => (status, Some("application/json"), full(text)),
            Self::Text(text) => (200, Some("text/plain; charset=utf-8"), full(text.to_owned())),
            Self::Stream(kind, pieces) => (200, Some(kind), streamed(pieces.map(Ok))),
            Self::Whole(response) => return *response,
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(kind) = kind {
            response
                .headers_mut()
                .insert("content-type", hyper::header::HeaderValue::from_static(kind));
        }
        response
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        if refused.status == 304 {
            return Self::Empty(304);
        }
        Self::Json(refused.status, json!({"message": refused.message}).to_string())
    }
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}

fn streamed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync()
}

/// The same body, broken off after so many bytes.
pub(super) fn cut(body: Body, bytes: u64) -> Body {
    let pieces = body.into_data_stream();
    let cut = futures_util::stream::unfold(Some((pieces, bytes)), |state| async move {
        let (mut pieces, left) = state?;
        let broken = || io::Error::new(io::ErrorKind::ConnectionReset, "cut by a switch");
        if left == 0 {
            return Some((Err(broken()), None));
        }
        match pieces.next().await? {
            Ok(piece) => {
                let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                let used = u64::try_from(most).unwrap_or(u64::MAX);
                Some((Ok(piece.slice(..most)), Some((pieces, left - used))))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    streamed(cut)
}
