//! Secrets out of text: by their shape, by their place, and by the name before them.
//!
//! Masking is irreversible and stable: masking a masked text changes nothing, and during one run
//! the same secret has the same mark.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;
use sha2::{Digest, Sha256};

use crate::redact::custom::Custom;
use crate::redact::ordinary::bare;
use crate::redact::rules::RULES;
use crate::redact::{personal, tokens, trigger};

/// What stands where a secret was; with a key so many digits follow that tell one from another.
pub const MASK: &str = "***";
/// Digits behind the mask. Few, so that nothing can be found out by trying; enough that two of
/// an incident's secrets rarely share them.
const TAG_DIGITS: usize = 5;
/// One more than the greatest tag.
const TAGS: u64 = 100_000;

/// The rules are applied at most this often; text that is made to need more is no log line.
const ROUNDS: usize = 16;

/// What makes the marks of one run differ from secret to secret. It is made at the start, and
/// neither shown nor kept.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// How secrets are hidden: what is built in always, and what a configuration adds to it.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    /// With a key the same secret has the same mark; without one all marks are the same.
    pub key: Option<Key>,
    /// What is hidden and what stays readable beyond what is built in.
    pub custom: Custom,
}

/// The one static of the core that is set: text is made safe at some fifty places, from several
/// threads, and none of them may be without it. It is set once, by the composition root, before
/// the first text is read, and only read from then on.
static IN_FORCE: OnceLock<Masker> = OnceLock::new();

/// Sets how secrets are hidden in this process. False if that is decided already: nothing changes.
pub fn configure(masker: Masker) -> bool {
    IN_FORCE.set(masker).is_ok()
}

fn in_force() -> &'static Masker {
    static PLAIN: Masker = Masker { key: None, custom: Custom::NONE };
    IN_FORCE.get().unwrap_or(&PLAIN)
}

/// Masks every secret that it recognises.
pub fn mask(text: Cow<'_, str>) -> Cow<'_, str> {
    in_force().mask(text)
}

/// The mark of a text that is a secret as a whole.
pub fn mark(secret: &str) -> String {
    let secret = bare(secret);
    if is_mark(secret) { secret.to_owned() } else { in_force().mark(secret) }
}

/// Whether a text is nothing but the mark of a secret, or stars that somebody else has put there.
pub fn is_mark(text: &str) -> bool {
    let tag = text.trim_start_matches('*');
    let stars = text.len() - tag.len();
    let digits = tag.bytes().all(|b| b.is_ascii_digit());
    stars > 0 && (tag.is_empty() || (stars == MASK.len() && tag.len() <= TAG_DIGITS && digits))
}

impl Masker {
    /// Masks every secret that it recognises.
    pub fn mask<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        // What one rule masks may be the value that an earlier rule looks for, so they are applied
        // until nothing changes.
        let mut out = text;
        for _ in 0..ROUNDS {
            match self.once(&out) {
                Some(masked) => out = Cow::Owned(masked),
                None => break,
            }
        }
        out
    }

    /// Every rule once; `None` if nothing changes.
    fn once(&self, text: &str) -> Option<String> {
        let wanted = trigger::wanted(text);
        let mut out: Option<String> = None;
        let mut hide = |find: &dyn Fn(&str) -> Vec<Range<usize>>| {
            let now = out.as_deref().unwrap_or(text);
            if let Some(changed) = self.hidden(now, find(now)) {
                out = Some(changed);
            }
        };
        for pattern in &self.custom.patterns {
            hide(&|now| pattern_spans(pattern, now));
        }
        if !wanted.is_empty() {
            // A rule that finds only what another one has just masked has its turn in the next round.
            for (number, rule) in RULES.iter().enumerate() {
                if wanted.rule(number) {
                    hide(&|now| rule.spans(now));
                }
            }
            if wanted.tokens() {
                hide(&tokens::spans);
            }
            if wanted.mails() {
                hide(&personal::mails);
            }
        }
        hide(&personal::cards);
        out
    }

    /// The text with marks in these places; `None` if all of them have one already.
    fn hidden(&self, text: &str, spans: Vec<Range<usize>>) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for span in spans {
            let span = beyond_marks(text, span);
            let Some(secret) = text.get(span.clone()) else { continue };
            let inner = bare(secret);
            if span.start < done || inner.is_empty() || is_mark(inner) || self.custom.allows(inner)
            {
                continue;
            }
            out.push_str(text.get(done..span.start).unwrap_or_default());
            out.push_str(&self.mark(inner));
            done = span.end;
        }
        (done > 0).then(|| {
            out.push_str(text.get(done..).unwrap_or_default());
            out
        })
    }

    /// What stands for a secret: so little of its hash that many texts share it, and of a hash
    /// with a key that nobody has, so that none of them can be tried.
    fn mark(&self, secret: &str) -> String {
        let Some(Key(key)) = &self.key else { return MASK.to_owned() };
        let mut hash = Sha256::new();
        hash.update(key);
        hash.update(secret.as_bytes());
        let number = hash.finalize().iter().take(8).fold(0, |sum, b| sum << 8 | u64::from(*b));
        format!("{MASK}{:0TAG_DIGITS$}", number % TAGS)
    }
}

