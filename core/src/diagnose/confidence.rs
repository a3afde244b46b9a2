//! How sure a diagnosis is.
//!
//! `confidence = score − doubt + support`, held between 0.1 and 0.99:
//! - *doubt* grows as a rival with another plan comes near: none at a distance of [`CLEAR`], 0.25
//!   where both are equal;
//! - *support* is 0.01 for each further independent kind of sign, at most 0.03;
//! - what no fault seen by the engine stands behind, text alone, is never surer than [`TEXT_ALONE`].

use std::collections::BTreeSet;

use crate::diagnose::{Case, Hypothesis};

/// A rival this far behind raises no doubt.
const CLEAR: f64 = 0.15;
/// The doubt that an equal rival raises.
const MOST_DOUBT: f64 = 0.25;
/// The most that lines alone can be sure of.
const TEXT_ALONE: f64 = 0.8;

/// The confidence in `best`, whose next rival has the score `rival`.
pub(super) fn of(case: &Case<'_>, best: &Hypothesis, rival: Option<f64>) -> f64 {
    let kinds: BTreeSet<_> = case.anomalies.iter().map(|a| a.kind).collect();
    let observed =
        case.anomalies.iter().any(|a| a.kind.is_engine_observed()) || case.is_broken(&best.root.id);
    from(best.score, rival, kinds.len(), observed)
}

fn from(score: f64, rival: Option<f64>, kinds: usize, observed: bool) -> f64 {
    let distance = rival.map_or(CLEAR, |rival| (score - rival).clamp(0.0, CLEAR));
    let doubt = MOST_DOUBT * (1.0 - distance / CLEAR);
    let support = (kinds.saturating_sub(1) as f64 * 0.01).min(0.03);
    let sure = score - doubt + support;
    let most = if observed { 0.99 } else { TEXT_ALONE };
    sure.clamp(0.1, most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn more_for_it_never_lowers_and_a_nearer_rival_never_raises(
            score in 0.0..1.0_f64, rival in 0.0..1.0_f64, kinds in 1_usize..6, observed: bool,
        ) {
            let sure = from(score, Some(rival), kinds, observed);
            prop_assert!((0.1..=0.99).contains(&sure));
            prop_assert!(from((score + 0.05).min(1.0), Some(rival), kinds, observed) >= sure);
            prop_assert!(from(score, Some((rival + 0.05).min(1.0)), kinds, observed) <= sure);
            prop_assert!(from(score, Some(rival), kinds + 1, observed) >= sure);
            prop_assert!(from(score, Some(rival), kinds, true) >= sure);
            prop_assert!(from(score, None, kinds, observed) >= sure);
        }
    }
}
