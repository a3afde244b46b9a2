//! What a configuration asks for beyond the built-in policy. It can only tighten: classes are taken
//! away, risks raised, thresholds made stricter; a value that would loosen has no effect.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::failure::FailureClass;
use crate::domain::plan::Risk;

/// Below this a diagnosis is not sure enough to act upon without a person. On the fault suite the
/// diagnoses at 0.7 and above were right in more than nine of ten cases (docs/fault-suite.md).
pub const MIN_CONFIDENCE: f64 = 0.7;
/// Above this nothing runs without a person.
pub const MAX_RISK: Risk = Risk::R2;

/// Classes that may be healed without a person.
pub const HEALED: &[FailureClass] = &[
    FailureClass::TransientCrash,
    FailureClass::NativeCrash,
    FailureClass::OomKill,
    FailureClass::Hang,
    FailureClass::DependencyDown,
];

/// What the configuration asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Classes that may be healed without a person, if not all of [`HEALED`].
    pub classes: Option<BTreeSet<FailureClass>>,
    /// The highest risk that may run without a person, if less than [`MAX_RISK`].
    pub max_risk: Option<Risk>,
    /// How sure a diagnosis must be, if more than [`MIN_CONFIDENCE`].
    pub min_confidence: Option<f64>,
    /// The least risk that calls of a tool have, by its name.
    pub risks: BTreeMap<String, Risk>,
}

impl Rules {
    /// Whether a class may be healed without a person.
    pub fn heals(&self, class: FailureClass) -> bool {
        HEALED.contains(&class) && self.classes.as_ref().is_none_or(|own| own.contains(&class))
    }

    /// The highest risk that may run without a person.
    pub fn max_risk(&self) -> Risk {
        self.max_risk.map_or(MAX_RISK, |own| own.min(MAX_RISK))
    }

    /// How sure a diagnosis must be, from 0 to 1.
    pub fn min_confidence(&self) -> f64 {
        self.min_confidence.map_or(MIN_CONFIDENCE, |own| own.max(MIN_CONFIDENCE))
    }

    /// The risk of a call of `tool` that the table puts at `risk`.
    pub fn raised(&self, tool: &str, risk: Risk) -> Risk {
        self.risks.get(tool).map_or(risk, |own| risk.max(*own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_configuration_says_loosens_anything() {
        let loose = Rules {
            classes: Some(BTreeSet::from([FailureClass::CrashLoop, FailureClass::Hang])),
            max_risk: Some(Risk::R4),
            min_confidence: Some(0.1),
            risks: BTreeMap::from([("stop_container".to_owned(), Risk::R0)]),
        };
        assert!(!loose.heals(FailureClass::CrashLoop), "it is not in the built-in list");
        assert!(loose.heals(FailureClass::Hang));
        assert!(!loose.heals(FailureClass::OomKill), "it was taken away");
        assert_eq!(loose.max_risk(), MAX_RISK);
        assert!((loose.min_confidence() - MIN_CONFIDENCE).abs() < f64::EPSILON);
        assert_eq!(loose.raised("stop_container", Risk::R3), Risk::R3);
    }

    #[test]
    fn what_it_tightens_holds() {
        let strict = Rules {
            max_risk: Some(Risk::R1),
            min_confidence: Some(0.9),
            risks: BTreeMap::from([("restart_container".to_owned(), Risk::R4)]),
            ..Rules::default()
        };
        assert_eq!(strict.max_risk(), Risk::R1);
        assert!((strict.min_confidence() - 0.9).abs() < f64::EPSILON);
        assert_eq!(strict.raised("restart_container", Risk::R2), Risk::R4);
        assert_eq!(strict.raised("start_container", Risk::R1), Risk::R1);
        assert!(HEALED.iter().all(|class| strict.heals(*class)));
    }
}
