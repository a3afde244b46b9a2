//! A container's environment, reduced to what may be kept: whether a value changed, the hosts that
//! it names, and the value itself where it is no secret.

use std::collections::BTreeMap;

use bollard::models::ContainerConfig;
use sentinel_core::domain::hash::sha256_hex;
use sentinel_core::domain::setup::Variable;
use sentinel_core::redact::clean;

/// Variables kept of one container.
const VARIABLES_MAX: usize = 500;
/// The longest name that is kept, in bytes.
const NAME_MAX: usize = 256;
/// The longest value that is kept or looked into, in bytes.
const VALUE_MAX: usize = 2048;
/// The longest value that is kept in clear, in bytes.
const PLAIN_MAX: usize = 128;
/// Hosts kept of one value.
const HOSTS_MAX: usize = 8;
/// Hex digits of the hash: enough to tell a change.
const HASH_DIGITS: usize = 16;

/// Parts of a name that make its value a secret, whatever it looks like.
const SECRET_NAMES: &[&str] = &[
    "PASS", "PWD", "SECRET", "TOKEN", "KEY", "AUTH", "CRED", "PRIVATE", "CERT", "SIGN", "SALT",
    "SEED", "DSN", "COOKIE", "SESSION", "HASH", "LICENSE", "WEBHOOK", "PIN",
];
/// Parts of a name that make a plain word a host.
const HOST_NAMES: &[&str] = &[
    "HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "PEER", "UPSTREAM", "BROKER", "DSN",
    "BACKEND", "TARGET", "SERVICE", "NODES",
];

/// The environment by name.
pub(super) fn all(config: &ContainerConfig) -> BTreeMap<String, Variable> {
    config
        .env
        .iter()
        .flatten()
        .take(VARIABLES_MAX)
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (clean(name.as_bytes(), NAME_MAX), variable(name, value)))
        .collect()
}

fn variable(name: &str, value: &str) -> Variable {
    let mut hash = sha256_hex(format!("{name}\0{value}").as_bytes());
    hash.truncate(HASH_DIGITS);
    Variable { hash, value: harmless(name, value), hosts: hosts(name, value) }
}

fn has_part(name: &str, parts: &[&str]) -> bool {
    let name = name.to_ascii_uppercase();
    parts.iter().any(|part| name.contains(part))
}

/// A value that may be shown and proposed again: neither its name nor its shape say secret, and it
/// is of a kind that settings have.
fn harmless(name: &str, value: &str) -> Option<String> {
    if value.len() > PLAIN_MAX || has_part(name, SECRET_NAMES) {
        return None;
    }
    let pair = format!("{name}={value}");
    let untouched = clean(pair.as_bytes(), NAME_MAX + PLAIN_MAX) == pair;
    (untouched && value.split(',').all(is_setting)).then(|| value.to_owned())
}

/// A number, a switch, a path, a plain word, a host with its port, or a URL of these.
fn is_setting(value: &str) -> bool {
    let value = value.trim();
    let rest = match value.split_once("://") {
        Some((scheme, rest)) => {
            if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+')
            {
                return false;
            }
            rest
        }
        None => value,
    };
    rest.split('/').all(|part| {
        let (word, port) = part.rsplit_once(':').unwrap_or((part, ""));
        port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && is_word(word)
    })
}

