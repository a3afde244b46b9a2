//! Why a request got nothing: a status and one sentence.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use serde_json::json;

use crate::runtime::handle::CommandError;

/// The reason.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    words: String,
    wait: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), wait: None }
    }

    pub(super) fn bad(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words)
    }

    pub(super) fn none(words: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, words)
    }

    pub(super) fn conflict(words: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, words)
    }

    /// Nobody is known by what was shown.
    pub(super) fn unknown() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "show the token of this instance as Authorization: Bearer …",
        )
    }

    /// Too many requests; the next one in so many seconds.
    pub(super) fn slower(seconds: u64) -> Self {
        let words = format!("too many requests from this address; try again in {seconds} s");
        Self { status: StatusCode::TOO_MANY_REQUESTS, words, wait: Some(seconds) }
    }

    /// Whether it is about the pace.
    pub(super) fn is_slower(&self) -> bool {
        self.wait.is_some()
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let status = match error {
            CommandError::Refused(_) => StatusCode::CONFLICT,
            CommandError::Busy | CommandError::Closed => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.words }))).into_response();
        let headers: &mut http::HeaderMap = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let realm = HeaderValue::from_static("Bearer realm=\"sentinel-tui\"");
            headers.insert(WWW_AUTHENTICATE, realm);
        }
        if let Some(seconds) = self.wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
