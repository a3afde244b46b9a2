//! What is typed after `&`: terms of which all must fit. `-word` or `!word` leaves lines out,
//! `"two words"` is one term as it stands, `since:5m` or `since:14:30` leaves out what is older.
//! Each term is a pattern as in a search.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::cli;
use crate::tui::pattern::Pattern;

/// At most so many terms; what is typed behind them is said to be too much.
pub const MOST_TERMS: usize = 16;

/// Which lines are shown.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    terms: Vec<Pattern>,
    since: Option<Timestamp>,
    odd: Option<&'static str>,
}

impl Filter {
    /// Reads what was typed, at a moment in a zone: a span of time counts back from then. `None`
    /// for nothing.
    pub fn parse(typed: &str, now: Timestamp, zone: &TimeZone) -> Option<Self> {
        let mut filter = Self { text: typed.to_owned(), terms: Vec::new(), since: None, odd: None };
        for term in split(typed) {
            if let Some(asked) = term.strip_prefix("since:") {
                match since(asked, now, zone) {
                    Some(at) => filter.since = Some(at),
                    None => filter.odd = Some("since: wants 5m, 1h or 14:30"),
                }
                continue;
            }
            if filter.terms.len() == MOST_TERMS {
                filter.odd = Some("more than 16 terms: the rest is left out");
                break;
            }
            if let Some(pattern) = Pattern::parse(&inverted(&term)) {
                filter.odd = filter
                    .odd
                    .or(pattern.is_literal().then_some("no regex: searched as plain text"));
                filter.terms.push(pattern);
            }
        }
        let empty = filter.terms.is_empty() && filter.since.is_none() && filter.odd.is_none();
        (!empty).then_some(filter)
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is odd about it, if anything.
    pub fn odd(&self) -> Option<&'static str> {
        self.odd
    }

    /// From when on lines are shown.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Whether a text has what is left out: all that goes on with such a line is left out too.
    pub fn excludes(&self, text: &str) -> bool {
        self.terms.iter().any(|term| term.is_inverse() && term.finds(text))
    }

    /// Whether a line is wanted that can be read in more than one way, such as JSON. A term is
    /// in it if it is in any of them.
    pub fn accepts<'t>(
        &self,
        at: Timestamp,
        text: &str,
        other: impl Fn() -> Option<std::borrow::Cow<'t, str>>,
    ) -> bool {
        if self.since.is_some_and(|since| at < since) {
            return false;
        }
        self.terms.iter().all(|term| {
            let inside = term.finds(text) || other().is_some_and(|o| term.finds(&o));
            inside != term.is_inverse()
        })
    }
}

/// `-word` as a pattern writes it. A lone dash, or a number, is looked for.
fn inverted(term: &str) -> String {
    match term.strip_prefix('-') {
        Some(rest) if rest.starts_with(|c: char| !c.is_ascii_digit() && c != '-') => {
            format!("!{rest}")
        }
        _ => term.to_owned(),
    }
}

/// Terms are apart by spaces that are not in quotes. What is quoted is meant as it stands.
fn split(typed: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut term = String::new();
    let mut quote: Option<String> = None;
    for c in typed.chars() {
        match (&mut quote, c) {
            (Some(inner), '"') => {
                term.push_str(&regex::escape(inner));
                quote = None;
            }
            (Some(inner), c) => inner.push(c),
            (None, '"') => quote = Some(String::new()),
            (None, ' ') => terms.push(std::mem::take(&mut term)),
            (None, c) => term.push(c),
        }
    }
    // While it is typed the closing quote is not there yet.
    term.push_str(&regex::escape(&quote.unwrap_or_default()));
    terms.push(term);
    terms.retain(|t| !t.is_empty());
    terms
}

/// A span before now, or a time of day: today's, or yesterday's if that is still to come.
fn since(asked: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(time) = asked.parse::<Time>() {
        let here = now.to_zoned_datetime(zone.clone());
        let at = here.with().time(time).build().ok()?;
        let at = if at.timestamp() > now { at.checked_sub(1.day()).ok()? } else { at };
        return Some(at.timestamp());
    }
    if let Ok(at) = asked.parse::<Timestamp>() {
        return Some(at);
    }
    let span = SignedDuration::try_from(cli::duration(asked).ok()?).ok()?;
    now.checked_sub(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn filter(typed: &str) -> Filter {
        Filter::parse(typed, now(), &TimeZone::UTC).unwrap()
    }

    fn accepts(typed: &str, text: &str) -> bool {
        filter(typed).accepts(now(), text, || None)
    }

    #[test]
    fn all_terms_have_to_fit() {
        for (typed, text, wanted) in [
            ("get 5\\d\\d", "GET /a 503", true),
            ("get 5\\d\\d", "GET /a 200", false),
            ("get -health", "GET /health 200", false),
            ("get -health", "GET /orders 200", true),
            ("!get", "GET /orders", false),
            ("\"a b\"", "x a b y", true),
            ("\"a b\"", "a c b", false),
            ("-\"a b\"", "x a b y", false),
            ("\"a.b\"", "axb", false),
            ("-5", "n=-5", true),
            ("\"a b", "a b", true),
        ] {
            assert_eq!(accepts(typed, text), wanted, "`{typed}` on `{text}`");
        }
        assert!(Filter::parse("  ", now(), &TimeZone::UTC).is_none());
        assert!(Filter::parse("-", now(), &TimeZone::UTC).is_some());
    }

    #[test]
    fn a_line_fits_in_the_form_that_is_shown_too() {
        let shown = || Some("slow user=42".into());
        assert!(filter("user=42").accepts(now(), "{\"user\":42}", shown));
        assert!(!filter("-user=42").accepts(now(), "{\"user\":42}", shown));
    }

    #[test]
    fn since_is_a_span_or_a_time() {
        for (typed, at) in [
            ("since:5m", "2026-11-24T11:55:00Z"),
            ("since:1h", "2026-11-24T11:00:00Z"),
            ("since:11:30", "2026-11-24T11:30:00Z"),
            ("since:14:30", "2026-11-23T14:30:00Z"),
            ("since:2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
        ] {
            assert_eq!(filter(typed).since(), Some(at.parse().unwrap()), "{typed}");
        }
        assert!(filter("since:").odd().is_some());
        assert!(!filter("since:5m").accepts("2026-11-24T11:54:59Z".parse().unwrap(), "x", || None));
    }
}
