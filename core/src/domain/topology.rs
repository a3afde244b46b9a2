//! Who needs whom: one edge, where it is known from, and how sure that is.

use serde::{Deserialize, Serialize};

/// Where an edge is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeSource {
    /// The label `sre-sentinel.depends-on`.
    Label,
    /// Compose's own `depends_on` label.
    Compose,
    /// It shares the other one's network namespace (`container:X`).
    Namespace,
    /// A value of its environment names the other one.
    Environment,
    /// One of its log lines names the other one as the peer that does not answer.
    Log,
    /// Both are on one user network: they may speak, nothing says that they do.
    Network,
}

/// `from` needs `to`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Name of the container that needs.
    pub from: String,
    /// Name of the container that is needed.
    pub to: String,
    /// Where it is known from: the surest source.
    pub source: EdgeSource,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// What says so, in words: `PEER_URL names data:9000`.
    pub why: String,
}
