//! `pid_limit`: it ran out of processes or threads. A restart frees them; the limit itself is set
//! where it is deployed from.

use crate::diagnose::classes::shared::{AT_THE_LIMIT, LAST_WORD, measured, told};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::PidLimit, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::PidLimit;
    let reading = measured(case, class, AT_THE_LIMIT);
    let line = told(case, class, true);
    let hypothesis = match (line, reading) {
        // A line that says it and a reading that shows it: both signs of one cause.
        (Some(line), Some(reading)) => {
            let mut both = line.proved_by(reading.evidence);
            both.score = both.score.max(LAST_WORD);
            both
        }
        (line, reading) => line.or(reading)?,
    };
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
    // A new process begins with none of them in use.
    let action = if facts.container.is_up() {
        actions::restart(&facts.container, why)
    } else {
        actions::start(&facts.container, why)
    };
    Some(hypothesis.planning(vec![action]))
}
