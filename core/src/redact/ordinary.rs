//! What stands where a secret may stand and is none: a word of a sentence, a number, a reference.

/// Words that follow the name of a setting in a sentence about it, and values that say that
/// there is no secret. Sorted.
const WORDS: [&str; 99] = [
    "a",
    "accepted",
    "an",
    "and",
    "are",
    "auth",
    "authentication",
    "authorization",
    "bad",
    "can",
    "cannot",
    "changed",
    "config",
    "could",
    "credentials",
    "denied",
    "directive",
    "disabled",
    "empty",
    "enabled",
    "error",
    "expected",
    "expired",
    "failed",
    "false",
    "for",
    "found",
    "has",
    "header",
    "hidden",
    "in",
    "incomplete",
    "incorrect",
    "insufficient",
    "invalid",
    "is",
    "jwt",
    "long",
    "longer",
    "malformed",
    "may",
    "mismatch",
    "missing",
    "must",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "off",
    "ok",
    "on",
    "option",
    "optional",
    "options",
    "or",
    "parameter",
    "redacted",
    "rejected",
    "required",
    "reset",
    "revoked",
    "scheme",
    "security",
    "set",
    "setting",
    "short",
    "should",
    "string",
    "success",
    "text",
    "that",
    "the",
    "this",
    "to",
    "token",
    "tokens",
    "too",
    "true",
    "type",
    "unauthenticated",
    "unauthorized",
    "undefined",
    "unexpected",
    "unknown",
    "unset",
    "unsupported",
    "updated",
    "use",
    "using",
    "valid",
    "value",
    "was",
    "weak",
    "will",
    "with",
    "wrong",
    "yes",
    "your",
];

/// Last parts of a name which make it one about a secret, not of one.
const ABOUT: [&str; 22] = [
    "age",
    "attempts",
    "count",
    "enabled",
    "encryption",
    "expires",
    "expiry",
    "failures",
    "length",
    "limit",
    "max",
    "min",
    "name",
    "policy",
    "rate",
    "required",
    "seconds",
    "size",
    "status",
    "ttl",
    "type",
    "version",
];

/// First parts of a name of a key that opens nothing.
const OPEN_KEYS: [&str; 17] = [
    "binding",
    "cache",
    "composite",
    "foreign",
    "group",
    "idempotency",
    "lookup",
    "partition",
    "primary",
    "public",
    "publishable",
    "range",
    "routing",
    "row",
    "shard",
    "sort",
    "unique",
];

/// First parts of a name of tokens that are counted.
const COUNTED: [&str; 11] = [
    "cached",
    "completion",
    "input",
    "max",
    "min",
    "num",
    "output",
    "per",
    "prompt",
    "reserved",
    "total",
];

/// Without the quotes around it, escaped ones, too.
pub fn bare(value: &str) -> &str {
    let value = value.strip_prefix('\\').unwrap_or(value);
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            let inner = inner.strip_suffix(quote).unwrap_or(inner);
            return inner.strip_suffix('\\').unwrap_or(inner);
        }
    }
    value
}

/// A word that is no secret, whatever name it stands behind.
pub fn is_word(value: &str) -> bool {
    let value = bare(value).trim_end_matches(['.', ':', '!', '?', ']']).trim_start_matches('[');
    if value.is_empty() {
        return true;
    }
    // A reference to a variable, or the place of a value in a format.
    let name = |b: u8| b.is_ascii_alphanumeric() || b"_.".contains(&b);
    if let Some(inner) = value.strip_prefix("${").or_else(|| value.strip_prefix("{{")) {
        return inner.trim_end_matches('}').trim().bytes().all(name);
    }
    if let Some(inner) = value.strip_prefix('{').filter(|inner| inner.len() > 2) {
        return inner.trim_end_matches('}').bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    }
    // `…`, `-`, `()`.
    let is_sign = value.chars().count() <= 3 && !value.contains(char::is_alphanumeric);
    if is_sign || is_object(value) {
        return true;
    }
    if matches!(value, "%s" | "%v" | "%q" | "%d" | "{}" | "{" | "-" | "?") {
        return true;
    }
    WORDS.binary_search(&value.to_ascii_lowercase().as_str()).is_ok()
}

