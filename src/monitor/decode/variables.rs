//! A container's environment, reduced to what may be kept: whether a value changed, the hosts that
//! it names, and the value itself where it is no secret.

use std::collections::BTreeMap;

use bollard::models::ContainerConfig;
use sentinel_core::domain::hash::Salt;
use sentinel_core::domain::setup::Variable;
use sentinel_core::redact::clean;

use crate::monitor::decode::plain;

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
    "PASS", "PWD", "PW", "SECRET", "TOKEN", "KEY", "AUTH", "CRED", "PRIVATE", "CERT", "SIGN",
    "SALT", "SEED", "DSN", "COOKIE", "SESSION", "HASH", "LICENSE", "WEBHOOK", "PIN", "JWT", "OTP",
    "PHRASE", "MNEMONIC", "CRYPT", "CIPHER", "NONCE", "VAULT", "BEARER",
];
/// Parts of a name that make a plain word a host.
const HOST_NAMES: &[&str] = &[
    "HOST", "ADDR", "URL", "URI", "ENDPOINT", "SERVER", "PEER", "UPSTREAM", "BROKER", "BACKEND",
    "TARGET", "SERVICE", "NODES",
];
/// Ends of a name that make a plain word a host although another part of it sounds secret:
/// `AUTH_HOST` names the service that checks them.
const HOST_ENDS: &[&str] = &["_HOST", "_HOSTS", "_ADDR", "_ADDRESS", "_ENDPOINT"];
/// Keys of a connection string that a host follows.
const HOST_KEYS: &[&str] = &["host", "hostname", "server", "source", "addr", "address"];

/// The environment by name.
pub(super) fn all(config: &ContainerConfig, salt: &Salt) -> BTreeMap<String, Variable> {
    config
        .env
        .iter()
        .flatten()
        .take(VARIABLES_MAX)
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (clean(name.as_bytes(), NAME_MAX), variable(name, value, salt)))
        .collect()
}

fn variable(name: &str, value: &str, salt: &Salt) -> Variable {
    let mut hash = salt.sha256_hex(format!("{name}\0{value}").as_bytes());
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
    !is_mixed(rest)
        && rest.split('/').all(|part| {
            let (words, port) = part.rsplit_once(':').unwrap_or((part, ""));
            port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && plain::is_plain(words)
        })
}

