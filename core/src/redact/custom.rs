//! What a configuration adds: patterns of further secrets, and values that stay readable.

use regex::{Regex, RegexBuilder};

/// The most patterns of each kind.
pub const PATTERNS_MAX: usize = 64;
/// The longest pattern, in bytes.
pub const PATTERN_BYTES: usize = 1024;
/// The most memory that one compiled pattern may take, in bytes.
const PATTERN_MEMORY: usize = 1 << 20;

/// What no pattern of values that stay readable may match: who could allow these could switch
/// redaction off.
const NEVER_ALLOWED: [&str; 6] = [
    "hunter2",
    "Zq7Zq7Zq7",
    "correct-horse-battery-staple",
    "0123456789abcdef0123456789abcdef",
    "dGhpcyBpcyBhIHNlY3JldCB2YWx1ZQ==",
    "S3cr3t!",
];

/// What a configuration adds to the built-in rules. It never takes one away.
#[derive(Clone, Debug, Default)]
pub struct Custom {
    /// What is hidden: the group `secret` of a pattern, or all that it matches.
    pub patterns: Vec<Regex>,
    /// What stays readable, if one of these is the whole of it.
    allow: Vec<Regex>,
}

impl Custom {
    /// Nothing.
    pub(super) const NONE: Self = Self { patterns: Vec::new(), allow: Vec::new() };

    /// Compiles patterns of secrets and of values that stay readable. An error names the pattern.
    pub fn new(patterns: &[String], allow: &[String]) -> Result<Self, String> {
        for (kind, all) in [("patterns", patterns), ("allow", allow)] {
            if all.len() > PATTERNS_MAX {
                return Err(format!(
                    "{kind}: {} are too many, {PATTERNS_MAX} are taken",
                    all.len()
                ));
            }
        }
        let patterns =
            patterns.iter().map(|p| compiled("patterns", p, p)).collect::<Result<_, _>>()?;
        let whole = |p: &String| compiled("allow", p, &format!("^(?:{p})$"));
        let allow: Vec<Regex> = allow.iter().map(whole).collect::<Result<_, _>>()?;
        for pattern in &allow {
            if let Some(secret) = NEVER_ALLOWED.iter().find(|secret| pattern.is_match(secret)) {
                return Err(format!(
                    "allow: {pattern} would also leave {secret} readable: say more exactly which values are no secrets"
                ));
            }
        }
        Ok(Self { patterns, allow })
    }

    /// Whether a value stays readable.
    pub fn allows(&self, value: &str) -> bool {
        self.allow.iter().any(|pattern| pattern.is_match(value))
    }
}

/// One pattern within bounds.
fn compiled(kind: &str, said: &str, pattern: &str) -> Result<Regex, String> {
    if said.len() > PATTERN_BYTES {
        let start: String = said.chars().take(40).collect();
        return Err(format!("{kind}: the pattern {start}… is longer than {PATTERN_BYTES} bytes"));
    }
    let wrong = |why: String| format!("{kind}: the pattern {said:?}: {why}");
    let regex = RegexBuilder::new(pattern)
        .size_limit(PATTERN_MEMORY)
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    if regex.is_match("") {
        return Err(wrong("it matches the empty text".to_owned()));
    }
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(patterns: &[&str], allow: &[&str]) -> String {
        let owned = |all: &[&str]| all.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        Custom::new(&owned(patterns), &owned(allow)).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error(&["ok", "a(b"], &[]).contains("patterns: the pattern \"a(b\""));
        assert!(error(&["a*"], &[]).contains("matches the empty text"));
        assert!(error(&[], &[".+"]).contains("would also leave hunter2 readable"));
        assert!(error(&[], &["[a-z0-9]+"]).contains("hunter2"));
        assert!(error(&["x".repeat(2000).as_str()], &[]).contains("longer than 1024"));
        assert!(error(&["x"; 65], &[]).contains("too many"));
        assert!(error(&[r"\w{500}{500}"], &[]).contains("patterns"));
    }
}
