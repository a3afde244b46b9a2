//! Rules by the name before a secret.

use crate::redact::ordinary::{bare, is_key, is_random, is_setting, is_word};
use crate::redact::rule::{Rule, Seen};

/// A word that is no secret.
pub fn harmless_word(seen: Seen<'_>) -> bool {
    is_word(seen.secret)
}

/// A word, or a value that is none of a secret with this name.
pub fn harmless_setting(seen: Seen<'_>) -> bool {
    // A path of a program: `CancellationToken::new`.
    if seen.head.ends_with(':') && seen.secret.starts_with(':') {
        return true;
    }
    // The name of a secret of AWS: `arn:aws:secretsmanager:…:secret:NAME`.
    if seen.head == "secret:" && seen.before.ends_with(':') && seen.before.contains("arn:aws") {
        return true;
    }
    is_setting(seen.head.trim_end_matches(|c: char| "\"'\\ =:>".contains(c)), seen.secret)
}

/// Keys that open something, by what stands before the word.
const KEYS: &str = "(?:api|access|secret|private|encryption|encrypt|crypt|cipher|signing|sign|master|account|shared|auth|subscription|app|application|function|functions|license|licence|deploy|service[_-]?role|storage|hmac|jwt|root|admin|webhook|fernet|aes|rsa|ssh|ingest|ingestion|write|integration|consumer|client|session)";

/// Services whose keys do not say what they are.
const VENDORS: &[&str] = &[
    "adafruit",
    "algolia",
    "airtable",
    "asana",
    "bitbucket",
    "cloudflare",
    "codecov",
    "coinbase",
    "confluent",
    "contentful",
    "datadog",
    "discord",
    "droneci",
    "dropbox",
    "fastly",
    "finnhub",
    "flickr",
    "freshbooks",
    "heroku",
    "hubspot",
    "intercom",
    "kraken",
    "kucoin",
    "launchdarkly",
    "linkedin",
    "mailchimp",
    "mailgun",
    "mapbox",
    "mattermost",
    "messagebird",
    "netlify",
    "newrelic",
    "new_relic",
    "nytimes",
    "okta",
    "opsgenie",
    "pagerduty",
    "plaid",
    "rapidapi",
    "sendbird",
    "sentry",
    "snyk",
    "sonar",
    "squarespace",
    "sumologic",
    "telegram",
    "travis",
    "twilio",
    "twitch",
    "twitter",
    "typeform",
    "yandex",
    "zendesk",
];

/// One long word without meaning: letters and digits, perhaps in groups.
fn is_opaque(value: &str) -> bool {
    is_random(value, 15)
        && value.bytes().filter(u8::is_ascii_digit).count() >= 3
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-=+".contains(&b))
}

/// Whether the name is that of a thing, not of a key.
fn names_thing(head: &str) -> bool {
    let name = head.trim_end_matches(|c: char| "\"'\\ =:>".contains(c)).to_ascii_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    matches!(
        last,
        "id" | "release"
            | "version"
            | "url"
            | "uri"
            | "commit"
            | "sha"
            | "region"
            | "host"
            | "name"
            | "org"
            | "project"
            | "image"
            | "tag"
            | "digest"
            | "trace"
            | "span"
            | "request"
            | "env"
            | "environment"
            | "zone"
            | "account"
            | "pod"
            | "container"
            | "date"
            | "time"
    )
}

/// `name=value`, `name: value`, `"name": "value"` where the name says that it is secret.
pub fn names() -> Vec<Rule> {
    vec![
        Rule::new(
            &["password", "passphrase", "passcode", "secret", "passwd"],
            r"(?i)(?:[a-z0-9_.-]*(?:password|passphrase|passcode|secret)|(?:^|[^/a-z0-9_.-]|[a-z0-9_.-]+)passwd)(?:[_.-][a-z0-9_.-]*)?<IS><VALUE>",
        )
        .unless(harmless_setting),
        Rule::new(
            &["token", "key", "credential", "session", "signature"],
            &format!(
                r"(?i)[a-z0-9_.-]*(?:token|{KEYS}[_-]?key(?:base64)?|credentials?|session[_-]?id|signature(?:-256)?)(?:[_-]?v?\d{{1,2}})?<IS><VALUE>"
            ),
        )
        .unless(harmless_setting),
        Rule::new(
            &["pass", "pwd"],
            r"(?i)(?:^|[^a-z])(?:[a-z0-9]+[_.-])*(?:pg|db|my|user|root|admin|redis|smtp|mail|ftp)?(?:pass|pwd)(?:[_.-][a-z0-9_.-]*)?<IS><VALUE>",
        )
        .unless(harmless_setting),
        // Variables, by a part of their name.
        Rule::new(
            &["pass", "pwd", "secret", "token"],
            r"\b[A-Z0-9_]*(?:PASS|PWD|SECRET|TOKEN)(?:[A-RT-Z0-9_][A-Z0-9_]*)?<IS><VALUE>",
        )
        .unless(harmless_setting),
        Rule::new(&["_key"], r"\b[A-Z0-9_]+_KEY<IS><VALUE>").unless(harmless_setting),
        // A key of any other name, if its value looks like one.
        Rule::new(&["key"], r"(?i)[a-z0-9_.-]*key<IS><VALUE>")
            .unless(|seen| !is_key(seen.secret) || harmless_setting(seen)),
        Rule::new(
            &["otp", "jwt", "cvv", "cvc", "mfa", "verifier", "device_code", "assertion", "saml"],
            r"(?i)(?:^|[^a-z])(?:t?otp|jwt|cvv2?|cvc2?|mfa[_-]?code|code[_-]?verifier|device[_-]?code|client[_-]?assertion|saml[_-]?(?:response|request))<IS><VALUE>",
        )
        .unless(|seen| {
            // A package or a switch is called so, too.
            let short = bare(seen.secret).len() < 12;
            (short && seen.head.to_ascii_lowercase().contains("jwt")) || harmless_setting(seen)
        }),
        // The name of a service that gives keys, and what looks like one: whatever the name says of it.
        Rule::new(
            VENDORS,
            &format!(
                r"(?i)[a-z0-9_.-]*(?:{})[a-z0-9_.-]{{0,30}}<IS><VALUE>",
                VENDORS.join("|")
            ),
        )
        .unless(|seen| !is_opaque(bare(seen.secret)) || names_thing(seen.head)),
        // `NuGet.config`.
        Rule::new(
            &["password\""],
            r#"(?i)<add\s+key="(?:cleartext)?password"\s+value="(?P<secret>[^"]+)""#,
        ),
        // `with password 'x'`, `PASSWORD('x')`, `IDENTIFIED BY 'x'`.
        Rule::new(
            &["password"],
            r#"(?i)\bpassword\s*\(?\s*(?:is\s+|was\s+)?(?P<secret>'[^'\s]{3,}'|"[^"\s]{3,}")"#,
        )
        .unless(harmless_word),
        Rule::new(
            &["identified"],
            r#"(?i)\bidentified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+)?(?P<secret>'[^']+'|"[^"]+")"#,
        ),
        // `.netrc`.
        Rule::new(&["login"], r"\blogin\s+\S+\s+password\s+(?P<secret>\S+)"),
    ]
}
