//! Narrows what is watched: `--filter label=KEY[=VALUE]` and `--filter name=TEXT`, as in
//! `docker ps --filter`.

use std::collections::HashMap;

use crate::config::ConfigError;

/// One condition; all of them must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchFilter {
    /// A label is there, and has this value if one is given.
    Label(String, Option<String>),
    /// The container's name contains this.
    Name(String),
}

impl WatchFilter {
    /// Reads `label=KEY`, `label=KEY=VALUE` or `name=TEXT`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match text.split_once('=') {
            Some(("name", part)) if !part.is_empty() => Ok(Self::Name(part.to_owned())),
            Some(("label", rest)) if !rest.is_empty() => Ok(match rest.split_once('=') {
                Some((key, value)) => Self::Label(key.to_owned(), Some(value.to_owned())),
                None => Self::Label(rest.to_owned(), None),
            }),
            _ => Err(ConfigError::Invalid(format!(
                "cannot read the filter {text:?}; write it like name=api, label=KEY or label=KEY=VALUE"
            ))),
        }
    }

    /// Whether a container meets the condition.
    pub fn admits(&self, name: &str, labels: &HashMap<String, String>) -> bool {
        match self {
            Self::Name(part) => name.contains(part.as_str()),
            Self::Label(key, None) => labels.contains_key(key),
            Self::Label(key, Some(value)) => labels.get(key) == Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_like_those_of_docker_ps() {
        let labels = HashMap::from([("team".to_owned(), "shop".to_owned())]);
        let admits = |text| WatchFilter::parse(text).unwrap().admits("shop-api-1", &labels);
        assert!(admits("name=api"));
        assert!(!admits("name=db"));
        assert!(admits("label=team"));
        assert!(admits("label=team=shop"));
        assert!(!admits("label=team=ops"));
        assert!(!admits("label=other"));
        assert!(WatchFilter::parse("api").is_err());
        assert!(WatchFilter::parse("name=").is_err());
    }
}