/// Letters with few digits, or a number: what a generated secret is not.
fn is_word(word: &str) -> bool {
    const DIGITS: usize = 4;
    const LETTERS: usize = 32;
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._-+%".contains(&b);
    if !word.bytes().all(known) {
        return false;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let number = letters <= 3 && digits <= 15;
    let mixed = word.bytes().any(|b| b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_lowercase());
    // A word in both cases with digits among them looks like a key.
    number || (letters <= LETTERS && digits <= DIGITS && !(mixed && digits > 0))
}

/// Hosts, with ports where given, that a value names. Of a value that holds a secret only the host
/// is kept.
fn hosts(name: &str, value: &str) -> Vec<String> {
    if value.len() > VALUE_MAX {
        return Vec::new();
    }
    let plain = has_part(name, HOST_NAMES) && !has_part(name, SECRET_NAMES);
    let mut found = Vec::new();
    let separators = |c: char| c == ',' || c == ';' || c.is_whitespace();
    for token in value.split(separators).filter(|t| !t.is_empty()) {
        let host = host_of(token, plain);
        if let Some(host) = host.filter(|h| found.len() < HOSTS_MAX && !found.contains(h)) {
            found.push(host);
        }
    }
    found
}

/// The host that one word of a value names: of a URL, of `host=db`, of `user:pw@tcp(db:3306)/x`,
/// `db:5432`, or a bare word where the variable's name says that it is one.
fn host_of(token: &str, plain: bool) -> Option<String> {
    let (authority, certain) = if let Some((_, rest)) = token.split_once("://") {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = rest.get(..end)?;
        // The user and a password go first; one with a slash in it leaves nothing to take.
        (authority.rsplit('@').next()?, true)
    } else if let Some((_, rest)) = token.split_once("@tcp(") {
        (rest.split(')').next()?, true)
    } else if let Some(host) = token.strip_prefix("host=") {
        (host, true)
    } else if token.contains(['@', '=', '/']) {
        return None;
    } else {
        (token, plain)
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port))
        }
        Some(_) => return None,
        None => (authority, None),
    };
    let shaped = (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && host.bytes().any(|b| b.is_ascii_alphanumeric());
    // A bare number is no host, and neither is a word that nothing says to be one.
    let number = host.parse::<f64>().is_ok();
    let address = host.parse::<std::net::Ipv4Addr>().is_ok();
    if !shaped || number || !(certain || address || port.is_some_and(|_| plain)) {
        return None;
    }
    Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_in_clear() {
        for (name, value) in [
            ("PEER_URL", "http://data:9000"),
            ("PEERS", "http://api:3001,http://data:9000"),
            ("LOG_LEVEL", "debug"),
            ("PORT", "8080"),
            ("TIMEOUT", "30s"),
            ("CACHE", "/var/cache/app"),
            ("ENABLED", "true"),
            ("VERSION", "1.25.3"),
            ("DB_HOST", "db.internal:5432"),
            ("EMPTY", ""),
        ] {
            assert_eq!(harmless(name, value).as_deref(), Some(value), "{name}={value}");
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        for (name, value) in [
            ("DB_PASSWORD", "postgres"),
            ("API_KEY", "abc"),
            ("DATABASE_URL", "postgres://app:hunter2@db:5432/shop"),
            ("CALLBACK", "https://h/x?sig=abc"),
            ("THING", "ghp_abcdefghijklmnopqrstuvwxyz012345"),
            ("THING", "AKIAIOSFODNN7EXAMPLE"),
            ("THING", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"),
            ("THING", "9f86d081884c7d659a2feaa0c55ad015"),
            ("THING", "wJalrXUtnFEMI7MDENG"),
            ("THING", "a long sentence = with anything"),
            ("SESSION_SECRET", "x"),
            ("DSN", "db"),
        ] {
            assert_eq!(harmless(name, value), None, "{name}={value}");
        }
    }

    #[test]
    fn hosts_are_found_and_nothing_else() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("DATABASE_URL", "postgres://app:hunter2@db:5432/shop", &["db:5432"]),
            ("PEER_URL", "http://api:3001,http://data:9000", &["api:3001", "data:9000"]),
            ("REDIS_HOST", "cache", &["cache"]),
            ("DB", "user=app host=db port=5432 password=hunter2", &["db"]),
            ("MYSQL_DSN", "app:hunter2@tcp(db:3306)/shop", &["db:3306"]),
            ("LIST", "k1:9092;k2:9092", &[]),
            ("KAFKA_BROKERS", "k1:9092,k2:9092", &["k1:9092", "k2:9092"]),
            ("UPSTREAM", "10.1.2.3:80", &["10.1.2.3:80"]),
            ("ANY", "10.1.2.3", &["10.1.2.3"]),
            ("DB_PASSWORD", "hunter2", &[]),
            ("SERVER_TOKEN", "hunter2", &[]),
            ("TIMEOUT", "30", &[]),
            ("SERVER_PORT", "8080", &[]),
            ("NAME", "shop", &[]),
            ("URL", "http://u:p/w@h", &[]),
        ];
        for (name, value, expected) in cases {
            let found = hosts(name, value);
            assert_eq!(found, *expected, "{name}={value}");
            assert!(!found.iter().any(|h| h.contains("hunter2")));
        }
    }

    #[test]
    fn a_change_of_a_value_changes_its_hash_and_nothing_is_readable() {
        let old = variable("DB_PASSWORD", "hunter2");
        assert_ne!(old.hash, variable("DB_PASSWORD", "hunter3").hash);
        assert_eq!(old, variable("DB_PASSWORD", "hunter2"));
        assert_eq!((old.value, old.hosts, old.hash.len()), (None, Vec::new(), HASH_DIGITS));
    }
}
