//! stub
use crate::tui::theme::Theme;
use futures_util::future::BoxFuture;
use std::sync::Arc;
/// s
#[derive(Clone)]
pub struct Menu {
    /// s
    pub title: String,
    /// s
    pub items: Vec<String>,
    /// s
    pub pick: Arc<dyn Fn(usize) -> BoxFuture<'static, Result<String, String>> + Send + Sync>,
}
/// s
pub struct Options {
    /// s
    pub theme: Theme,
    /// s
    pub ascii: bool,
    /// s
    pub operator: String,
    /// s
    pub menu: Option<Menu>,
}
