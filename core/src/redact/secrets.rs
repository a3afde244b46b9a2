//! Secrets out of text: by their shape, and by the name before them.
//!
//! Masking is irreversible and stable: masking a masked text changes nothing.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

/// What stands where a secret was.
pub const MASK: &str = "***";

/// The rules are applied at most this often; text that is made to need more is no log line.
const ROUNDS: usize = 16;

/// A cheap look that spares most lines the rules below: every rule needs one of these.
static TRIGGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)://|pass|pwd|secret|token|key|auth|credential|bearer|cookie|session|signature|sig=|eyJ|AKIA|ASIA|AIza|gh[pousr]_|github_pat|glpat-|xox[abeprs]-|xapp-|hooks\.slack|npm_|pypi-|hf_|dop_v1_|sg\.|ya29\.|whsec_|sk[-_]|rk[-_]|redis-cli|curl|mysql|mariadb",
    )
    .ok()
});

/// A value: in quotes (escaped ones, too, and one that the end of the text cuts off), or up to
/// the next separator.
const VALUE: &str = r#"(?:\\"(?:[^"\\]|\\[^"])*(?:\\"|$)|"(?:[^"\\]|\\.)*(?:"|\\?$)|'[^']*(?:'|$)|[^\s"',;&)}\]]+)"#;

/// What may stand between a name and its value.
const IS: &str = r#"\\?["']?\s*(?:=>|:=|[:=])\s*"#;

