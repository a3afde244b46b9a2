//! The rules: secrets by the name before them, by the place where they stand, by their shape.

use std::sync::LazyLock;

use crate::redact::ordinary::{bare, is_key, is_port, is_random, is_setting, is_userinfo, is_word};
use crate::redact::rule::{Rule, Seen};

/// All rules, in the order in which they apply.
pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut all = blocks();
    all.extend(urls());
    all.extend(headers());
    all.extend(names());
    all.extend(queries());
    all.extend(commands());
    all.extend(shapes());
    all
});

fn harmless_word(seen: Seen<'_>) -> bool {
    is_word(seen.secret)
}

fn harmless_setting(seen: Seen<'_>) -> bool {
    // The name of a secret of AWS: `arn:aws:secretsmanager:…:secret:NAME`.
    if seen.head == "secret:" && seen.before.ends_with(':') && seen.before.contains("arn:aws") {
        return true;
    }
    is_setting(seen.head.trim_end_matches(|c: char| "\"'\\ =:>".contains(c)), seen.secret)
}

/// What has a beginning and an end: keys, the data of a Kubernetes secret.
fn blocks() -> Vec<Rule> {
    vec![
        // Up to their end, or to that of the text if it is cut off or goes on in the next line.
        Rule::new(
            &["PRIVATE KEY"],
            r"(?s)-----? ?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-----?(?P<secret>.+?)(?:-----? ?END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-----?|\z)",
        )
        .unless(|seen| bare(seen.secret).trim().trim_matches(['"', '\\']).is_empty()),
        Rule::new(
            &["Private-Lines:"],
            r"(?s)Private-Lines: *\d+(?:\s|\\[rn])+(?P<secret>.+?)(?:\s*Private-MAC:|\\[rn]Private-MAC:|\z)",
        ),
        Rule::new(
            &["Secret"],
            r#"\\?"kind\\?"\s*:\s*\\?"Secret\\?"(?s:.)*?\\?"(?:data|stringData)\\?"\s*:\s*\{(?P<secret>[^{}]+)\}"#,
        ),
        Rule::new(
            &["Secret"],
            r#"\\?"(?:data|stringData)\\?"\s*:\s*\{(?P<secret>[^{}]+)\}(?s:.)*?\\?"kind\\?"\s*:\s*\\?"Secret\\?""#,
        ),
        // The private number of a JSON web key.
        Rule::new(&["\"d\""], r#"\\?"d\\?"\s*:\s*\\?"(?P<secret>[A-Za-z0-9_-]{40,})"#),
        Rule::new(
            &["mnemonic", "seed phrase", "seed_phrase", "seedphrase", "recovery phrase"],
            r#"(?i)(?:mnemonic|seed[ _]?phrase|recovery phrase)<IS>["']?(?P<secret>[a-z]{3,8}(?:[ ,]+[a-z]{3,8}){11,23})"#,
        ),
    ]
}

/// Users and passwords in URLs and connection strings.
fn urls() -> Vec<Rule> {
    vec![
        // An @ before a slash inside the password: up to the last @ for databases, whose paths have
        // none; for others only if a host with a path or port follows it.
        Rule::new(
            &["://"],
            r#"(?i)\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|nats|ldaps?)(?:\+[a-z0-9]+)?://[^\s/?\#"'<>:@]*:(?P<secret>[^\s/?\#"'<>,;]*@[^\s?\#"'<>,;]*)@"#,
        ),
        Rule::new(
            &["://"],
            r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:(?P<secret>[^\s/?\#"'<>,;]*@[^\s/?\#"'<>,;.:@]*/[^\s?\#"'<>,;]*)@[a-z0-9.-]+[:/]"#,
        ),
        // An address of e-mail as the user.
        Rule::new(
            &["://"],
            r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]+@[a-z0-9.-]+:(?P<secret>[^\s/?\#"'<>@]+)@"#,
        ),
        // Everything between the user's colon and the last @ before the path.
        Rule::new(
            &["://"],
            r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:(?P<secret>[^\s/?\#"'<>]+)@"#,
        ),
        // The same with a slash inside the password, which is no URL but is written all the same;
        // what begins like a port is one.
        Rule::new(
            &["://"],
            r#"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:(?P<secret>[^\s/?\#"'<>@]*[^\s/?\#"'<>@\d][^\s/?\#"'<>@]*/[^\s"'<>@]*)@"#,
        ),
        // A token in the place of the user.
        Rule::new(&["://"], r"(?i)\b[a-z][a-z0-9+.-]*://(?P<secret>[a-z0-9_.~%+-]{20,})@")
            .unless(|seen| !is_random(seen.secret, 20)),
        // Forms of drivers and files: Go, Oracle, .pgpass.
        Rule::new(
            &["@tcp(", "@unix(", "@tcp6("],
            r#"[A-Za-z0-9_.%-]+:(?P<secret>[^\s"'/:]+)@(?:tcp6?|unix)\("#,
        ),
        Rule::new(&["jdbc:oracle"], r#"(?i)jdbc:oracle:[a-z]+:[^\s/"'@]+/(?P<secret>[^\s@"']+)@"#),
        Rule::new(&["sqlplus"], r#"\bsqlplus\b[^\r\n/]*?\s[^\s/"'-]+/(?P<secret>[^\s@"']+)"#),
        Rule::new(
            &[":5432:", ":5433:", ":6432:", ":*:", "pgpass"],
            r#"(?:^|[\s"'=])(?:\*|[A-Za-z0-9.-]+):(?:\d{4,5}|\*):[^\s:"']+:[^\s:"']+:(?P<secret>[^\s:"']+)"#,
        ),
        // ODBC puts braces around what has a separator in it.
        Rule::new(&["pwd", "password"], r"(?i)\b(?:pwd|password)\s*=\s*(?P<secret>\{[^}\r\n]*\})"),
        Rule::new(
            &["accountkey", "sharedaccesskey"],
            r#"(?i)\b(?:accountkey|sharedaccesskey)=(?P<secret>[^\s;"',&]+)"#,
        ),
    ]
}

/// Schemes of the header `Authorization`.
const SCHEMES: &str = "(?:bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|ssws|geniekey|bot|key|hmac|splunk|oauth|aws4-hmac-sha256|sharedkey(?:lite)?|sharedaccesssignature|signature|hawk|dpop|vapid|mac|zoho-oauthtoken|klaviyo-api-key)";

/// Headers of HTTP.
fn headers() -> Vec<Rule> {
    let authorization = r#"(?i)authorization\\?["']?\s*[:=]\s*\\?["']?"#;
    let parameter = r#"[a-z][a-z0-9_-]*=(?:\\?"[^"\\]*\\?"|[^\s,"'\\]+)"#;
    vec![
        Rule::new(
            &["authorization"],
            &format!(r"{authorization}{SCHEMES}\s+(?P<secret>{parameter}(?:\s*,\s*{parameter})*)"),
        ),
        // A scheme that is not known, with a long word behind it.
        Rule::new(
            &["authorization"],
            &format!(r"{authorization}[a-z][a-z0-9_-]{{1,30}}\s+(?P<secret>[a-z0-9._~+/=-]{{16,}})"),
        ),
        Rule::new(
            &["authorization"],
            &format!(r#"{authorization}(?:{SCHEMES}\s+)?(?P<secret>[^\s"',;\\]+)"#),
        )
        .unless(|seen| is_word(seen.secret) || seen.after.trim_start().starts_with("***")),
        Rule::new(&["bearer"], r"(?i)\bbearer\s+(?P<secret>[a-z0-9._~+/=-]{8,})")
            .unless(|seen| is_word(seen.secret) || seen.secret.eq_ignore_ascii_case("realm=")),
        Rule::new(&["basic"], r"(?i)\bbasic\s+(?P<secret>[a-z0-9+/_-]{8,}={0,2})")
            .unless(|seen| !is_userinfo(seen.secret)),
        Rule::new(
            &["cookie"],
            r#"(?i)\b(?:set-)?cookie\\?["']?\s*[:=]\s*\\?["']?(?P<secret>(?:="[^"\r\n]*"|[^"'\\\r\n])+)"#,
        )
        .unless(harmless_word),
        Rule::new(
            &["sess", "connect.sid"],
            r#"(?i)\b(?:phpsessid|jsessionid|asp\.net_sessionid|connect\.sid|[a-z]*_?session|sessid|sessionid)=(?P<secret>[^\s;&"',]{8,})"#,
        )
        .unless(|seen| !is_random(seen.secret, 12)),
        // What `.npmrc` and the configuration of Docker call so: base64 of user and password.
        Rule::new(&["auth"], r#"(?i)\b_?auth\\?["']?\s*[:=]\s*\\?["']?(?P<secret>[a-z0-9+/]{8,}={0,2})"#)
            .unless(|seen| !is_userinfo(seen.secret)),
        Rule::new(&["\"auth\""], r#"(?i)"auth"(?:\s+"[^"]*")?\s+"(?P<secret>[^"]+)""#),
    ]
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
fn names() -> Vec<Rule> {
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

/// Parameters of URLs.
fn queries() -> Vec<Rule> {
    vec![
        Rule::new(
            &["sig=", "sas=", "hmac=", "assertion=", "ticket=", "?pw=", "&pw=", "otp="],
            r#"(?i)[?&;](?:sig|sas|hmac|assertion|ticket|pw|otp)=(?P<secret>[^\s&;"'<>\\]+)"#,
        )
        .unless(harmless_word),
        Rule::new(
            &[
                "?code=", "&code=", "?key=", "&key=", "?auth=", "&auth=", "session=", "?sid=",
                "&sid=",
            ],
            r#"(?i)[?&](?:code|key|auth|session|sid)=(?P<secret>[^\s&;#"'<>]+)"#,
        )
        .unless(|seen| !is_random(seen.secret, 10) || is_date(seen.secret)),
        // Addresses that are themselves the right to write there.
        Rule::new(
            &["hooks.slack"],
            r"\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]+)",
        ),
        Rule::new(&["/api/webhooks/"], r"/api/webhooks/(?P<secret>\d{8,}/[A-Za-z0-9_-]{20,})"),
        Rule::new(
            &["webhook.office.com", "outlook.office.com"],
            r"\b(?:[a-z0-9-]+\.webhook|outlook)\.office(?:365)?\.com/(?:webhookb2|webhook)/(?P<secret>[A-Za-z0-9@/_-]{30,})",
        ),
        Rule::new(&["hooks.zapier"], r"\bhooks\.zapier\.com/hooks/catch/(?P<secret>[A-Za-z0-9/]+)"),
    ]
}

fn is_date(value: &str) -> bool {
    value.bytes().filter(u8::is_ascii_alphabetic).count() <= 2
}

/// Command lines, and the files that say the same.
fn commands() -> Vec<Rule> {
    vec![
        Rule::new(
            &["pass", "secret", "token", "key"],
            r"(?i)(?:^|\s)--?(?:[a-z0-9]+-)*(?:password|passwd|pass|passphrase|secret|token|api-?key|access-?key|secret-?key|(?:src|dest)?(?:store|key)pass)\s+<VALUE>",
        )
        .unless(|seen| is_word(seen.secret) || seen.secret.starts_with("--")),
        // Settings of a database, on its command line and in its file, and clients that take a
        // password without saying so.
        Rule::new(
            &["requirepass", "masterauth"],
            r"(?i)(?:^|\s)--?(?:requirepass|masterauth)[\s=]+<VALUE>",
        ),
        Rule::new(
            &["requirepass", "masterauth"],
            r"(?i)\b(?:requirepass|masterauth)\s+<VALUE>",
        )
        .unless(harmless_word),
        Rule::new(&["requirepass", "masterauth"], r"(?i)\b(?:requirepass|masterauth)<IS><VALUE>"),
        Rule::new(&["redis-cli"], r"\bredis-cli\b[^\r\n]*?\s-a\s*<VALUE>"),
        Rule::new(
            // With what separates it from an option: access logs name `curl/8.5.0`.
            &["curl ", "curl\t", "curl\u{b}", "wget ", "wget\t", "wget\u{b}"],
            r#"\b(?:curl|wget)\b[^\r\n]*?\s(?:-[a-zA-Z]*[uU]|--user|--proxy-user|--auth)[\s=]*["']?[^\s"':/]+:(?P<secret>[^\s"']+)"#,
        ),
        Rule::new(
            &["mysql", "mariadb"],
            r#"\b(?:mysql|mariadb)[a-z_-]*\b[^\r\n]*?\s-p(?P<secret>'[^']+'|"[^"]+"|[^\s"']+)"#,
        )
        .unless(|seen| is_port(seen.secret)),
        Rule::new(
            &["sshpass", "docker login", "mongo", "ldapsearch", "sqlcmd", "ipmitool", "az login"],
            r"\b(?:sshpass|docker login|mongo(?:sh|dump|restore)?|ldapsearch|sqlcmd|ipmitool|az login)\b[^\r\n]*?\s-[pPw]\s*<VALUE>",
        )
        .unless(|seen| is_port(seen.secret)),
        Rule::new(&["pass:"], r"(?i)\s-?-?pass(?:in|out)?\s+pass:(?P<secret>\S+)"),
        Rule::new(&["htpasswd"], r"\bhtpasswd\s+-[a-zA-Z]*b[a-zA-Z]*\s+(?:-\S+\s+)*\S+\s+\S+\s+(?P<secret>\S+)"),
        Rule::new(
            &["rabbitmqctl"],
            r"\brabbitmqctl\s+(?:-\S+\s+)*(?:add_user|change_password|authenticate_user)\s+\S+\s+(?P<secret>\S+)",
        ),
    ]
}

/// What looks like a secret and like nothing else.
fn shapes() -> Vec<Rule> {
    vec![
        // JSON web tokens, signed and encrypted.
        Rule::new(
            &["eyJ"],
            r"\b(?P<secret>eyJ[A-Za-z0-9_-]{8,}\.(?:[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}|\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+))",
        ),
        // The secret that stands next to the id of an AWS key.
        Rule::new(
            &["AKIA", "ASIA"],
            r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16}[^A-Za-z0-9/+=\r\n]{1,20}[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
        ),
        Rule::new(&["Q~"], r"\b(?P<secret>[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34})"),
        Rule::new(&["AZDO"], r"\b(?P<secret>[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})\b"),
        Rule::new(&[":AA"], r"(?P<secret>\d{8,10}:AA[A-Za-z0-9_-]{32,34})"),
        Rule::new(
            &["discord", "bot", "token"],
            r"\b(?P<secret>[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38})",
        ),
        Rule::new(&["-us"], r"\b(?P<secret>[0-9a-f]{32}-us\d{1,2})\b"),
        Rule::new(&["NRAL"], r"\b(?P<secret>[A-Za-z0-9]{36}NRAL)\b"),
        Rule::new(
            &["airtable", "token", "bearer"],
            r"\b(?P<secret>pat[A-Za-z0-9]{14}\.[0-9a-f]{64})\b",
        ),
        Rule::new(&["atlasv1"], r"\b(?P<secret>[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,})"),
        Rule::new(
            &[" s.", "=s.", ":s.", "\"s.", "'s."],
            r#"(?:^|[\s=:"'])(?P<secret>s\.[A-Za-z0-9]{24})(?:[^A-Za-z0-9.]|$)"#,
        )
        .unless(|seen| !is_random(seen.secret, 24)),
        Rule::new(
            &[
                "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb",
                "SKc", "SKd", "SKe", "SKf",
            ],
            r"\b(?P<secret>SK[0-9a-f]{32})\b",
        ),
        // What is left of a password: the forms of crypt, LDAP, Django, PostgreSQL.
        Rule::new(
            &["$2a$", "$2b$", "$2x$", "$2y$"],
            r"(?P<secret>\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53})",
        ),
        Rule::new(
            &[
                "$1$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$apr1$", "$argon2", "$scrypt$",
                "$pbkdf2",
            ],
            r"(?P<secret>\$(?:1|5|6|7|y|gy|apr1|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]*)\$[A-Za-z0-9./,=+$-]{20,})",
        ),
        Rule::new(
            &["{ssha", "{sha", "{smd5", "{crypt"],
            r"(?i)(?P<secret>\{(?:ssha|sha|smd5|ssha256|ssha512|sha256|sha512|crypt)\}[a-z0-9+/=$.]{16,})",
        ),
        Rule::new(
            &["pbkdf2_sha", "scram-sha-"],
            r"(?i)(?P<secret>(?:pbkdf2_sha\d+|scram-sha-\d+)\$\d+[$:][a-z0-9+/=$:]{20,})",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles_and_needs_something() {
        for rule in RULES.iter() {
            assert!(rule.regex().is_some(), "{rule:?}");
            assert!(!rule.needs.is_empty() && rule.needs.iter().all(|n| n.len() > 1), "{rule:?}");
        }
    }
}
