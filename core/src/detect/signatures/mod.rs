//! Known failure signatures in log lines: what each means is decided in one file of data, which
//! the user may extend.
//!
//! Start at [`Signatures::find`]. The `sieve` finds the literals of all entries in one pass, which
//! nearly every ordinary line has none of. Only entries whose literals are there are looked at, and
//! the first that holds names the line. `mention` tells what happened from what is spoken of,
//! `entry` reads the file.

pub mod entry;
mod mention;
mod sieve;
mod written;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Regex, RegexBuilder};

use crate::detect::signatures::entry::{Entry, MOST_ENTRIES, MOST_LITERALS, Sheet, SignatureError};
use crate::detect::signatures::sieve::Sieve;
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;
use crate::domain::severity::Severity;

/// The built-in file.
const BUILT_IN: &str = include_str!("signatures.toml");
/// Lines that services write while all is well.
const ORDINARY: &str = include_str!("ordinary.txt");
/// Bytes of a line that are looked at: a failure names itself early.
const LOOKED_AT: usize = 8192;
/// Memory that one confirming expression may take, in bytes.
const REGEX_SIZE: usize = 1 << 20;

static BUILTIN: LazyLock<Arc<Signatures>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
    let signatures = Signatures::read(BUILT_IN, "").expect("the built-in signatures are valid");
    Arc::new(signatures)
});

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name, as shown and as diagnosis knows it.
    pub name: Arc<str>,
    /// The class that it points to.
    pub class: FailureClass,
    /// How bad a single line is. One of low severity is never raised because it repeats.
    pub severity: Severity,
    /// What it says, in words behind a name and a colon.
    pub words: Arc<str>,
    /// The line may name the peer that does not answer.
    pub peer: bool,
    /// It counts in a line that calls itself ordinary, too: its writer logs it so.
    pub always: bool,
    /// It counts only where a record begins: what a program logs of itself it has survived.
    pub begins: bool,
}

impl Signature {
    /// What kind of anomaly such a line is.
    pub fn kind(&self) -> AnomalyKind {
        if self.peer { AnomalyKind::ConnectionRefused } else { AnomalyKind::FatalSignature }
    }
}

/// What confirms that an entry is meant once one of its literals is there.
#[derive(Debug)]
struct Rule {
    /// What a literal of `maybe` needs.
    all: Vec<AhoCorasick>,
    regex: Option<Regex>,
    unless: Option<AhoCorasick>,
}

/// A literal wakes a rule.
#[derive(Clone, Copy, Debug)]
struct Wake {
    rule: usize,
    /// It is enough by itself.
    enough: bool,
}

/// A set of signatures, ready to be looked for.
#[derive(Debug)]
pub struct Signatures {
    /// The user's file, as it was read.
    user: String,
    known: Vec<Signature>,
    rules: Vec<Rule>,
    sieve: Sieve,
    /// By the number of a literal.
    wakes: Vec<Vec<Wake>>,
    benign: AhoCorasick,
}

/// Rules by number.
type Rules = [u64; MOST_ENTRIES / 64];

