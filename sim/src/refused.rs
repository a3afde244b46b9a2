//! What the engine refuses, in its own form: a status and a sentence.

use thiserror::Error;

/// A refusal. Its text goes into `{"message": …}`, as clients expect it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{status}: {message}")]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The engine's sentence.
    pub message: String,
}

impl Refused {
    fn new(status: u16, message: String) -> Self {
        Self { status, message }
    }

    /// Something in the request cannot be read.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message.into())
    }

    /// There is no such thing.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(404, message.into())
    }

    /// Not in the state that it is in.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, message.into())
    }

    /// It is so already: nothing was done, and that is no error.
    pub fn unchanged() -> Self {
        Self::new(304, String::new())
    }

    /// Never allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message.into())
    }

    /// The engine failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(500, message.into())
    }

    /// There is no container of that name or id.
    pub fn no_container(name: &str) -> Self {
        Self::missing(format!("No such container: {name}"))
    }

    /// The container does not run.
    pub fn not_running(id: &str) -> Self {
        Self::conflict(format!("Container {id} is not running"))
    }
}
