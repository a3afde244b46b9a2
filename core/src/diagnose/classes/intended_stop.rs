//! `intended_stop`: an operator stopped it. Nothing is done against that.

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::IntendedStop, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts().filter(|f| !f.container.is_up())?;
    let at = facts.stopped_by_operator?;
    let name = &case.subject.name;
    let cause = format!("an operator stopped {name}");
    let words = format!("{name} was stopped through the engine");
    Some(
        Hypothesis::of(case, FailureClass::IntendedStop, 0.96, cause.clone())
            .proved_by([proof::inspect(&facts.container, "state", at, words)])
            .advising(format!("{cause}; start it if the stop is no longer meant.")),
    )
}