fn set(rules: &mut Rules, at: usize) {
    if let Some(word) = rules.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn has(rules: &Rules, at: usize) -> bool {
    rules.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

impl Signatures {
    /// The built-in set.
    pub fn builtin() -> &'static Arc<Self> {
        &BUILTIN
    }

    /// The built-in set with the user's file before it: an entry with a known name replaces that
    /// one, or removes it.
    pub fn with(user: &str) -> Result<Self, SignatureError> {
        Self::read(BUILT_IN, user)
    }

    fn read(built_in: &str, user: &str) -> Result<Self, SignatureError> {
        let own = Sheet::parse(user)?;
        let known = Sheet::parse(built_in)?;
        let replaced = |e: &Entry| own.entries.iter().any(|o| o.name == e.name);
        let rest = known.entries.iter().filter(|e| !replaced(e));
        let entries: Vec<&Entry> = own.entries.iter().filter(|e| !e.disabled).chain(rest).collect();
        let benign: Vec<String> = own.benign.iter().chain(&known.benign).cloned().collect();
        let mut signatures = Self::build(&entries, &benign)?;
        user.clone_into(&mut signatures.user);
        for entry in own.entries.iter().filter(|e| !e.disabled) {
            signatures.check_examples(entry)?;
        }
        Ok(signatures)
    }

    /// Whether an entry finds what it says that it finds, and nothing else.
    fn check_examples(&self, entry: &Entry) -> Result<(), SignatureError> {
        for text in &entry.matches {
            match self.find(text) {
                Some(found) if *found.name == *entry.name => {}
                Some(found) => {
                    let why = format!("\"{text}\" of `matches` is found as \"{}\"", found.name);
                    return Err(entry.wrong(why));
                }
                None => {
                    return Err(entry.wrong(format!("\"{text}\" of `matches` is not found")));
                }
            }
        }
        for text in &entry.rejects {
            if self.find(text).is_some_and(|found| *found.name == *entry.name) {
                return Err(entry.wrong(format!("\"{text}\" of `rejects` is found")));
            }
        }
        Ok(())
    }

    fn build(entries: &[&Entry], benign: &[String]) -> Result<Self, SignatureError> {
        let mut literals = Literals::default();
        let (mut signatures, mut rules) = (Vec::new(), Vec::new());
        for entry in entries {
            let (class, severity, words) = entry.meaning()?;
            signatures.push(Signature {
                name: entry.name.as_str().into(),
                class,
                severity,
                words: words.into(),
                peer: entry.peer,
                always: entry.always,
                begins: entry.begins,
            });
            for (list, enough) in [(&entry.any, true), (&entry.maybe, false)] {
                for literal in list {
                    literals.wake(literal, Wake { rule: rules.len(), enough });
                }
            }
            let all = entry.all.iter().map(|l| one_of(std::slice::from_ref(l)));
            rules.push(Rule {
                all: all.collect::<Result<_, _>>().map_err(|e| entry.wrong(e))?,
                regex: entry.regex.as_deref().map(|r| expression(entry, r)).transpose()?,
                unless: match entry.unless.as_slice() {
                    [] => None,
                    list => Some(one_of(list).map_err(|e| entry.wrong(e))?),
                },
            });
        }
        let Literals { texts, wakes, .. } = literals;
        for (count, what, most) in
            [(rules.len(), "signatures", MOST_ENTRIES), (texts.len(), "literals", MOST_LITERALS)]
        {
            if count > most {
                return Err(SignatureError::TooMany { count, what, most });
            }
        }
        let sieve = Sieve::new(texts.iter().map(String::as_str), ORDINARY);
        let benign = one_of(benign)
            .map_err(|why| SignatureError::Entry { name: "benign".to_owned(), why })?;
        Ok(Self { user: String::new(), known: signatures, rules, sieve, wakes, benign })
    }

    /// The signature that the line shows, if any: the first in order of weight. Nothing is
    /// allocated.
    pub fn find(&self, text: &str) -> Option<&Signature> {
        let text = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text);
        let bytes = text.as_bytes();
        let (mut woken, mut sure) = (Rules::default(), Rules::default());
        let mut any = false;
        self.sieve.each(bytes, |literal, start, end| {
            if mention::is_mention(bytes, start, end) {
                return;
            }
            for wake in self.wakes.get(literal).into_iter().flatten() {
                set(if wake.enough { &mut sure } else { &mut woken }, wake.rule);
                any = true;
            }
        });
        if any { self.first(text, &woken, &sure) } else { None }
    }

    /// A signature by its name.
    pub fn named(&self, name: &str) -> Option<&Signature> {
        self.known.iter().find(|s| &*s.name == name)
    }

    /// All of them, in order of weight.
    pub fn all(&self) -> &[Signature] {
        &self.known
    }

    /// The first rule that holds; those in `sure` need no confirmation.
    fn first(&self, text: &str, woken: &Rules, sure: &Rules) -> Option<&Signature> {
        let found = woken.iter().zip(sure).enumerate().find_map(|(word, (woken, is_sure))| {
            let mut bits = woken | is_sure;
            while bits != 0 {
                let at = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if self.rules.get(at).is_some_and(|rule| rule.holds(has(sure, at), text)) {
                    return self.known.get(at);
                }
            }
            None
        })?;
        let mut well = self.benign.find_overlapping_iter(text);
        let all_is_well = well.any(|m| mention::is_whole(text.as_bytes(), m.start(), m.end()));
        (!all_is_well).then_some(found)
    }
}

