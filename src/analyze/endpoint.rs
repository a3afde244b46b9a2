//! Where a model answers, and the bounds of a question to it.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::analyze::failure::Asked;
use crate::config::models::ModelEndpoint;

/// Where a model answers.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The role: `triage` or `analyst`.
    pub name: String,
    /// The address up to `/v1`.
    pub base: Url,
    /// What is sent as `Authorization: Bearer …`.
    pub key: Option<SecretString>,
    /// Models, the preferred one first. Empty: the first that is offered.
    pub models: Vec<String>,
    /// The variable that holds the key, for messages.
    pub key_name: String,
}

impl Endpoint {
    /// The endpoint of a role, as it is configured.
    pub fn new(name: &str, settings: &ModelEndpoint) -> Self {
        Self {
            name: name.to_owned(),
            base: settings.base.clone(),
            key: settings.key.clone(),
            models: settings.models.clone(),
            key_name: settings.key_name.clone(),
        }
    }

    /// The address of something below the base.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Words for who is asked.
    pub(crate) fn asked(&self, model: Option<&str>) -> Asked {
        Asked {
            role: self.name.clone(),
            model: model.map(str::to_owned),
            base: self.base.as_str().trim_end_matches('/').to_owned(),
            key_name: self.key_name.clone(),
            keyed: self.key.is_some(),
        }
    }
}

/// The bounds of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the first byte.
    pub first_byte: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// For one try; all together have as much for each try.
    pub whole: Duration,
    /// Further tries behind the first.
    pub retries: u32,
    /// Bytes of an answer.
    pub reply_bytes: usize,
    /// Questions at once; others wait for their turn.
    pub concurrency: usize,
}

impl Limits {
    /// Bounds for who waits so long for an answer to begin or to go on.
    pub fn patient(patience: Duration) -> Self {
        Self {
            first_byte: patience,
            idle: patience,
            whole: patience.saturating_mul(4),
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(15),
            whole: Duration::from_secs(90),
            retries: 3,
            reply_bytes: 256 * 1024,
            concurrency: 2,
        }
    }
}