/// The rules, in the order in which they apply. In each, the group `keep` stays, and so does
/// `tail`; what is between them is masked.
fn sources() -> Vec<String> {
    vec![
        // Private keys: up to their end, or to that of the text if it is cut off or goes on in
        // the next line.
        r"(?s)(?P<keep>-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----).+?(?P<tail>-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)".to_owned(),
        // URL userinfo, when there is an @ before a slash inside the password: up to the last @ for databases,
        // whose paths have none; for others only if a host with a path or port follows it.
        r#"(?i)(?P<keep>\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|nats|ldaps?)(?:\+[a-z0-9]+)?://[^\s/?\#"'<>:@]*:)[^\s/?\#"'<>,;]*@[^\s?\#"'<>,;]*(?P<tail>@)"#.to_owned(),
        r#"(?i)(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:)[^\s/?\#"'<>,;]*@[^\s/?\#"'<>,;.:@]*/[^\s?\#"'<>,;]*(?P<tail>@[a-z0-9.-]+[:/])"#.to_owned(),
        // Everything between the user's colon and the last @ before the path.
        r#"(?i)(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:)[^\s/?\#"'<>]+(?P<tail>@)"#.to_owned(),
        // The same with a slash inside the password, which is no URL but is written all the same;
        // what begins like a port is one.
        r#"(?i)(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/?\#"'<>:@]*:)[^\s/?\#"'<>@]*[^\s/?\#"'<>@\d][^\s/?\#"'<>@]*/[^\s"'<>@]*(?P<tail>@)"#.to_owned(),
        // A token in the place of the user.
        r"(?i)(?P<keep>\b[a-z][a-z0-9+.-]*://)[a-z0-9_.~%+-]{20,}(?P<tail>@)".to_owned(),
        // `name=value`, `name: value`, `"name": "value"` where the name says that it is secret.
        format!(
            r"(?i)(?P<keep>(?:[a-z0-9_.-]*(?:password|passphrase|secret)|(?:^|[^/a-z0-9_.-]|[a-z0-9_.-]+)passwd)(?:[_.-][a-z0-9_.-]*)?{IS}){VALUE}"
        ),
        format!(
            r"(?i)(?P<keep>[a-z0-9_.-]*(?:token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|account[_-]?key|shared[_-]?key|auth[_-]?key|credentials?|session[_-]?id|signature){IS}){VALUE}"
        ),
        format!(
            r"(?i)(?P<keep>(?:^|[^a-z])(?:[a-z0-9]+[_.-])*(?:pg|db|my)?(?:pass|pwd)(?:[_.-][a-z0-9_.-]*)?{IS}){VALUE}"
        ),
        // Variables, by a part of their name.
        format!(
            r"(?P<keep>\b[A-Z0-9_]*(?:PASS|PWD|SECRET|TOKEN)(?:[A-RT-Z0-9_][A-Z0-9_]*)?{IS}){VALUE}"
        ),
        format!(
            r"(?P<keep>\b[A-Z0-9_]+_KEY{IS}){VALUE}"
        ),
        r"(?i)(?P<keep>[?&;]sig=)[^\s&;]+".to_owned(),
        // Options of a command line.
        format!(
            r"(?i)(?P<keep>(?:^|\s)--?(?:[a-z0-9]+-)*(?:password|passwd|pass|passphrase|secret|token|api-?key|access-?key|secret-?key)\s+){VALUE}"
        ),
        // Settings of a database, on its command line and in its file, and clients that take a
        // password without saying so.
        format!(r"(?i)(?P<keep>(?:^|\s)--?(?:requirepass|masterauth)[\s=]+){VALUE}"),
        format!(r"(?i)(?P<keep>\b(?:requirepass|masterauth)\s+)(?P<word>{VALUE})"),
        format!(r"(?i)(?P<keep>\b(?:requirepass|masterauth){IS}){VALUE}"),
        format!(r"(?P<keep>\bredis-cli\b[^\r\n]*?\s-a\s*){VALUE}"),
        r#"(?P<keep>\bcurl\b[^\r\n]*?\s(?:-[a-zA-Z]*[uU]|--user|--proxy-user)[\s=]*["']?[^\s"':]+:)[^\s"']+"#.to_owned(),
        r#"(?P<keep>\b(?:mysql|mariadb)[a-z_-]*\b[^\r\n]*?\s-p)(?P<word>'[^']+'|"[^"]+"|[^\s"']+)"#.to_owned(),
        // Authorization headers and bearer tokens.
        r#"(?i)(?P<keep>authorization\\?["']?\s*[:=]\s*\\?["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?)[^\s"',;\\]+"#.to_owned(),
        r"(?i)(?P<keep>\bbearer\s+)[a-z0-9._~+/=-]{8,}".to_owned(),
        r#"(?i)(?P<keep>\b(?:set-)?cookie\\?["']?\s*[:=]\s*\\?["']?)[^"'\\\r\n]+"#.to_owned(),
        // JSON web tokens.
        r"(?P<keep>)\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.?[A-Za-z0-9_-]*".to_owned(),
        // Keys that say what they are: AWS, Google, GitHub, GitLab, Slack, Stripe, npm, PyPI, Hugging
        // Face, DigitalOcean, SendGrid and model providers.
        r"(?P<keep>)\b(?:AKIA|ASIA)[0-9A-Z]{16}\b".to_owned(),
        r"(?P<keep>)\bAIza[0-9A-Za-z_-]{35}".to_owned(),
        r"(?P<keep>)\bgh[pousr]_[A-Za-z0-9]{20,}".to_owned(),
        r"(?P<keep>)\bgithub_pat_[A-Za-z0-9_]{20,}".to_owned(),
        r"(?P<keep>)\bglpat-[A-Za-z0-9_-]{20,}".to_owned(),
        r"(?P<keep>)\b(?:xox[abeprs]|xapp)-[A-Za-z0-9-]{10,}".to_owned(),
        r"(?P<keep>\bhooks\.slack\.com/services/)[A-Za-z0-9/]+".to_owned(),
        r"(?P<keep>)\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{30,}|dop_v1_[a-f0-9]{40,}|whsec_[A-Za-z0-9]{20,})".to_owned(),
        r"(?P<keep>)\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}".to_owned(),
        r"(?P<keep>)\bya29\.[A-Za-z0-9_-]{20,}".to_owned(),
        r"(?P<keep>)\b[sr]k[-_][A-Za-z0-9_-]{16,}".to_owned(),
    ]
}