impl Rule {
    fn holds(&self, sure: bool, text: &str) -> bool {
        (sure
            || (self.all.iter().all(|l| l.is_match(text))
                && self.regex.as_ref().is_none_or(|r| r.is_match(text))))
            && !self.unless.as_ref().is_some_and(|u| u.is_match(text))
    }
}

/// Literals, each once, and what they wake.
#[derive(Default)]
struct Literals {
    texts: Vec<String>,
    wakes: Vec<Vec<Wake>>,
    numbers: HashMap<String, usize>,
}

impl Literals {
    fn wake(&mut self, literal: &str, wake: Wake) {
        let Self { texts, wakes, numbers } = self;
        let number = *numbers.entry(literal.to_ascii_lowercase()).or_insert_with_key(|text| {
            texts.push(text.clone());
            wakes.push(Vec::new());
            texts.len() - 1
        });
        if let Some(woken) = wakes.get_mut(number) {
            woken.push(wake);
        }
    }
}

/// Finds whether one of the literals is somewhere in a line, even as a part of a word.
fn one_of(literals: &[String]) -> Result<AhoCorasick, String> {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .build(literals)
        .map_err(|e| format!("its literals are too much: {e}"))
}

fn expression(entry: &Entry, regex: &str) -> Result<Regex, SignatureError> {
    RegexBuilder::new(regex)
        .size_limit(REGEX_SIZE)
        .build()
        .map_err(|e| entry.wrong(format!("`regex` is not usable: {e}")))
}

