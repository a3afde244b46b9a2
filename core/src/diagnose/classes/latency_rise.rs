//! `latency_rise`: durations in its log rose. What it waits for is mended, not it.

use crate::diagnose::classes::shared::{MEASURED, measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::LatencyRise, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = measured(case, FailureClass::LatencyRise, MEASURED)?;
    let name = &case.subject.name;
    Some(hypothesis.advising(format!("Find what {name} waits for: a peer, a disk, the processor.")))
}
