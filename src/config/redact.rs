//! The section `[redact]`: what is hidden, and what stays readable, beyond what is built in.

use sentinel_core::redact::custom::Custom;
use serde::Deserialize;

use crate::config::ConfigError;

/// The section `[redact]`. Nothing in it takes a built-in rule away.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedactSettings {
    /// Regular expressions of what is hidden: their group `secret`, or all that they match.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Regular expressions of values that stay readable: each has to match the whole value.
    #[serde(default)]
    pub allow: Vec<String>,
}

impl RedactSettings {
    /// What it adds to the built-in rules.
    pub fn custom(&self) -> Result<Custom, ConfigError> {
        Custom::new(&self.patterns, &self.allow)
            .map_err(|why| ConfigError::Invalid(format!("[redact] {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::FileSettings;

    fn custom(text: &str) -> Result<Custom, String> {
        let file = FileSettings::parse(text)?;
        file.redact.unwrap_or_default().custom().map_err(|e| e.to_string())
    }

    #[test]
    fn patterns_are_taken() {
        let custom = custom("[redact]\npatterns = ['EMP-\\d{6}']\nallow = ['changeme']").unwrap();
        assert_eq!(custom.patterns.len(), 1);
        assert!(custom.allows("changeme") && !custom.allows("changeme2"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, words) in [
            ("[redact]\npattern = []", "line 2"),
            ("[redact]\npattern = []", "did you mean `patterns`"),
            ("[redact]\nenabled = false", "unknown field `enabled`"),
            ("[redact]\npatterns = ['a(']", "[redact] patterns: the pattern \"a(\""),
            ("[redact]\nallow = ['.*']", "[redact] allow: the pattern \".*\""),
        ] {
            let error = custom(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
