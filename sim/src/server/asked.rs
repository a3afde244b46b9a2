//! A request, taken apart.

use hyper::Method;
use hyper::upgrade::OnUpgrade;
use serde_json::Value;

use crate::engine::Engine;
use crate::query::Query;

/// What a route gets.
pub(super) struct Asked {
    pub(super) engine: Engine,
    pub(super) method: Method,
    /// The path without its version, in pieces.
    pub(super) path: Vec<String>,
    pub(super) query: Query,
    pub(super) body: Value,
    /// Where the connection goes on as a plain one, if the client asked for that.
    pub(super) upgrade: Option<OnUpgrade>,
}