/// Whether this value behind this name is no secret. `name` may have marks around it.
pub fn is_setting(name: &str, value: &str) -> bool {
    if is_word(value) {
        return true;
    }
    let edge = |c: char| !c.is_ascii_alphanumeric();
    let name = name.trim_matches(edge);
    let lower = name.to_ascii_lowercase();
    let value = bare(value);
    let number =
        value.len() <= 9 && value.bytes().all(|b| b.is_ascii_digit() || b".%".contains(&b));
    let last = lower.rsplit(['_', '-', '.']).next().unwrap_or_default();
    // With a part before it: a policy alone is no name of this kind.
    if last.len() < lower.len() && ABOUT.contains(&last) && (number || is_plain_name(value)) {
        return true;
    }
    let counts = COUNTED.iter().any(|first| lower.starts_with(first));
    if counts && lower.contains("token") && number {
        return true;
    }
    if let Some(before) = lower.strip_suffix("key") {
        let before = before.trim_end_matches(['_', '-', '.']);
        return OPEN_KEYS.iter().any(|open| before.ends_with(open));
    }
    match name {
        // The working directory.
        "PWD" | "OLDPWD" => value.starts_with('/'),
        // What a test says: its name, or how many passed.
        "PASS" | "pass" => {
            (number && value.len() <= 3) || value.starts_with("Test") || value.contains("::")
        }
        _ => false,
    }
}

/// How a Java object is told: `android.os.BinderProxy@2bd79ce`, `Token{a64f992`.
fn is_object(value: &str) -> bool {
    let Some((class, identity)) = value.split_once(['@', '{']) else { return false };
    let last = class.rsplit(['.', '$']).next().unwrap_or_default();
    last.starts_with(|c: char| c.is_ascii_uppercase())
        && class.bytes().all(|b| b.is_ascii_alphanumeric() || b"._$".contains(&b))
        && (1..=8).contains(&identity.len())
        && identity.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Letters, with marks between them: a name of a type, a state, a resource.
fn is_plain_name(value: &str) -> bool {
    value.len() <= 40 && value.bytes().all(|b| b.is_ascii_alphabetic() || b"-_. /".contains(&b))
}

/// The ports of a `docker run -p`.
pub fn is_port(value: &str) -> bool {
    let port =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let ports = value.split('/').next().unwrap_or(value);
    ports.contains(':') && ports.split(':').all(port)
}

/// Made by a machine: digits among letters, and no short word.
pub fn is_random(value: &str, least: usize) -> bool {
    let has = |of: fn(&u8) -> bool| value.bytes().any(|b| of(&b));
    value.len() >= least && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// Capitals, small letters and digits together in a long word without a path in it: what keys
/// have, and names of things have not.
pub fn is_key(value: &str) -> bool {
    let value = bare(value);
    let has = |of: fn(&u8) -> bool| value.bytes().any(|b| of(&b));
    let path = value.contains('/') && value.len() != 40 && !value.ends_with('=');
    let shaped = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b));
    (24..=256).contains(&value.len())
        && shaped
        && !path
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && value.bytes().filter(u8::is_ascii_digit).count() >= 2
}

/// Base64 of `user:password`.
pub fn is_userinfo(value: &str) -> bool {
    let mut bits = 0_u32;
    let mut count = 0;
    let mut colon = false;
    for byte in value.trim_end_matches('=').bytes() {
        let Some(six) = six_bits(byte) else { return false };
        bits = (bits << 6 | six) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            let decoded = (bits >> count) & 0xff;
            if decoded < 0x20 || decoded == 0x7f {
                return false;
            }
            colon |= decoded == u32::from(b':');
        }
    }
    colon
}

fn six_bits(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn words_numbers_and_references_are_no_secrets() {
        for (name, value) in [
            ("password", "YES"),
            ("token", "null"),
            ("token", "invalid"),
            ("DB_PASSWORD", "${DB_PASSWORD}"),
            ("password_min_length", "12"),
            ("max_token", "512"),
            ("PRIMARY_KEY", "id"),
            ("PWD", "/app"),
            ("PASS:", "TestLogin"),
            ("token", "android.os.BinderProxy@2bd79ce"),
            ("token", "Token{a64f992"),
            ("password", "{password"),
            ("password", "…"),
            ("secret_name", "db-credentials"),
        ] {
            assert!(is_setting(name, value), "{name} {value}");
        }
        for (name, value) in [
            ("password", "hunter2"),
            ("MYSQL_PWD", "/x"),
            ("token", "12345"),
            ("STRIPE_KEY", "abc"),
            ("password", ":abc"),
            ("password", "{hunter2"),
            ("pass", "123456"),
            ("password", "hunter@2"),
            ("password", "Hunter2@2bd79ce1f"),
            ("secret_name", "hunter2"),
        ] {
            assert!(!is_setting(name, value), "{name} {value}");
        }
    }

    #[test]
    fn base64_of_user_and_password_is_known() {
        assert!(is_userinfo("dXNlcjpwYXNz"));
        assert!(is_userinfo("YWRtaW46aHVudGVyMg=="));
        assert!(!is_userinfo("authentication"));
        assert!(!is_userinfo("aGVsbG8gd29ybGQ="));
    }

    #[test]
    fn quotes_do_not_belong_to_a_value() {
        for (quoted, inner) in
            [("\"a b\"", "a b"), ("'a", "a"), ("\\\"a\\\"", "a"), ("a", "a"), ("\"", "")]
        {
            assert_eq!(bare(quoted), inner, "{quoted}");
        }
    }
}
