//! What a person allows beforehand: some calls on one service, for a while, so many times.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::plan::{Plan, Risk};

/// The shortest grant, in seconds.
pub const SHORTEST: u64 = 60;
/// The longest grant, in seconds: a day.
pub const LONGEST: u64 = 24 * 3600;
/// A grant is good for so many plans at most.
pub const MOST_USES: u32 = 10;
/// Nothing riskier is ever granted.
pub const MAX_RISK: Risk = Risk::R2;

/// A person allows plans of these tools on this service to run without being asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its number, from 1.
    pub id: u64,
    /// The tools of the plan that it was given for; a plan with any other is not covered.
    pub tools: BTreeSet<String>,
    /// The service whose containers may be changed.
    pub service: String,
    /// The compose project of that service, if it has one.
    pub project: Option<String>,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// For so many plans.
    pub uses: u32,
    /// So many ran.
    pub used: u32,
}

impl Grant {
    /// Whether it still allows anything.
    pub fn lasts(&self, now: Timestamp) -> bool {
        now < self.until && self.used < self.uses
    }

    /// Whether it allows a plan now: all of its calls, on nothing but the service, nothing risky.
    pub fn covers(&self, plan: &Plan, now: Timestamp) -> bool {
        self.lasts(now)
            && !plan.steps.is_empty()
            && plan.risk() <= MAX_RISK
            && plan.steps.iter().all(|step| {
                let of = &step.target;
                self.tools.contains(&step.call.tool)
                    && of.service == self.service
                    && of.project == self.project
            })
    }

    /// `restart_container on api, 1 of 2 left`.
    pub fn words(&self) -> String {
        let tools: Vec<&str> = self.tools.iter().map(String::as_str).collect();
        let left = self.uses.saturating_sub(self.used);
        format!("{} on {}, {left} of {} left", tools.join(" and "), self.service, self.uses)
    }
}
