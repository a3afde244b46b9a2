//! What is counted with each template while the input is read.

use std::collections::HashSet;

use sentinel_core::domain::log::Level;
use sentinel_core::redact::clean;
use sentinel_core::redact::secrets::MASK;

use crate::commands::input::LINE_BYTES;
use crate::commands::patterns::spark::Spark;

/// Bytes of the first line that are kept to show what the template looks like.
const SAMPLE_BYTES: usize = 240;
/// Values of places with few different ones that are kept: eight places of eight.
const VALUES: usize = 64;
/// Bytes of such a value that are kept.
const VALUE_BYTES: usize = 64;
/// Every level and "none", in order of [`Level`].
const LEVELS: [Option<Level>; 7] = [
    None,
    Some(Level::Trace),
    Some(Level::Debug),
    Some(Level::Info),
    Some(Level::Warn),
    Some(Level::Error),
    Some(Level::Fatal),
];

/// The counts of one template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of its first line, from 1; 0 before there is one.
    pub first: u64,
    /// Number of its last line.
    pub last: u64,
    /// When it came.
    pub spark: Spark,
    /// Its first message, redacted and cut.
    pub sample: Box<str>,
    levels: [u32; LEVELS.len()],
    /// Words of the first message that are part of a secret: a template is never to show them.
    hidden: Vec<Box<str>>,
    /// The values of places with few different ones, by their hashes.
    values: Vec<(u32, Box<str>)>,
}

impl Tally {
    /// Line number `line` is the first of it.
    pub fn begins(&mut self, line: u64, message: &str) {
        let safe = clean(message.as_bytes(), LINE_BYTES);
        self.first = line;
        self.hidden = words_lost(message, &safe);
        self.sample = cut(&safe, SAMPLE_BYTES).into();
    }

    /// Line number `line` is one of it.
    pub fn counts(&mut self, line: u64, level: Option<Level>, bucket: usize) {
        self.last = line;
        self.spark.count(bucket);
        let place = LEVELS.iter().position(|l| *l == level);
        if let Some(count) = place.and_then(|place| self.levels.get_mut(place)) {
            *count = count.saturating_add(1);
        }
    }

    /// A value that its place did not hold before.
    pub fn meets(&mut self, hash: u32, value: &str) {
        if self.values.len() < VALUES && self.values.iter().all(|(known, _)| *known != hash) {
            self.values.push((hash, cut(value, VALUE_BYTES).into()));
        }
    }

    /// The value with this hash, safe to show. `None`: it was not kept, or its lines hold secrets.
    pub fn value(&self, hash: u32) -> Option<String> {
        let (_, value) = self.values.iter().find(|(known, _)| *known == hash)?;
        self.hidden.is_empty().then(|| clean(value.as_bytes(), VALUE_BYTES))
    }

    /// The level that most of its lines have; of two the graver one.
    pub fn level(&self) -> Option<Level> {
        let seen = self.levels.iter().zip(LEVELS).filter(|(count, _)| **count > 0);
        seen.max_by_key(|(count, level)| (**count, *level)).and_then(|(_, level)| level)
    }

    /// Takes what was counted for a template that proved to be the same.
    pub fn merge(&mut self, other: Self) {
        if self.first == 0 || (other.first != 0 && other.first < self.first) {
            self.first = other.first;
            self.sample = other.sample;
        }
        self.last = self.last.max(other.last);
        self.spark.absorb(&other.spark);
        for (sum, count) in self.levels.iter_mut().zip(other.levels) {
            *sum = sum.saturating_add(count);
        }
        other.values.iter().for_each(|(hash, value)| self.meets(*hash, value));
        self.hidden.extend(other.hidden);
        self.hidden.sort_unstable();
        self.hidden.dedup();
    }

    /// A text made of its lines, without the secrets in them.
    pub fn safe(&self, text: &str) -> String {
        let concealed = if self.hidden.is_empty() { text.to_owned() } else { self.conceal(text) };
        clean(concealed.as_bytes(), LINE_BYTES)
    }

