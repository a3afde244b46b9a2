//! Secrets out of text: by their shape, and by the name before them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands where a secret was.
pub const MASK: &str = "***";

/// One kind of secret: the group `keep` (before) stays, what follows it is masked.
struct Rule {
    pattern: Regex,
}

/// A cheap look that spares most lines the rules below: every rule needs one of these.
static TRIGGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)://|pass|pwd|secret|token|key|auth|credential|bearer|cookie|eyJ|AKIA|ASIA|AIza|gh[pousr]_|github_pat|xox[abprs]-|sk[-_]|rk[-_]",
    )
    .ok()
});

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        // Private keys, as far as they stand on this line.
        r"(?P<keep>-----BEGIN [A-Z ]*PRIVATE KEY-----).+",
        // URL userinfo: everything between the user's colon and the last @ before the path.
        r#"(?i)(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:)[^\s/?\#"'<>]+(?P<tail>@)"#,
        // Authorization headers and bearer tokens.
        r#"(?i)(?P<keep>authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest)\s+)?)[^\s"',;]{4,}"#,
        r"(?i)(?P<keep>\bbearer\s+)[a-z0-9._~+/=-]{8,}",
        r#"(?i)(?P<keep>\b(?:set-)?cookie["']?\s*[:=]\s*["']?)[^"'\r\n]+"#,
        // JSON web tokens.
        r"(?P<keep>)\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.?[A-Za-z0-9_-]*",
        // Keys that say what they are: AWS, Google, GitHub, Slack, Stripe and model providers.
        r"(?P<keep>)\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"(?P<keep>)\bAIza[0-9A-Za-z_-]{35}",
        r"(?P<keep>)\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"(?P<keep>)\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"(?P<keep>)\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"(?P<keep>)\b[sr]k[-_][A-Za-z0-9_-]{16,}",
        // `name=value`, `name: value`, `"name": "value"` where the name says that it is secret.
        r#"(?i)(?P<keep>[a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|credentials?)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s"',;&]+)"#,
        r#"(?i)(?P<keep>(?:^|[^a-z])(?:[a-z0-9]+[_.-])*(?:pg|db|my)?(?:pass|pwd)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s"',;&]+)"#,
    ]
    .iter()
    .filter_map(|source| Regex::new(source).ok())
    .map(|pattern| Rule { pattern })
    .collect()
});

/// Masks every secret that it recognises.
pub fn mask(text: Cow<'_, str>) -> Cow<'_, str> {
    if TRIGGER.as_ref().is_some_and(|t| !t.is_match(&text)) {
        return text;
    }
    let mut out = text;
    for rule in RULES.iter() {
        if rule.pattern.is_match(&out) {
            let masked = rule.pattern.replace_all(&out, |found: &Captures<'_>| {
                let keep = found.name("keep").map_or("", |m| m.as_str());
                let tail = found.name("tail").map_or("", |m| m.as_str());
                format!("{keep}{MASK}{tail}")
            });
            out = Cow::Owned(masked.into_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        mask(Cow::Borrowed(text)).into_owned()
    }

    #[test]
    fn every_rule_compiles() {
        assert_eq!(RULES.len(), 14);
        assert!(TRIGGER.is_some());
    }

    #[test]
    fn secrets_are_masked_and_what_is_around_them_stays() {
        let cases = [
            ("postgres://app:hunter2@db:5432/x", "postgres://app:***@db:5432/x"),
            ("redis://:p@ss@word@cache:6379", "redis://:***@cache:6379"),
            ("PGPASS=abc PORT=1", "PGPASS=*** PORT=1"),
            ("DB_PASS=abc", "DB_PASS=***"),
            ("MYSQL_PWD: abc", "MYSQL_PWD: ***"),
            (r#"{"password": "a b", "user": "x"}"#, r#"{"password": ***, "user": "x"}"#),
            ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
            ("GET /x?api_key=12345&y=2", "GET /x?api_key=***&y=2"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("ghp_abcdefghijklmnopqrstuvwxyz012345 x", "*** x"),
            ("slack xoxb-123456789012-abcdef", "slack ***"),
            ("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_d x", "t *** x"),
            ("sk-or-v1-0123456789abcdef0123", "***"),
            ("-----BEGIN RSA PRIVATE KEY-----MIIE", "-----BEGIN RSA PRIVATE KEY-----***"),
        ];
        for (input, expected) in cases {
            assert_eq!(masked(input), expected, "{input}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for text in [
            "https://h/p?e=a@b.com",
            "ssh://git@host/repo",
            "password authentication failed for user app",
            "AUTHOR=jane MONKEY_MODE=1 API_PORT=8000",
            "tokens: 512",
            "compass=north bypass=1",
            "connection refused to db:5432",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
