//! The sections `[policy]` and `[brakes]`: what a configuration may ask of auto-heal. It can only
//! tighten the built-in policy; what would loosen it is an error that says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::plan::Risk;
use sentinel_core::policy::limits::Limits;
use sentinel_core::policy::rules::{HEALED, MAX_RISK, MIN_CONFIDENCE, Rules};
use serde::Deserialize;

use crate::config::ConfigError;

/// The section `[policy]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySettings {
    /// Classes that may be healed without a person.
    pub classes: Option<BTreeSet<FailureClass>>,
    /// The highest risk that may run without a person.
    pub max_risk: Option<Risk>,
    /// How sure a diagnosis must be, 0 to 1.
    pub min_confidence: Option<f64>,
    /// The least risk of a tool's calls, by its name.
    #[serde(default)]
    pub risk: BTreeMap<String, Risk>,
}

/// The section `[brakes]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrakeSettings {
    /// A target is left alone this long after an action on it.
    pub cooldown_seconds: Option<u64>,
    /// So many plans lock a target.
    pub strikes: Option<usize>,
    /// How long a lock holds.
    pub lock_seconds: Option<u64>,
    /// Plans within an hour.
    pub plans_per_hour: Option<usize>,
    /// So many fixes that helped and did not last end the chain.
    pub ineffective_fixes: Option<usize>,
    /// So many failed calls in a row open the circuit of an MCP server.
    pub circuit_failures: Option<u32>,
    /// How long the server is left alone then.
    pub circuit_seconds: Option<u64>,
}

impl PolicySettings {
    /// What it asks for, if that tightens.
    pub fn rules(self) -> Result<Rules, ConfigError> {
        let wrong = |what: String| {
            ConfigError::Invalid(format!("[policy] {what}: the configuration can only tighten"))
        };
        if let Some(class) = self.classes.iter().flatten().find(|c| !HEALED.contains(c)) {
            let known: Vec<String> = HEALED.iter().map(ToString::to_string).collect();
            return Err(wrong(format!(
                "classes: {class} is never healed without a person, only {} are",
                known.join(", ")
            )));
        }
        if let Some(risk) = self.max_risk.filter(|risk| *risk > MAX_RISK) {
            return Err(wrong(format!("max_risk: {risk} is above {MAX_RISK}")));
        }
        if let Some(least) = self.min_confidence
            && !(MIN_CONFIDENCE..=1.0).contains(&least)
        {
            return Err(wrong(format!(
                "min_confidence: {least} is not between {MIN_CONFIDENCE} and 1"
            )));
        }
        Ok(Rules {
            classes: self.classes,
            max_risk: self.max_risk,
            min_confidence: self.min_confidence,
            risks: self.risk,
        })
    }
}

impl BrakeSettings {
    /// The bounds, defaults where nothing is said.
    pub fn limits(&self) -> Limits {
        let defaults = Limits::default();
        Limits {
            cooldown: self.cooldown_seconds.map_or(defaults.cooldown, seconds),
            strikes: self.strikes.unwrap_or(defaults.strikes),
            lock: self.lock_seconds.map_or(defaults.lock, seconds),
            per_hour: self.plans_per_hour.unwrap_or(defaults.per_hour),
            strike_window: defaults.strike_window,
            chain: self.ineffective_fixes.unwrap_or(defaults.chain),
            circuit_failures: self.circuit_failures.unwrap_or(defaults.circuit_failures).max(1),
            circuit: self.circuit_seconds.map_or(defaults.circuit, seconds),
        }
    }
}

/// The longest bound that is taken: longer ones mean for ever, and must not overflow a date.
const LONGEST: i64 = 366 * 24 * 3600;

/// A span of whole seconds, at most a year.
pub fn seconds(count: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(count).unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, String> {
        let settings: PolicySettings = toml::from_str(text).map_err(|e| e.to_string())?;
        settings.rules().map_err(|e| e.to_string())
    }

    #[test]
    fn what_tightens_is_taken() {
        let rules = rules(
            "classes = [\"hang\"]\nmax_risk = \"R1\"\nmin_confidence = 0.9\n[risk]\nrestart_container = \"R4\"",
        )
        .unwrap();
        assert!(rules.heals(FailureClass::Hang) && !rules.heals(FailureClass::OomKill));
        assert_eq!(rules.max_risk(), Risk::R1);
        assert_eq!(rules.raised("restart_container", Risk::R2), Risk::R4);
    }

    #[test]
    fn what_would_loosen_is_refused_with_what_is_allowed() {
        for (text, words) in [
            ("classes = [\"crash_loop\"]", "crash_loop is never healed without a person"),
            ("max_risk = \"R3\"", "R3 is above R2"),
            ("min_confidence = 0.5", "0.5 is not between 0.7 and 1"),
            ("classes = [\"crash\"]", "unknown variant `crash`"),
        ] {
            let error = rules(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