static RULES: LazyLock<Vec<Regex>> =
    LazyLock::new(|| sources().iter().filter_map(|source| Regex::new(source).ok()).collect());

/// All rules at once: says which of them a text needs, in one pass.
static NEEDED: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(sources()).ok());

/// Masks every secret that it recognises.
pub fn mask(text: Cow<'_, str>) -> Cow<'_, str> {
    if TRIGGER.as_ref().is_some_and(|t| !t.is_match(&text)) {
        return text;
    }
    // What one rule masks may be the value that an earlier rule looks for, so they are applied
    // until nothing changes.
    let mut out = text;
    for _ in 0..ROUNDS {
        match once(&out) {
            Some(masked) if masked != *out => out = Cow::Owned(masked),
            _ => break,
        }
    }
    out
}

/// Every rule once; `None` if none matches.
fn once(text: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let needed = NEEDED.as_ref().map(|all| all.matches(text));
    for (number, rule) in RULES.iter().enumerate() {
        let now = out.as_deref().unwrap_or(text);
        // One that matches only what another one has just masked has its turn in the next round.
        if needed.as_ref().is_none_or(|needed| needed.matched(number)) {
            let masked = rule.replace_all(now, |found: &Captures<'_>| {
                if found.name("word").is_some_and(|word| is_ordinary(word.as_str())) {
                    return found[0].to_owned();
                }
                let keep = found.name("keep").map_or("", |m| m.as_str());
                let tail = found.name("tail").map_or("", |m| m.as_str());
                format!("{keep}{MASK}{tail}")
            });
            out = Some(masked.into_owned());
        }
    }
    out
}

/// Words that follow the name of a setting in a sentence about it.
const ORDINARY: [&str; 24] = [
    "and",
    "are",
    "can",
    "config",
    "directive",
    "for",
    "has",
    "in",
    "is",
    "must",
    "not",
    "on",
    "option",
    "options",
    "or",
    "parameter",
    "set",
    "setting",
    "should",
    "to",
    "value",
    "was",
    "will",
    "with",
];

