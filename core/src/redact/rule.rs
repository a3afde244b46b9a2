//! One rule: what a line must have so that it is worth a look, a pattern, and what speaks against
//! what it finds.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

/// A value: in quotes (escaped ones, too, and one that the end of the text cuts off), or up to
/// the next separator.
pub const VALUE: &str = r#"(?P<secret>\\"(?:[^"\\]|\\[^"])*(?:\\"|$)|"(?:[^"\\]|\\.)*(?:"|\\?$)|'[^']*(?:'|$)|[^\s"',;&)}\]]+)"#;

/// What may stand between a name and its value.
pub const IS: &str = r#"\\?["']?\s*(?:=>|:=|={1,3}|:)\s*"#;

/// What a rule has found.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What comes before all that the rule needs.
    pub before: &'a str,
    /// What the rule needs before the secret: the name, the option, the header.
    pub head: &'a str,
    /// What it takes for the secret.
    pub secret: &'a str,
    /// What follows.
    pub after: &'a str,
}

/// A rule. What its group `secret` takes is hidden.
#[derive(Debug)]
pub struct Rule {
    /// One of these is in every text that the rule applies to, in any case.
    pub needs: &'static [&'static str],
    source: String,
    is_harmless: fn(Seen<'_>) -> bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Rule {
    /// A rule without exceptions. In its pattern `IS` and `VALUE` stand for what they name here.
    pub fn new(needs: &'static [&'static str], pattern: &str) -> Self {
        // Word boundaries of ASCII: those of Unicode would make every search slow.
        let source = pattern.replace("<IS>", IS).replace("<VALUE>", VALUE);
        let source = source.replace(r"\b", r"(?-u:\b)");
        Self { needs, source, is_harmless: |_| false, compiled: OnceLock::new() }
    }

    /// Leaves what is harmless.
    #[must_use]
    pub fn unless(mut self, is_harmless: fn(Seen<'_>) -> bool) -> Self {
        self.is_harmless = is_harmless;
        self
    }

    /// The pattern, compiled when a text first needs it.
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.source).ok()).as_ref()
    }

    /// Where secrets stand in a text.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let Some(regex) = self.regex() else { return Vec::new() };
        let found = regex.captures_iter(text).filter_map(|found| {
            let secret = found.name("secret")?;
            let start = found.get(0)?.start();
            let seen = Seen {
                before: text.get(..start)?,
                head: text.get(start..secret.start())?,
                secret: secret.as_str(),
                after: text.get(secret.end()..)?,
            };
            (!(self.is_harmless)(seen)).then(|| secret.range())
        });
        found.collect()
    }
}