/// The built-in signature that the line shows, if any.
pub fn of(text: &str) -> Option<&'static Signature> {
    BUILTIN.find(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet::parse(BUILT_IN).unwrap()
    }

    #[test]
    fn every_entry_finds_its_examples_and_not_what_looks_alike() {
        let signatures = Signatures::builtin();
        let mut wrong = Vec::new();
        for entry in sheet().entries {
            for text in &entry.matches {
                let found = signatures.find(text).map_or("nothing", |s| &*s.name);
                if found != entry.name {
                    wrong.push(format!("{}: found {found} in {text}", entry.name));
                }
            }
            for text in &entry.rejects {
                if let Some(found) = signatures.find(text) {
                    wrong.push(format!("{}: found {} in {text}", entry.name, found.name));
                }
            }
            if entry.matches.len() < 3 || entry.rejects.len() < 3 {
                wrong.push(format!("{}: fewer than three examples", entry.name));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    #[test]
    fn ordinary_lines_match_nothing() {
        for text in ORDINARY.lines() {
            assert_eq!(Signatures::builtin().find(text), None, "{text}");
        }
    }

    #[test]
    fn what_only_names_a_failure_is_none() {
        for text in [
            "GET /error 200",
            "INFO started, 0 errors",
            "level=info msg=ok err=nil",
            "level=error msg=\"connection refused\" err=nil",
            "retry on ECONNREFUSED is on",
            "10.0.0.1 - - [24/Nov/2026:03:15:02 +0000] \"GET /search?q=ENOSPC HTTP/1.1\" 200 1",
            "INSERT INTO log (text) VALUES ('permission denied')",
            "--- PASS: TestConnection/connection refused (0.00s)",
            "=== RUN   TestDial/too many open files",
            "ok 12 - no space left on device is reported",
            "see https://example.org/docs/ECONNREFUSED",
            "connect timeout: 10s",
            "BrokenPipelineError",
        ] {
            assert_eq!(Signatures::builtin().find(text), None, "{text}");
        }
    }

    #[test]
    fn the_names_that_diagnosis_knows_are_there() {
        for name in [
            "connection_refused",
            "dns_failure",
            "credentials_rejected",
            "missing_config",
            "port_in_use",
            "out_of_memory",
            "disk_full",
            "read_only",
            "too_many_files",
            "no_more_processes",
            "pool_exhausted",
            "permission_denied",
            "tls_invalid",
            "native_crash",
            "panic",
            "cannot_execute",
        ] {
            assert!(Signatures::builtin().named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_huge_line_is_looked_at() {
        let far = format!("{}é ENOSPC", "x".repeat(LOOKED_AT - 1));
        assert_eq!(Signatures::builtin().find(&far), None);
        let near = format!("ENOSPC {}", "é".repeat(LOOKED_AT));
        assert!(Signatures::builtin().find(&near).is_some());
    }

    const OWN: &str = r#"
[[signature]]
name = "licence_expired"
class = "bad_config"
severity = "high"
words = "its licence has run out"
any = ["licence expired"]

[[signature]]
name = "disk_full"
class = "disk_full"
severity = "low"
words = "is full again"
maybe = ["no space left on device"]
all = ["/data"]

[[signature]]
name = "broken_pipe"
disabled = true
"#;

    #[test]
    fn the_user_adds_replaces_and_removes() {
        let signatures = Signatures::with(OWN).unwrap();
        let found = |text: &str| signatures.find(text).map(|s| s.name.to_string());
        assert_eq!(found("ERROR licence expired").as_deref(), Some("licence_expired"));
        assert_eq!(found("write /data/x: No space left on device").as_deref(), Some("disk_full"));
        assert_eq!(signatures.named("disk_full").unwrap().severity, Severity::Low);
        assert_eq!(found("write /tmp/x: no space left on device"), None);
        assert_eq!(found("Error: write EPIPE"), None);
        assert_eq!(found("connection refused").as_deref(), Some("connection_refused"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let base = "[[signature]]\nname = \"x\"\nclass = \"bad_config\"\nseverity = \"high\"\nwords = \"w\"\n";
        for (text, part) in [
            ("x = 1".to_owned(), "line 1: unknown field `x`"),
            ("[[signature]]\nname = \"x\"\nclass = \"nope\"".to_owned(), "line 3: unknown variant"),
            ("[[signature]]\nname = \"X y\"\n".to_owned(), "signature \"X y\": a name is"),
            ("[[signature]]\nname = \"x\"\n".to_owned(), "signature \"x\": `class` is missing"),
            (base.to_owned(), "signature \"x\": it needs a literal"),
            (format!("{base}any = [\"abc\"]"), "signature \"x\": the literal \"abc\" is shorter"),
            (format!("{base}maybe = [\"abcdef\"]"), "signature \"x\": `maybe` and what confirms"),
            (
                format!("{base}maybe = [\"abcdef\"]\nregex = \"(\""),
                "signature \"x\": `regex` is not",
            ),
            (format!("{base}any = [\"abcdef\"]\n{base}any = [\"abcdef\"]"), "used twice"),
            (format!("{base}any = [\"abcdef\"]\nmatches = [\"abc\"]"), "`matches` is not found"),
            (format!("{base}any = [\"abcdef\"]\nrejects = [\"abcdef\"]"), "`rejects` is found"),
            ("benign = [\"\"]".to_owned(), "signature \"benign\""),
        ] {
            let error = Signatures::with(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let literals: Vec<String> = (0..5000).map(|n| format!("\"literal {n}\"")).collect();
        let error = Signatures::with(&format!("{base}any = [{}]", literals.join(","))).unwrap_err();
        assert!(error.to_string().contains("literals are too many"), "{error}");
    }
}