/// What stands where a secret may stand and is none: a word of a sentence, the ports of a
/// `docker run -p`.
fn is_ordinary(text: &str) -> bool {
    let is_port =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let ports = text.split('/').next().unwrap_or(text);
    ORDINARY.contains(&text.to_ascii_lowercase().as_str())
        || (ports.contains(':') && ports.split(':').all(is_port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        mask(Cow::Borrowed(text)).into_owned()
    }

    #[test]
    fn every_rule_compiles() {
        assert_eq!(RULES.len(), sources().len());
        assert!(TRIGGER.is_some());
        assert!(NEEDED.is_some());
    }

    #[test]
    fn secrets_are_masked_and_what_is_around_them_stays() {
        let cases = [
            ("postgres://app:hunter2@db:5432/x", "postgres://app:***@db:5432/x"),
            ("redis://:p@ss@word@cache:6379", "redis://:***@cache:6379"),
            ("postgres://app:p/w?1@db/x", "postgres://app:***@db/x"),
            ("https://0123456789abcdef0123@git/x", "https://***@git/x"),
            ("PGPASS=abc PORT=1", "PGPASS=*** PORT=1"),
            ("PGPASSWORD=abc", "PGPASSWORD=***"),
            ("DB_PASS=abc", "DB_PASS=***"),
            ("PASSWD: abc", "PASSWD: ***"),
            ("say: my_passwd=abc x", "say: my_passwd=*** x"),
            ("MYSQL_PWD: abc", "MYSQL_PWD: ***"),
            ("SECRET_KEY_BASE=abc", "SECRET_KEY_BASE=***"),
            ("DB_PASSWORD_FILE=/run/x", "DB_PASSWORD_FILE=***"),
            ("STRIPE_KEY=abc", "STRIPE_KEY=***"),
            ("GH_TOKEN_V2=abc", "GH_TOKEN_V2=***"),
            (r#"{"password": "a b", "user": "x"}"#, r#"{"password": ***, "user": "x"}"#),
            (r#"{"password": "a\"b c", "user": "x"}"#, r#"{"password": ***, "user": "x"}"#),
            (r#"{\"password\":\"a b\",\"user\":\"x\"}"#, r#"{\"password\":***,\"user\":\"x\"}"#),
            (r#"password="cut off in the mid"#, "password=***"),
            ("password => 'a b' x", "password => *** x"),
            ("mysql --password hunter2 -h db", "mysql --password *** -h db"),
            ("run --api-key abc --port 1", "run --api-key *** --port 1"),
            ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
            ("Authorization: Basic dXNlcjpwYXNz x", "Authorization: Basic *** x"),
            (r#"Authorization: Token token="abc", x"#, "Authorization: Token ***, x"),
            ("GET /x?api_key=12345&y=2", "GET /x?api_key=***&y=2"),
            ("GET /blob?sv=1&sig=a%2Fb&se=2", "GET /blob?sv=1&sig=***&se=2"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("ghp_abcdefghijklmnopqrstuvwxyz012345 x", "*** x"),
            ("glpat-abcdefghij0123456789 x", "*** x"),
            ("slack xoxb-123456789012-abcdef", "slack ***"),
            (
                "https://hooks.slack.com/services/T0/B0/abc x",
                "https://hooks.slack.com/services/*** x",
            ),
            ("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_d x", "t *** x"),
            ("sk-or-v1-0123456789abcdef0123", "***"),
            ("-----BEGIN RSA PRIVATE KEY-----MIIE", "-----BEGIN RSA PRIVATE KEY-----***"),
            (
                "-----BEGIN PRIVATE KEY-----\nMIIE\nabc=\n-----END PRIVATE KEY-----\nafter",
                "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\nafter",
            ),
            ("Cookie: sid=abc; theme=dark", "Cookie: ***"),
            ("postgres://u:p@ss/w@h/db", "postgres://u:***@h/db"),
            ("postgres://u:p/w@h/db and x", "postgres://u:***@h/db and x"),
            ("mongodb+srv://u:a@b/c@d@h1,h2/db?x=y@z", "mongodb+srv://u:***@h1,h2/db?x=y@z"),
            ("https://u:p@ss/w@h:8080/x", "https://u:***@h:8080/x"),
            ("https://u:pw@npm.example.org/@scope/pkg", "https://u:***@npm.example.org/@scope/pkg"),
            ("http://u:pw@api/users/@me", "http://u:***@api/users/@me"),
            (
                "redis-server --requirepass hunter2 --port 1",
                "redis-server --requirepass *** --port 1",
            ),
            ("redis-server --requirepass=hunter2", "redis-server --requirepass=***"),
            ("requirepass hunter2", "requirepass ***"),
            ("CONFIG SET requirepass \"a b\"", "CONFIG SET requirepass ***"),
            ("requirepass: hunter2", "requirepass: ***"),
            ("redis-server --masterauth hunter2 x", "redis-server --masterauth *** x"),
            ("masterauth hunter2", "masterauth ***"),
            ("redis-cli -h cache -a hunter2 ping", "redis-cli -h cache -a *** ping"),
            ("redis-cli -a 'a b' ping", "redis-cli -a *** ping"),
            ("redis-cli --pass hunter2 ping", "redis-cli --pass *** ping"),
            ("curl -fsS -u app:hunter2 http://h/x", "curl -fsS -u app:*** http://h/x"),
            ("curl -su app:hun:ter2 http://h", "curl -su app:*** http://h"),
            ("curl --user 'app:hunter2' http://h", "curl --user 'app:***' http://h"),
            ("curl 'http://h?a=1&b=2' -u app:hunter2", "curl 'http://h?a=1&b=2' -u app:***"),
            (
                "mysql -h db -u root -phunter2 -e 'select 1'",
                "mysql -h db -u root -p*** -e 'select 1'",
            ),
            ("mysqladmin ping -p'a b' -h db", "mysqladmin ping -p*** -h db"),
            ("mariadb-dump -phunter2 app", "mariadb-dump -p*** app"),
            ("app --token abc --port 1", "app --token *** --port 1"),
            ("app --password hunter2", "app --password ***"),
            ("PGPASSWORD=abc psql -h db", "PGPASSWORD=*** psql -h db"),
        ];
        for (input, expected) in cases {
            assert_eq!(masked(input), expected, "{input}");
            assert_eq!(masked(expected), expected, "masking twice: {input}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for text in [
            "https://h/p?e=a@b.com",
            "https://h:8080/p?e=a@b.com",
            "ssh://git@host/repo",
            "password authentication failed for user app",
            "AUTHOR=jane MONKEY_MODE=1 API_PORT=8000",
            "sh: exec: line 0: /etc/passwd: Permission denied",
            "tokens: 512",
            "MAX_TOKENS=512",
            "compass=north bypass=1",
            "connection refused to db:5432",
            "basic authentication is on",
            "keyboard: us",
            "the key is under the mat",
            "the requirepass option must be set",
            "requirepass is not set",
            "mysql -h db -P 3306 -u root",
            "mysqld --port=3306 --print-defaults",
            "docker run --name mysql -p3306:3306 -p 127.0.0.1:80:80/tcp mysql:8",
            "mysqld: ready for connections. port: 3306",
            "redis-cli -h cache -p 6379 ping",
            "curl: (7) Failed to connect to db port 5432: Connection refused",
            "curl -f http://localhost:8080/health || exit 1",
            "curl -u app http://h",
            "curl --url http://h:80/x",
            "redis://cache:6379/0",
            "mongodb://h1:27017,h2:27017/db",
            "amqp://mq:5672/vhost",
            "https://h:8080/a@b/c",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    /// Text made of what secrets are made of, in any order.
    fn fragments() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("password"),
            Just("Authorization: "),
            Just("Bearer "),
            Just("Token "),
            Just("token"),
            Just("SECRET_KEY"),
            Just("_KEY"),
            Just("--password "),
            Just("postgres://app:"),
            Just("://"),
            Just("@"),
            Just("="),
            Just(": "),
            Just("\\\""),
            Just("\""),
            Just("'"),
            Just("\\"),
            Just("***"),
            Just("/"),
            Just(" "),
            Just("\n"),
            Just("&sig="),
            Just("cookie: "),
            Just("-----BEGIN PRIVATE KEY-----"),
            Just("-----END PRIVATE KEY-----"),
            Just("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0."),
            Just("AKIAIOSFODNN7EXAMPLE"),
            Just("sk-0123456789abcdef01"),
            Just("hunter2"),
            Just("requirepass "),
            Just("redis-cli -a "),
            Just("curl -u app:"),
            Just("mysql -p"),
            Just("p@ss/w"),
            Just("is"),
            Just(":80"),
            Just("é"),
        ];
        prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn masking_twice_is_masking_once(text in fragments()) {
            let once = masked(&text);
            prop_assert_eq!(masked(&once), once.clone(), "from {}", text);
        }

        #[test]
        fn any_text_survives(text in "\\PC{0,200}") {
            let once = masked(&text);
            prop_assert_eq!(masked(&once), once);
        }

        #[test]
        fn a_named_secret_never_stays(
            name in prop_oneof![
                Just("DB_PASSWORD"), Just("password"), Just("api_key"), Just("AUTH_TOKEN"),
                Just("client_secret"), Just("MYSQL_PWD"), Just("PGPASS"), Just("aws_secret_access_key"),
            ],
            is in prop_oneof![Just("="), Just(": "), Just("\": \""), Just(" = "), Just("='")],
            secret in "[a-zA-Z0-9+/]{6,40}",
            before in "[ -~]{0,20} ",
        ) {
            // A mark that no rule keeps for another reason.
            let secret = format!("Zq7{secret}");
            let text = format!("{before}{name}{is}{secret}");
            prop_assert!(!masked(&text).contains(&secret), "{}", masked(&text));
        }
    }
}
