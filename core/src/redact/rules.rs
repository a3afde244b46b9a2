//! The rules: secrets by the name before them, by the place where they stand, by their shape.

use std::sync::LazyLock;

use crate::redact::names::{harmless_word, names};
use crate::redact::ordinary::{bare, is_port, is_random, is_userinfo, is_word};
use crate::redact::rule::Rule;

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
            r#"\\?"(?:data|stringData)\\?"\s*:\s*\{(?P<secret>[^{}]+)\}[^{}]*?\\?"kind\\?"\s*:\s*\\?"Secret\\?""#,
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
