//! `transient_crash`, `native_crash`, `start_failure`: one death that nobody asked for.
//!
//! Excluded by a loop, a memory kill, and a sibling that is down (each scores higher).

use crate::detect::life::exit::exit_words;
use crate::diagnose::classes::quoted;
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::RunState;
use crate::domain::failure::FailureClass;

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let death = case.own(AnomalyKind::Death).last()?;
    let facts = case.facts()?;
    let code = death.detail.exit_code.unwrap_or_default();
    let name = &case.subject.name;
    let mut evidence = death.evidence.clone();
    evidence.extend(facts.last_words(3));
    let last = evidence
        .iter()
        .rev()
        .find(|e| e.line.is_some())
        .map(|e| format!("; its last words: {}", quoted(&e.excerpt)))
        .unwrap_or_default();
    let hypothesis = |class, score, cause: String| Hypothesis {
        class,
        root: case.subject.clone(),
        score,
        cause,
        evidence: evidence.clone(),
        affected: Vec::new(),
        plan: Vec::new(),
        advice: None,
    };
    if matches!(code, 126..=128) {
        return Some(Hypothesis {
            advice: Some(format!(
                "Fix the command, entrypoint or image of {name}; starting it again fails the same way."
            )),
            ..hypothesis(
                FailureClass::StartFailure,
                0.9,
                format!("{name} could not run its command ({}){last}", exit_words(code)),
            )
        });
    }
    let class = if matches!(code, 132 | 134 | 135 | 136 | 139) {
        FailureClass::NativeCrash
    } else {
        FailureClass::TransientCrash
    };
    let cause = format!("the main process of {name} ended with {}{last}", exit_words(code));
    // It runs again, or the engine's own policy is about to start it: nothing to do but watch.
    if facts.container.state == RunState::Restarting {
        return Some(hypothesis(class, 0.8, cause));
    }
    if facts.container.is_up() {
        // What is wrong with it now explains more than a death that it got over.
        return Some(hypothesis(class, 0.6, cause));
    }
    if facts.container.restart_policy.restarts_after(code, facts.container.restart_count) {
        return Some(hypothesis(class, 0.8, cause));
    }
    if facts.container.auto_remove {
        return Some(Hypothesis {
            advice: Some(format!(
                "{name} was run with --rm: the engine removes it; run it again by hand."
            )),
            ..hypothesis(class, 0.8, cause)
        });
    }
    let plan = vec![actions::start(
        &facts.container,
        format!("{name} died once and has no restart policy that brings it back"),
    )];
    Some(Hypothesis { plan, ..hypothesis(class, 0.8, cause) })
}
