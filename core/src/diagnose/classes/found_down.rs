//! Found stopped without a witnessed death: nobody knows whether it was meant, so the start is
//! offered and never done by itself.

use crate::detect::life::exit_words;
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let found = case.own(AnomalyKind::FoundDown).last()?;
    let facts = case.facts()?;
    let container = &facts.container;
    if container.is_up() {
        return None;
    }
    let name = &case.subject.name;
    let mut evidence = found.evidence.clone();
    evidence.extend(facts.last_words(2));
    Some(Hypothesis {
        class: FailureClass::TransientCrash,
        root: case.subject.clone(),
        score: 0.6,
        cause: format!(
            "{name} stopped with {} while nobody was watching",
            exit_words(found.detail.exit_code.unwrap_or(container.exit_code))
        ),
        evidence,
        affected: Vec::new(),
        plan: vec![actions::start(container, format!("{name} ran before the gap and is down now"))],
        advice: None,
    })
}