/// Capitals, small letters and digits together, and not short: what generated keys have.
fn is_mixed(text: &str) -> bool {
    const SHORT: usize = 12;
    let has = |of: fn(&u8) -> bool| text.bytes().any(|b| of(&b));
    text.len() >= SHORT
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Hosts, with ports where given, that a value names. Of a value that holds a secret only the host
/// is kept: it is looked for in what is left when secrets are masked.
fn hosts(name: &str, value: &str) -> Vec<String> {
    if value.len() > VALUE_MAX {
        return Vec::new();
    }
    let upper = name.to_ascii_uppercase();
    let says_host = HOST_ENDS.iter().any(|end| upper.ends_with(end));
    let plain = says_host || (has_part(name, HOST_NAMES) && !has_part(name, SECRET_NAMES));
    let masked = clean(value.as_bytes(), VALUE_MAX * 2);
    let mut found = Vec::new();
    let separators = |c: char| c == ',' || c == ';' || c.is_whitespace();
    for token in masked.split(separators).filter(|t| !t.is_empty()) {
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
        let (authority, path) = rest.split_at_checked(end)?;
        // The user and the mask of a password go first. One with a slash in it would look like the
        // host: then nothing is taken.
        if !authority.contains('@') && path.contains('@') {
            return None;
        }
        (authority.rsplit('@').next()?, true)
    } else if let Some((_, rest)) = token.split_once("@tcp(") {
        (rest.split(')').next()?, true)
    } else if let Some((key, host)) = token.split_once('=') {
        if !HOST_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)) {
            return None;
        }
        (host, true)
    } else if token.contains(['@', '/']) {
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
        && host.bytes().any(|b| b.is_ascii_alphanumeric())
        && is_setting(host);
    // A bare number is no host, and neither is a word that nothing says to be one.
    let number = host.parse::<f64>().is_ok();
    let address = host.parse::<std::net::Ipv4Addr>().is_ok();
    if !shaped || number || !(certain || address || plain) {
        return None;
    }
    Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            ("ZONE", "Europe/Berlin"),
            ("REGION", "eu-central-1a"),
            ("MODE", "production"),
            ("STORE", "postgres15"),
            ("LIMIT", "512m"),
            ("FLAVOUR", "1.25.3-alpine3.18"),
            ("TLS", "TLSv1.2"),
            ("JVM_MODE", "parallelGc"),
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
            ("THING", "wJalrXUtnFEMIKMDENG"),
            ("THING", "xkqzvbnmwrtplkjhgf"),
            ("THING", "ABCD1-EFGH2-IJKL3-MNOP4"),
            ("THING", "4111111111111111"),
            ("THING", "0b1ff5c6-9a8e-4d4b-9b1a-8f1f2d3c4b5a"),
            ("THING", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE"),
            ("DB_PW", "hunter"),
            ("ACCOUNT", "https://user@h/x"),
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
            ("CONNECTION", "Server=db;Database=shop;User Id=sa;Password=hunter2", &["db"]),
            ("URL", "https://u:hunter2@ss/w@h:8080/x", &["h:8080"]),
            ("URL", "postgres://app:hunter2,x@db:5432/shop", &["db:5432"]),
            ("URL", "mongodb://app:hunter2@m1:27017,m2:27017/shop", &["m1:27017"]),
            (
                "HOOK_URL",
                "https://hooks.slack.com/services/T0/B0/hunter2hunter2",
                &["hooks.slack.com"],
            ),
            ("AUTH_HOST", "auth:8080", &["auth:8080"]),
            ("SERVICE", "ghp_abcdefghijklmnopqrstuvwxyz012345", &[]),
            ("SERVER", "wJalrXUtnFEMIK7MDENG", &[]),
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
            ("URL", "http://u:p/w@h", &["h"]),
        ];
        for (name, value, expected) in cases {
            let found = hosts(name, value);
            assert_eq!(found, *expected, "{name}={value}");
            assert!(!found.iter().any(|h| h.contains("hunter2")));
        }
    }

    /// Secrets as they are made: keys that say what they are, and random letters.
    fn secrets() -> impl Strategy<Value = String> {
        prop_oneof![
            "AKIA[0-9A-Z]{16}",
            "AIza[0-9A-Za-z_-]{35}",
            "gh[pousr]_[A-Za-z0-9]{36}",
            "github_pat_[A-Za-z0-9_]{40}",
            "glpat-[A-Za-z0-9_-]{20}",
            "xox[abp]-[0-9]{12}-[A-Za-z0-9]{24}",
            "npm_[A-Za-z0-9]{36}",
            "hf_[A-Za-z0-9]{34}",
            "dop_v1_[a-f0-9]{64}",
            "SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}",
            "ya29\\.[A-Za-z0-9_-]{40}",
            "[sr]k[-_](live|test)_[A-Za-z0-9]{24}",
            "eyJ[A-Za-z0-9_-]{20}\\.eyJ[A-Za-z0-9_-]{20}\\.[A-Za-z0-9_-]{30}",
            "[a-f0-9]{32}",
            "[a-f0-9]{64}",
            "[A-Za-z0-9]{24,40}",
            "[A-Za-z0-9/]{40}",
            "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[a-f0-9]{4}-[a-f0-9]{12}",
        ]
    }

    /// What a secret may be wrapped in, with the host that may be told of it.
    fn wrapped(secret: &str, how: usize) -> (String, Option<&'static str>) {
        match how {
            0 => (secret.to_owned(), None),
            1 => (format!("postgres://app:{secret}@db:5432/shop"), Some("db:5432")),
            2 => (format!("https://{secret}@git/x"), None),
            3 => (format!("http://api:80/x?token={secret}"), Some("api:80")),
            4 => (format!("user=app password={secret} host=db"), Some("db")),
            5 => (format!("app:{secret}@tcp(db:3306)/shop"), Some("db:3306")),
            6 => (format!("Server=db;Password={secret};"), Some("db")),
            7 => (format!("redis://:{secret}@cache:6379"), Some("cache:6379")),
            _ => (format!("{secret},{secret}"), None),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 1000, failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn no_seeded_secret_gets_through(
            name in prop_oneof![
                Just("THING"), Just("SERVICE"), Just("PEER_URL"), Just("DB_HOST"), Just("AUTH_HOST"),
                Just("BACKEND"), Just("MODE"), Just("DB_PASSWORD"), Just("SERVER"),
            ],
            secret in secrets(),
            how in 0_usize..9,
        ) {
            let (value, host) = wrapped(&secret, how);
            let kept = variable(name, &value, &Salt::default());
            prop_assert_eq!(&kept.value, &None);
            let shown = kept.hosts.join(" ");
            // Not even a part of it.
            for part in secret.split(['.', '-', '_', '/']).filter(|p| p.len() > 5) {
                prop_assert!(!shown.contains(part), "{} of {}", part, value);
            }
            prop_assert!(kept.hosts.iter().all(|h| host == Some(h.as_str()) || h == "git"), "{:?}", kept.hosts);
        }

        #[test]
        fn any_variable_is_taken_within_bounds(name in "\\PC{0,40}", value in "\\PC{0,300}") {
            let kept = variable(&name, &value, &Salt::default());
            prop_assert!(kept.hosts.len() <= HOSTS_MAX);
            prop_assert!(kept.value.is_none_or(|v| v.len() <= PLAIN_MAX));
        }
    }

    #[test]
    fn a_change_of_a_value_changes_its_hash_and_nothing_is_readable() {
        let salt = Salt::new([7; 32]);
        let old = variable("DB_PASSWORD", "hunter2", &salt);
        assert_ne!(old.hash, variable("DB_PASSWORD", "hunter3", &salt).hash);
        assert_eq!(old, variable("DB_PASSWORD", "hunter2", &salt));
        assert_ne!(old.hash, variable("DB_PASSWORD", "hunter2", &Salt::default()).hash);
        assert_eq!((old.value, old.hosts, old.hash.len()), (None, Vec::new(), HASH_DIGITS));
    }
}
