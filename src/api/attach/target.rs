//! Which instance, and who asks.

/// What is connected to, and as whom.
#[derive(Clone)]
pub struct Target {
    /// `http://HOST:PORT`.
    pub url: String,
    /// What it asks for.
    pub token: Option<String>,
    /// Who decides, for its record.
    pub name: String,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.url)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
