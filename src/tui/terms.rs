//! A filter of terms: `state:open class:oom,crash -service:api` and words for all the rest.

use crate::tui::pattern::Pattern;

/// One term: a field, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: &'static str,
    any: Vec<String>,
    inverse: bool,
}

/// What was typed, read as terms.
#[derive(Clone, Debug)]
pub struct Terms {
    text: String,
    fields: Vec<Term>,
    rest: Option<Pattern>,
}

impl Terms {
    /// Reads what was typed, with these fields. `None` for nothing. What names no field is text or
    /// a regular expression, as everywhere else.
    pub fn parse(typed: &str, fields: &[&'static str]) -> Option<Self> {
        let mut terms = Vec::new();
        let mut rest = Vec::new();
        for word in typed.split_whitespace() {
            match term(word, fields) {
                Some(term) => terms.push(term),
                None => rest.push(word),
            }
        }
        let rest = Pattern::parse(&rest.join(" "));
        // A field that waits for its value hides nothing yet.
        terms.retain(|t| !t.any.is_empty());
        (!typed.trim().is_empty()).then(|| Self { text: typed.to_owned(), fields: terms, rest })
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a row is wanted: `value` gives what it has in a field, `words` all that is searched.
    pub fn accepts(&self, value: impl Fn(&str) -> Vec<String>, words: &str) -> bool {
        let fits = |term: &Term| {
            let own = value(term.field);
            let has = own
                .iter()
                .map(|v| v.to_lowercase())
                .any(|v| term.any.iter().any(|wanted| v.contains(wanted.as_str())));
            has != term.inverse
        };
        self.fields.iter().all(fits) && self.rest.as_ref().is_none_or(|rest| rest.accepts(words))
    }
}

fn term(word: &str, fields: &[&'static str]) -> Option<Term> {
    let (inverse, body) = match word.strip_prefix(['-', '!']) {
        Some(body) => (true, body),
        None => (false, word),
    };
    let (name, wanted) = body.split_once(':')?;
    let field = fields.iter().find(|f| **f == name)?;
    let any = wanted.split(',').filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    Some(Term { field, any, inverse })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(typed: &str) -> bool {
        let value = |field: &str| match field {
            "state" => vec!["open".to_owned(), "awaiting_approval".to_owned()],
            "class" => vec!["oom_kill".to_owned()],
            _ => vec!["api".to_owned()],
        };
        let words = "INC-1 api oom_kill shop-api-1 was killed at 12:30";
        Terms::parse(typed, &["state", "class", "service"]).unwrap().accepts(value, words)
    }

    #[test]
    fn terms_and_words_are_all_needed() {
        for (typed, expected) in [
            ("state:open class:oom service:api", true),
            ("state:closed", false),
            ("class:crash,oom killed", true),
            ("class:crash killed", false),
            ("-service:api", false),
            ("!class:crash", true),
            ("state:", true),
            ("at 12:30", true),
            ("state:open nowhere", false),
        ] {
            assert_eq!(accepts(typed), expected, "{typed}");
        }
        assert!(Terms::parse("  ", &[]).is_none());
    }
}
