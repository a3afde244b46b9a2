//! `slow_stop`: it does not end when it is asked to and has to be killed. A note, never an incident by
//! itself: the death follows a stop, so nothing is told that could open one.

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::SlowStop, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts().filter(|f| !f.container.is_up() && f.container.exit_code == 137)?;
    // The grace was used up: the kill came that long after the wish to stop.
    let (asked, ended) = (facts.stopped_by_operator?, facts.container.finished_at?);
    let waited = ended.duration_since(asked).as_secs();
    let grace = i64::try_from(facts.container.stop_timeout.as_secs()).unwrap_or(i64::MAX);
    (waited >= grace).then(|| {
        let name = &case.subject.name;
        let cause = format!("{name} ignored the wish to stop for {waited} s and was killed");
        let words = format!("asked to stop, ended with 137 after {waited} s (grace: {grace} s)");
        Hypothesis::of(case, FailureClass::SlowStop, 0.5, cause)
            .proved_by([proof::inspect(&facts.container, "exit-code", ended, words)])
            .advising(format!(
                "Let {name} handle SIGTERM (or run it with `init: true`), or give it a longer stop_grace_period."
            ))
    })
}
