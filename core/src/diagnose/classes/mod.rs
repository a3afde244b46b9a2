//! One file per class of failure: what it needs to be seen, what excludes it, what mends it.

use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::Anomaly;

mod crash;
mod crash_loop;
mod dependency;
mod found_down;
mod log_errors;
mod measured;
mod oom;
mod start_failure;
mod unhealthy;

/// A class looks at a case and offers an explanation, or none.
pub type Judge = fn(&Case<'_>) -> Option<Hypothesis>;

/// A line in a sentence: in quotes, without the level that it begins with, shortened.
fn quoted(text: &str) -> String {
    const LENGTH: usize = 120;
    let line = text.lines().next().unwrap_or_default().trim();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = first.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_uppercase();
    let leveled = matches!(word.as_str(), "WARN" | "WARNING" | "ERROR" | "CRITICAL" | "FATAL");
    let said = if leveled && !rest.trim().is_empty() { rest.trim() } else { line };
    if said.chars().count() <= LENGTH {
        return format!("“{said}”");
    }
    let head: String = said.chars().take(LENGTH).collect();
    format!("“{head}…”")
}

/// The last line behind an anomaly, as words behind a cause.
fn said_in(anomaly: &Anomaly) -> String {
    let last = anomaly.evidence.iter().rfind(|e| e.line.is_some());
    last.map(|e| format!(" ({})", quoted(&e.excerpt))).unwrap_or_default()
}

/// All classes. The order does not matter: scores decide.
pub const ALL: &[Judge] = &[
    crash::judge,
    crash_loop::judge,
    dependency::judge,
    found_down::judge,
    log_errors::judge,
    measured::judge,
    oom::judge,
    start_failure::judge,
    unhealthy::judge,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_quoted_without_its_level_and_not_at_any_length() {
        for (line, words) in [
            ("FATAL environment variable X is required", "“environment variable X is required”"),
            ("[ERROR]: no luck", "“no luck”"),
            ("Error: listen EADDRINUSE", "“listen EADDRINUSE”"),
            ("error", "“error”"),
            ("first\nsecond", "“first”"),
        ] {
            assert_eq!(quoted(line), words);
        }
        let long = quoted(&"é".repeat(500));
        assert_eq!(long.chars().count(), 123);
        assert!(long.ends_with("…”"));
    }
}
