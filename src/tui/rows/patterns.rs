//! Kinds of line, in their order.

use std::cmp::Reverse;

use sentinel_core::domain::log_pattern::LogPattern;

use crate::tui::listing::patterns::Order;
use crate::tui::rows::wanted::wanted;
use crate::tui::state::State;
use crate::tui::terms::Terms;

/// The rows.
pub(super) fn rows(state: &State, terms: Option<&Terms>) -> Vec<u64> {
    let list = &state.listings.patterns;
    let mut rows: Vec<(u64, &LogPattern)> = Vec::new();
    for (at, of) in list.shown() {
        for pattern in &of.patterns {
            let value = |field: &str| match field {
                "container" => vec![of.of.name.clone(), of.of.service.clone()],
                "level" => pattern.level.map(|l| l.as_str().to_owned()).into_iter().collect(),
                _ => traits(pattern),
            };
            if wanted(terms, value, &pattern.text) {
                rows.push(((at as u64) << 32 | u64::from(pattern.id), pattern));
            }
        }
    }
    match list.order {
        Order::Count => rows.sort_by_key(|(key, p)| (Reverse(p.count), *key)),
        Order::Burst => {
            rows.sort_by_key(|(key, p)| (!p.bursting, Reverse(p.now), Reverse(p.count), *key));
        }
        Order::New => rows.sort_by_key(|(key, p)| (Reverse(p.first_seen), *key)),
    }
    rows.into_iter().map(|(key, _)| key).collect()
}

/// What `is:` may ask for.
fn traits(pattern: &LogPattern) -> Vec<String> {
    let mut list = Vec::new();
    if pattern.bursting {
        list.push("burst".to_owned());
    }
    if pattern.is_new {
        list.push("new".to_owned());
    }
    list
}
