//! One cheap look at a line, which spares most lines every other: which rules it may need.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::redact::rules::RULES;
use crate::redact::tokens;

/// The bit of keys that begin as their issuers say.
const TOKENS: u128 = 1 << 127;
/// The bit of addresses of e-mail.
const MAILS: u128 = 1 << 126;
/// So many rules have a bit.
const RULES_MAX: usize = 126;

/// What a line may need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted(u128);

impl Wanted {
    /// Nothing: the line is as it should be.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rule of this number.
    pub fn rule(self, number: usize) -> bool {
        number < RULES_MAX && self.0 & (1 << number) != 0
    }

    /// Any rule.
    #[cfg(test)]
    pub fn rules(self) -> bool {
        self.0 & (TOKENS - 1) & !MAILS != 0
    }

    /// Keys by their beginning.
    pub fn tokens(self) -> bool {
        self.0 & TOKENS != 0
    }

    /// Addresses of e-mail.
    pub fn mails(self) -> bool {
        self.0 & MAILS != 0
    }
}

struct Trigger {
    search: AhoCorasick,
    /// What each needle asks for.
    wants: Vec<u128>,
}

static TRIGGER: LazyLock<Option<Trigger>> = LazyLock::new(|| {
    let mut needles: Vec<(String, u128)> = Vec::new();
    let mut add = |needle: &str, bit: u128| {
        let needle = needle.to_ascii_lowercase();
        match needles.iter_mut().find(|(known, _)| *known == needle) {
            Some((_, bits)) => *bits |= bit,
            None => needles.push((needle, bit)),
        }
    };
    for (number, rule) in RULES.iter().enumerate().take(RULES_MAX) {
        rule.needs.iter().for_each(|needle| add(needle, 1 << number));
    }
    tokens::beginnings().for_each(|beginning| add(beginning, TOKENS));
    add("@", MAILS);
    add("%40", MAILS);
    let search = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(needles.iter().map(|(needle, _)| needle))
        .ok()?;
    Some(Trigger { search, wants: needles.into_iter().map(|(_, bits)| bits).collect() })
});

/// What a text may need. Where the search could not be built, everything.
pub fn wanted(text: &str) -> Wanted {
    let Some(trigger) = TRIGGER.as_ref() else { return Wanted(u128::MAX) };
    if !trigger.search.is_match(text) {
        return Wanted(0);
    }
    let bits = trigger.search.find_overlapping_iter(text);
    let want = |at: usize| trigger.wants.get(at).copied().unwrap_or_default();
    Wanted(bits.fold(0, |all, hit| all | want(hit.pattern().as_usize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_is_built_and_every_rule_has_a_bit() {
        assert!(TRIGGER.is_some());
        assert!(RULES.len() <= RULES_MAX, "{}", RULES.len());
    }

    #[test]
    fn an_ordinary_line_wants_nothing_and_others_what_they_name() {
        assert!(wanted("GET /healthz 200 0.4ms").is_empty());
        assert!(wanted("mail to a@b.com").mails());
        assert!(wanted("GHP_x").tokens() && !wanted("GHP_x").mails());
    }
}
