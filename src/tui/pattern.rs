//! What is typed after `/` or `&`: a substring or a regular expression, `!` for the inverse.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// Compiled patterns may take so many bytes; a larger one is searched as plain text.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern that lines or rows are held against. Case matters only if it has a capital letter.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Option<Regex>,
    inverse: bool,
    literal: bool,
}

impl Pattern {
    /// Reads what was typed. `None` for nothing. What is no regular expression is plain text.
    pub fn parse(typed: &str) -> Option<Self> {
        let (inverse, body) = match typed.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, typed),
        };
        if body.is_empty() {
            return None;
        }
        let any_case = !body.chars().any(char::is_uppercase);
        let build = |source: &str| {
            RegexBuilder::new(source).case_insensitive(any_case).size_limit(SIZE_LIMIT).build().ok()
        };
        let as_regex = build(body);
        let literal = as_regex.is_none();
        let regex = as_regex.or_else(|| build(&regex::escape(body)));
        Some(Self { text: typed.to_owned(), regex, inverse, literal })
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it was no regular expression and is searched as plain text.
    pub fn is_literal(&self) -> bool {
        self.literal
    }

    /// Whether a text is wanted.
    pub fn accepts(&self, text: &str) -> bool {
        self.finds(text) != self.inverse
    }

    /// Whether it is in a text, wanted there or not.
    pub fn finds(&self, text: &str) -> bool {
        self.regex.as_ref().is_some_and(|r| r.is_match(text))
    }

    /// Whether texts with it are the ones that are not wanted.
    pub fn is_inverse(&self) -> bool {
        self.inverse
    }

    /// Where in a text it is found, in bytes; nothing for an inverse pattern. At most 64 places.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        match &self.regex {
            Some(regex) if !self.inverse => regex
                .find_iter(text)
                .map(|m| m.range())
                .filter(|r| !r.is_empty())
                .take(64)
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().accepts(text)
    }

    #[test]
    fn substring_regex_inverse_and_case() {
        assert!(accepts("oom", "OOM killed"));
        assert!(!accepts("OOM", "oom killed"));
        assert!(accepts("5\\d\\d", "status=503"));
        assert!(!accepts("!5\\d\\d", "status=503"));
        assert!(accepts("!timeout", "ok"));
    }

    #[test]
    fn what_is_no_regex_is_plain_text() {
        assert!(accepts("[unclosed", "an [unclosed bracket"));
        assert!(Pattern::parse("[unclosed").unwrap().is_literal());
        assert!(Pattern::parse("").is_none());
        assert!(Pattern::parse("!").is_none());
        assert!(accepts("(a{1000}){1000}", "x(a{1000}){1000}"));
    }

    #[test]
    fn places_are_found_for_highlighting() {
        assert_eq!(Pattern::parse("ab").unwrap().places("abxab"), [0..2, 3..5]);
        assert!(Pattern::parse("x*").unwrap().places("aaa").is_empty());
        assert!(Pattern::parse("!ab").unwrap().places("abxab").is_empty());
    }
}
