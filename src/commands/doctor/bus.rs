//! The Redis that events go to.

use sentinel_core::domain::finding::Finding;

use crate::bus::look::{Looked, look};
use crate::config::Settings;

/// The part's name.
const PART: &str = "redis";

/// Connects and asks, if one is named.
pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let Some(bus) = &settings.bus else {
        let detail = "none; one machine needs none";
        return vec![Finding::absent(PART, detail, "see docs/bus.md for several machines")];
    };
    vec![match look(bus).await {
        Ok(looked) => judged(&looked),
        Err(failure) => Finding::broken(
            PART,
            failure.to_string(),
            if bus.leases {
                "events wait, and nothing is healed until it answers: start it, or correct REDIS_URL; see docs/bus.md"
            } else {
                "events wait until it answers: start it, or correct REDIS_URL; see docs/bus.md"
            },
        ),
    }]
}

fn judged(looked: &Looked) -> Finding {
    let Looked { place, version, durable, evicts } = looked;
    let version = version.as_ref().map(|version| format!(", Redis {version}")).unwrap_or_default();
    let detail = format!("{place}{version}");
    if *durable == Some(false) {
        let detail = format!("{detail}; what it acknowledged does not outlive it");
        return Finding::doubtful(PART, detail, "switch on appendonly in its configuration");
    }
    if *evicts == Some(true) {
        let detail = format!("{detail}; it throws keys away when memory is short");
        return Finding::doubtful(PART, detail, "set maxmemory-policy to noeviction");
    }
    Finding::fine(PART, detail)
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::finding::Verdict;

    use super::*;

    #[test]
    fn a_redis_that_forgets_is_worth_a_word() {
        let of = |durable, evicts| {
            let (place, version) = ("redis://a:6379/0".to_owned(), Some("7.0".to_owned()));
            judged(&Looked { place, version, durable, evicts }).verdict
        };
        assert_eq!(of(Some(true), Some(false)), Verdict::Fine);
        assert_eq!(of(None, None), Verdict::Fine);
        assert_eq!(of(Some(false), Some(false)), Verdict::Doubtful);
        assert_eq!(of(Some(true), Some(true)), Verdict::Doubtful);
    }
}
