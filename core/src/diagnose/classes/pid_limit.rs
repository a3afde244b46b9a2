//! `pid_limit`: it ran out of processes or threads. A restart frees them; the limit itself is set
//! where it is deployed from.

use crate::diagnose::classes::shared::{anew, told_or_measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::PidLimit, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told_or_measured(case, FailureClass::PidLimit)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let limit = facts.container.pids_limit.map(|n| format!(" of {n}")).unwrap_or_default();
    if case.last(AnomalyKind::CrashLoop).is_some() {
        return Some(hypothesis.advising(format!(
            "Look for processes that {name} starts and never ends, or raise its limit{limit}."
        )));
    }
    let why = format!(
        "{name} has used up its processes; a restart frees them, its limit{limit} stays as it is"
    );
    Some(hypothesis.planning(vec![anew(&facts.container, why)]))
}
