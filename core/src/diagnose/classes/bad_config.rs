//! `bad_config`: a setting is missing or wrong. A value is proposed only if it is known from how
//! the service was configured before; none is ever invented.

use crate::diagnose::classes::shared::{told, weigh_changes};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::failure::FailureClass;
use crate::domain::spec::{SpecChange, SpecField};

pub(super) const RULE: Rule = Rule { class: FailureClass::BadConfig, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::BadConfig;
    let hypothesis = weigh_changes(case, told(case, class, true)?);
    let facts = case.facts()?;
    let name = &case.subject.name;
    let said = case.signature(class).map(|line| {
        let excerpts = line.evidence.iter().map(|e| e.excerpt.as_str());
        excerpts.collect::<Vec<_>>().join("\n")
    });
    // Of the settings that changed, those that the line names; if it names none, all of them.
    let changed: Vec<&SpecChange> =
        case.changes().into_iter().filter(|c| c.field == SpecField::Env).collect();
    let named: Vec<&SpecChange> = changed
        .iter()
        .copied()
        .filter(|c| said.as_deref().is_some_and(|said| said.contains(&c.name)))
        .collect();
    let back = if named.is_empty() { changed } else { named };
    if let Some(action) = actions::settings_back(&facts.container, case.good(), &back) {
        return Some(hypothesis.planning(vec![action]));
    }
    Some(
        hypothesis.advising(format!("Set what the quoted line of {name} names, then recreate it.")),
    )
}
