//! What is typed after `/` or `&`: a substring or a regular expression, `!` for the inverse. Lists
//! take two forms more: `-f letters` in their order, `-l name=value` for a label.

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
    form: Form,
}

/// How a text is held against it.
#[derive(Clone, Debug)]
enum Form {
    /// Found by its regular expression.
    Regex,
    /// Its letters, in this order, in one word of the text.
    Letters(String),
    /// A label of that name, or whose name ends so behind a dot; with that value, if one is given.
    Label(String, Option<String>),
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
        Some(Self { text: typed.to_owned(), regex, inverse, literal, form: Form::Regex })
    }

    /// Reads what was typed for a list: `-f letters` and `-l name=value`, or a pattern.
    pub fn of_list(typed: &str) -> Option<Self> {
        let form = if let Some(letters) = typed.strip_prefix("-f") {
            let letters = letters.trim().to_lowercase();
            (!letters.is_empty()).then_some(Form::Letters(letters))
        } else if let Some(label) = typed.strip_prefix("-l") {
            let (name, value) = match label.trim().split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
                None => (label.trim(), None),
            };
            (!name.is_empty()).then(|| Form::Label(name.to_owned(), value))
        } else {
            return Self::parse(typed);
        };
        let text = typed.to_owned();
        form.map(|form| Self { text, regex: None, inverse: false, literal: false, form })
    }

    /// Whether a row is wanted, by its text and its labels.
    pub fn accepts_labelled<'t>(
        &self,
        text: &str,
        mut labels: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> bool {
        match &self.form {
            Form::Label(name, value) => labels.any(|(own, is)| {
                let named = own == name
                    || own.strip_suffix(name.as_str()).is_some_and(|head| head.ends_with('.'));
                named && value.as_ref().is_none_or(|wanted| wanted == is)
            }),
            Form::Regex | Form::Letters(_) => self.accepts(text),
        }
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
        match &self.form {
            Form::Regex => self.regex.as_ref().is_some_and(|r| r.is_match(text)),
            Form::Letters(letters) => text.split_whitespace().any(|word| {
                let mut rest = word.chars().flat_map(char::to_lowercase);
                letters.chars().all(|letter| rest.any(|c| c == letter))
            }),
            // A row without labels has none that is asked for.
            Form::Label(..) => false,
        }
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
    fn lists_take_letters_in_order_and_labels() {
        let labels = [("com.docker.compose.project", "shop"), ("tier", "web")];
        let accepts = |typed: &str| {
            Pattern::of_list(typed)
                .unwrap()
                .accepts_labelled("shop-api-1 api running", labels.into_iter())
        };
        for (typed, wanted) in [
            ("-f sai", true),
            ("-f spr", false),
            ("-l tier", true),
            ("-l tier=web", true),
            ("-l tier=db", false),
            ("-l project=shop", true),
            ("-l ject=shop", false),
            ("!api", false),
            ("api", true),
        ] {
            assert_eq!(accepts(typed), wanted, "{typed}");
        }
        assert!(Pattern::of_list("-f ").is_none() && Pattern::of_list("-l").is_none());
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