    fn conceal(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(char::is_alphabetic) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|c: char| !c.is_alphabetic()).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            out.push_str(before);
            let is_secret = self.hidden.iter().any(|hidden| **hidden == *word);
            out.push_str(if is_secret { MASK } else { word });
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// Words that redaction took out of a message. What varies is no part of a template, so words of
/// letters are all that could show there.
fn words_lost(message: &str, safe: &str) -> Vec<Box<str>> {
    if safe.matches(MASK).count() <= message.matches(MASK).count() {
        return Vec::new();
    }
    let kept: HashSet<&str> = words(safe).collect();
    let mut lost: Vec<Box<str>> =
        words(message).filter(|word| !kept.contains(word)).map(Box::from).collect();
    lost.sort_unstable();
    lost.dedup();
    lost
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

/// The beginning of a text, cut at a character.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> Tally {
        let mut tally = Tally::default();
        tally.begins(1, message);
        tally
    }

    #[test]
    fn a_secret_shows_neither_in_the_sample_nor_in_the_template() {
        let cases = [
            ("login password=hunter2x ok", "login password=hunter<*>x ok", "hunter"),
            ("db at postgres://app:sEcret9@db/x", "db at postgres://app:sEcret<*>@db/x", "sEcret"),
            (
                "Authorization: Bearer abcdefghijk",
                "Authorization: Bearer abcdefghijk",
                "abcdefghijk",
            ),
        ];
        for (message, template, secret) in cases {
            let tally = of(message);
            assert!(!tally.hidden.is_empty(), "{message}");
            assert!(!tally.sample.contains(secret), "{}", tally.sample);
            assert!(!tally.safe(template).contains(secret), "{}", tally.safe(template));
        }
        let tally = of("login password=hunter2x ok");
        assert!(
            tally.safe("login <*> ok").starts_with("login ") && tally.safe("ok").contains("ok")
        );
    }

    #[test]
    fn an_ordinary_text_stays_as_it_is() {
        let tally = of("user alice logged in *** twice");
        assert!(tally.hidden.is_empty());
        assert_eq!(tally.safe("user <*> logged in *** twice"), "user <*> logged in *** twice");
        assert_eq!(tally.safe("red \u{1b}[31mcolour\u{7}"), "red colour·");
    }

    #[test]
    fn values_are_told_unless_the_lines_hold_secrets() {
        let mut tally = of("state is up");
        for (hash, value) in [(1, "up"), (2, "down"), (1, "other")] {
            tally.meets(hash, value);
        }
        assert_eq!(
            [1, 2, 3].map(|hash| tally.value(hash)),
            [Some("up".into()), Some("down".into()), None]
        );
        (10..1000).for_each(|hash| tally.meets(hash, "x"));
        assert_eq!(tally.values.len(), VALUES);
        let mut tally = of("password=abc is up");
        tally.meets(1, "abc");
        assert_eq!(tally.value(1), None);
    }

    #[test]
    fn the_sample_is_cut_at_a_character() {
        let tally = of(&"é".repeat(500));
        assert!(tally.sample.len() <= SAMPLE_BYTES && tally.sample.ends_with('é'));
    }

    #[test]
    fn most_lines_decide_the_level_and_of_two_the_graver() {
        let mut tally = Tally::default();
        assert_eq!(tally.level(), None);
        for level in [None, Some(Level::Info), Some(Level::Error)] {
            tally.counts(1, level, 0);
        }
        assert_eq!(tally.level(), Some(Level::Error));
        tally.counts(2, Some(Level::Info), 0);
        assert_eq!(tally.level(), Some(Level::Info));
    }

    #[test]
    fn what_merges_keeps_the_earlier_beginning_and_every_count() {
        let (mut late, mut early) = (Tally::default(), Tally::default());
        late.begins(7, "late");
        late.counts(7, Some(Level::Warn), 3);
        early.begins(2, "early");
        early.counts(2, None, 1);
        early.counts(9, Some(Level::Warn), 4);
        late.merge(early);
        assert_eq!((late.first, late.last, &*late.sample), (2, 9, "early"));
        assert_eq!(late.level(), Some(Level::Warn));
        assert_eq!(late.spark.counts(5), [0, 1, 0, 1, 1]);
        // A template that has no line yet takes everything.
        let mut none = Tally::default();
        none.merge(late.clone());
        assert_eq!(none, late);
    }
}