fn pattern_spans(pattern: &Regex, text: &str) -> Vec<Range<usize>> {
    pattern
        .captures_iter(text)
        .filter_map(|found| Some(found.name("secret").or_else(|| found.get(0))?.range()))
        .filter(|span| !span.is_empty())
        .collect()
}

/// A place that takes a part of a mark takes the whole of it: no mark is ever cut.
fn beyond_marks(text: &str, span: Range<usize>) -> Range<usize> {
    if !text.contains('*') {
        return span;
    }
    let bytes = text.as_bytes();
    let Range { mut start, mut end } = span;
    let digits = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    let stars = |b: Option<&u8>| b == Some(&b'*');
    let at = |i: usize| bytes.get(i);
    // To the left: from among the digits to the stars, and past them.
    let mut left = start;
    while left > 0 && start - left < TAG_DIGITS && digits(at(left - 1)) {
        left -= 1;
    }
    let touches = digits(at(start)) || stars(at(start));
    if touches && left > 0 && stars(at(left - 1)) {
        start = left;
        while start > 0 && stars(at(start - 1)) {
            start -= 1;
        }
    }
    // To the right: the rest of the stars and the digits behind them.
    let mut right = end;
    while stars(at(right)) && stars(at(right.wrapping_sub(1))) {
        right += 1;
    }
    let mut first = right;
    while first > start && digits(at(first - 1)) {
        first -= 1;
    }
    if first > start && stars(at(first - 1)) {
        while right - first < TAG_DIGITS && digits(at(right)) {
            right += 1;
        }
    }
    end = end.max(right);
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        mask(Cow::Borrowed(text)).into_owned()
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
            // The URL stays what it is; the address in it goes.
            ("https://h/p?e=a@b.com", "https://h/p?e=***"),
            ("https://h:8080/p?e=a@b.com&x=1", "https://h:8080/p?e=***&x=1"),
        ];
        for (input, expected) in cases {
            assert_eq!(masked(input), expected, "{input}");
            assert_eq!(masked(expected), expected, "masking twice: {input}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for text in [
            "https://h/p?e=a@b",
            "https://h:8080/p?e=a@b",
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

    /// With a key, as a run has one.
    fn keyed(text: &str) -> String {
        let masker = Masker { key: Some(Key::new([7; 32])), custom: Custom::NONE };
        masker.mask(Cow::Borrowed(text)).into_owned()
    }

    fn only_mark(text: &str) -> &str {
        let start = text.find('*').unwrap_or(text.len());
        text.get(start..start + MASK.len() + TAG_DIGITS).unwrap_or_default()
    }

    #[test]
    fn the_same_secret_has_the_same_mark_wherever_it_stands() {
        let marks: Vec<String> = [
            "password=hunter2 x",
            "{\"password\": \"hunter2\"}",
            "postgres://app:hunter2@db/x",
            "redis-cli -a hunter2 ping",
            "Authorization: Bearer hunter2",
        ]
        .iter()
        .map(|text| only_mark(&keyed(text)).to_owned())
        .collect();
        assert!(marks.iter().all(|mark| is_mark(mark) && mark.len() == 8 && *mark == marks[0]));
        assert_ne!(only_mark(&keyed("password=hunter3")), marks[0]);
        let other = Masker { key: Some(Key::new([8; 32])), custom: Custom::NONE };
        assert_ne!(other.mask("password=hunter2 x".into()), keyed("password=hunter2 x"));
        assert_eq!(format!("{:?}", Key::new([7; 32])), MASK);
    }

    #[test]
    fn marks_of_others_stay_as_they_are() {
        for text in ["password=***", "password=***12345 x", "u://a:***00001@h/x", "token: ********"]
        {
            assert_eq!(keyed(text), text);
            assert_eq!(masked(text), text);
        }
        for text in ["***1234x", "***123456", "*1", "", "12345"] {
            assert!(!is_mark(text), "{text}");
        }
    }

    #[test]
    fn a_pattern_of_the_user_hides_and_another_leaves_readable() {
        let custom = Custom::new(
            &["EMP-\\d{6}".to_owned(), "badge (?P<secret>\\d{5})".to_owned(), "\\d{5}".to_owned()],
            &["changeme-[a-z]+".to_owned()],
        )
        .unwrap();
        let masker = Masker { key: Some(Key::new([7; 32])), custom };
        let once = masker.mask("EMP-123456 badge 12345 password=changeme-now token=abc".into());
        assert!(
            !once.contains("EMP") && once.contains("badge ***") && !once.contains("badge 12345")
        );
        assert!(once.contains("password=changeme-now") && !once.contains("abc"), "{once}");
        assert_eq!(masker.mask(once.clone()), once);
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
            Just("***12345"),
            Just("12345"),
            Just("a@b.com"),
            Just("4111111111111111"),
            Just("Q~"),
            Just("-a "),
            Just("&key="),
            Just("Digest "),
            Just("realm="),
            Just("\"kind\":\"Secret\""),
            Just("\"data\":{"),
            Just("}"),
            Just("IDENTIFIED BY '"),
            Just("_KEY="),
            Just("auth="),
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
            let once = keyed(&text);
            prop_assert_eq!(keyed(&once), once.clone(), "from {}", text);
            prop_assert_eq!(masked(&once), once.clone(), "without the key, from {}", text);
        }

        #[test]
        fn any_text_survives(text in "\\PC{0,200}") {
            let once = masked(&text);
            prop_assert_eq!(masked(&once), once);
            let once = keyed(&text);
            // A mark stands for one byte at least, and for no two of them.
            prop_assert!(once.len() <= (MASK.len() + TAG_DIGITS) * text.len());
            prop_assert_eq!(keyed(&once), once);
        }

        #[test]
        fn plain_words_are_untouched(
            words in prop::collection::vec("[a-zA-Z]{1,12}[.,:;!?]?", 0..20),
        ) {
            let text = words.join(" ");
            // A name in front of a word makes it a secret.
            prop_assume!(!trigger::wanted(&text).rules());
            prop_assert_eq!(masked(&text), text);
        }

        #[test]
        fn a_key_in_any_surroundings_does_not_survive(
            before in "[ -~]{0,30}[ =:,;\"'(\\[{<|]",
            key in prop_oneof![
                "AKIA[0-9A-Z]{16}", "ghp_[A-Za-z0-9]{36}", "xoxb-[0-9]{12}-[A-Za-z0-9]{24}",
                "sk_live_[A-Za-z0-9]{24}", "glpat-[A-Za-z0-9]{20}",
                "eyJ[A-Za-z0-9]{20}\\.eyJ[A-Za-z0-9]{20}\\.[A-Za-z0-9]{30}",
            ],
            after in "([ ,;\"')\\]}>|][ -~]{0,30})?",
        ) {
            let text = format!("{before}{key}{after}");
            let body = &key[key.len() - 12..];
            prop_assert!(!masked(&text).contains(body), "{}", masked(&text));
            prop_assert!(!keyed(&text).contains(body), "{}", keyed(&text));
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
