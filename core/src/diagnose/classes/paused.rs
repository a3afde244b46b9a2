//! `paused`: it is frozen, so nothing of it can answer. Somebody did that; it is offered to be let go
//! on, never by itself.

use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions, proof};
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::Paused, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts().filter(|f| f.container.state == RunState::Paused)?;
    let name = &case.subject.name;
    let cause = format!("{name} is paused, so nothing of it can answer");
    let field = format!("{name} is paused");
    let own = case.all_own().next_back().map(|a| a.evidence.clone()).unwrap_or_default();
    let why = format!("{name} is paused; unpause it if the pause is no longer meant");
    Some(
        Hypothesis::of(case, FailureClass::Paused, 0.96, cause)
            .proved_by(own)
            .proved_by([proof::inspect(&facts.container, "state", case.first_sign(), field)])
            .planning(vec![actions::unpause(&facts.container, why)]),
    )
}
