//! Anomalies and what is known of the containers in, a diagnosis with evidence and plan out.
//!
//! Start at [`diagnose`]. Each class of failure is a rule in a file under [`classes`]: it looks at
//! the case and offers a hypothesis with a score, or says why it is none. The best one wins, the
//! others are listed with why they lost.
//!
//! Scores, 0 to 1, say how much of what was seen a hypothesis explains:
//!
//! | score | what is known |
//! |---|---|
//! | 0.95 and more | the engine or the kernel itself names the cause (a memory kill, a start that it refused) |
//! | 0.90 | a state that the engine shows explains every sign (a loop, a paused or broken dependency) |
//! | 0.80 | the engine saw the fault, its cause is in the last words |
//! | 0.70 | a known line names the cause, nothing else contradicts |
//! | 0.55 | something is out of its usual range |
//!
//! What changed a short while before adds to the classes that a change can cause. A fault inside a
//! container that others need beats what those others complain about: the symptoms of a sick
//! dependency lose a quarter of their score ([`BLAMED_ON_UPSTREAM`]).

pub mod actions;
pub mod amend;
mod case;
pub mod classes;
pub mod compose;
mod confidence;
pub mod error_rate;
pub mod proof;
pub mod topology;
pub mod world;

use std::collections::BTreeSet;

pub use crate::diagnose::case::{Case, RECENT};
use crate::diagnose::classes::{ALL, Rule};
use crate::domain::container::ContainerRef;
use crate::domain::diagnosis::{Action, Diagnosis, Rejected, Source};
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;
use crate::domain::spec::SpecChange;
use crate::domain::tool::is_read;
use crate::domain::topology::Edge;

/// How close a runner-up with another plan may come before the diagnosis says that it is unsure.
pub const NEAR_TIE: f64 = 0.03;
/// What is left of the score of a symptom whose container needs one that is broken itself.
pub const BLAMED_ON_UPSTREAM: f64 = 0.75;
/// Pieces of evidence that a diagnosis lists at most.
const MAX_EVIDENCE: usize = 12;
/// Explanations that are listed as rejected, at least where there is anything to say.
const LEAST_REJECTED: usize = 2;
/// Rejected explanations listed at most.
const MAX_REJECTED: usize = 6;

/// One explanation of a case.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// Its class.
    pub class: FailureClass,
    /// The container at fault.
    pub root: ContainerRef,
    /// How well it explains what was seen, 0 to 1.
    pub score: f64,
    /// The cause in one sentence.
    pub cause: String,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Who suffers besides the root.
    pub affected: Vec<String>,
    /// Actions in order; empty for "no safe fix".
    pub plan: Vec<Action>,
    /// What a human should do if there is no plan.
    pub advice: Option<String>,
    /// The edges that it rests on.
    pub edges: Vec<Edge>,
}

impl Hypothesis {
    /// One about the subject of a case, with nothing but its class, score and sentence.
    pub fn of(case: &Case<'_>, class: FailureClass, score: f64, cause: String) -> Self {
        Self {
            class,
            root: case.subject.clone(),
            score,
            cause,
            evidence: Vec::new(),
            affected: Vec::new(),
            plan: Vec::new(),
            advice: None,
            edges: Vec::new(),
        }
    }

    /// With its evidence.
    #[must_use]
    pub fn proved_by(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// With what a human should do.
    #[must_use]
    pub fn advising(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// With a plan.
    #[must_use]
    pub fn planning(mut self, plan: Vec<Action>) -> Self {
        self.plan = plan;
        self
    }

    /// Whether anything of its plan changes something.
    fn acts(&self) -> bool {
        self.plan.iter().any(|a| !is_read(&a.call.tool))
    }
}

/// Explains a case. There is always an answer; `unknown` is one.
pub fn diagnose(case: &Case<'_>) -> Diagnosis {
    let mut hypotheses: Vec<Hypothesis> =
        ALL.iter().filter_map(|rule| (rule.judge)(case)).collect();
    blame_upstream(case, &mut hypotheses);
    // A stable order for equal scores keeps the verdict repeatable.
    hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.class.cmp(&b.class)));
    let mut ranked = hypotheses.into_iter();
    let Some(best) = ranked.next() else { return unknown(case) };
    let rest: Vec<Hypothesis> = ranked.collect();
    let rival = rest.iter().find(|h| differs(&best, h));
    let near_tie = rival.filter(|h| best.score - h.score < NEAR_TIE).map(|h| {
        format!(
            "{} of {} explains it nearly as well ({:.2} against {:.2}): {}",
            h.class.words(),
            h.root.name,
            h.score,
            best.score,
            h.cause
        )
    });
    let confidence = confidence::of(case, &best, rival.map(|h| h.score));
    let rejected = rejected(case, &best, &rest);
    let changes: Vec<String> = case.changes().iter().map(|c| c.words()).collect();
    let mut evidence = best.evidence;
    evidence.sort_by(|a, b| a.ts.cmp(&b.ts).then(a.id.cmp(&b.id)));
    // One fact may be told by several signs, and at different times.
    let mut told = BTreeSet::new();
    evidence.retain(|e| told.insert(e.id.clone()));
    evidence.truncate(MAX_EVIDENCE);
    let unsure = near_tie.is_some();
    let (plan, advice) = if unsure {
        let reads = best.plan.into_iter().filter(|a| is_read(&a.call.tool)).collect();
        let look = "Two explanations are nearly as good: look before anything is changed.";
        (reads, Some(best.advice.unwrap_or_else(|| look.to_owned())))
    } else {
        (best.plan, best.advice)
    };
    Diagnosis {
        source: Source::Rules,
        class: best.class,
        root: best.root.name,
        confidence,
        cause: best.cause,
        evidence,
        affected: best.affected,
        rejected,
        plan,
        advice,
        edges: best.edges,
        near_tie,
        recent_changes: changes,
        seen_before: None,
        doubt: None,
    }
}

/// A fault of a container that the subject needs beats the subject's own complaints.
fn blame_upstream(case: &Case<'_>, hypotheses: &mut [Hypothesis]) {
    let elsewhere = hypotheses
        .iter()
        .any(|h| h.root.id != case.subject.id && h.score >= 0.85 && case.is_broken(&h.root.id));
    if !elsewhere {
        return;
    }
    for hypothesis in hypotheses.iter_mut().filter(|h| h.root.id == case.subject.id) {
        let inside = matches!(
            hypothesis.class,
            FailureClass::OomKill | FailureClass::StartFailure | FailureClass::Paused
        );
        if !inside {
            hypothesis.score *= BLAMED_ON_UPSTREAM;
        }
    }
}

/// Two explanations differ if they would lead to different acts: another root, or another plan.
fn differs(best: &Hypothesis, other: &Hypothesis) -> bool {
    let acts = best.acts() || other.acts();
    let calls = |h: &Hypothesis| -> Vec<_> { h.plan.iter().map(|a| a.call.clone()).collect() };
    best.root.id != other.root.id || (acts && calls(best) != calls(other))
}

fn rejected(case: &Case<'_>, best: &Hypothesis, rest: &[Hypothesis]) -> Vec<Rejected> {
    let mut rejected: Vec<Rejected> = rest
        .iter()
        .take(MAX_REJECTED)
        .map(|h| Rejected {
            class: h.class,
            root: h.root.name.clone(),
            score: h.score,
            why: format!(
                "explains less than {} ({:.2} against {:.2}): {}",
                best.class, h.score, best.score, h.cause
            ),
        })
        .collect();
    // What was considered and does not fit is said, too.
    let told = |class: FailureClass, rejected: &[Rejected]| {
        class == best.class || rejected.iter().any(|r| r.class == class)
    };
    for Rule { class, excluded, .. } in ALL {
        if rejected.len() >= LEAST_REJECTED {
            break;
        }
        if told(*class, &rejected) {
            continue;
        }
        if let Some(why) = excluded(case) {
            rejected.push(Rejected {
                class: *class,
                root: case.subject.name.clone(),
                score: 0.0,
                why: format!("excluded: {why}"),
            });
        }
    }
    rejected
}

fn unknown(case: &Case<'_>) -> Diagnosis {
    let none = Hypothesis::of(
        case,
        FailureClass::Unknown,
        0.0,
        format!("the evidence about {} fits no known class", case.subject.name),
    );
    Diagnosis {
        source: Source::Rules,
        class: FailureClass::Unknown,
        root: case.subject.name.clone(),
        confidence: 0.1,
        evidence: case
            .anomalies
            .iter()
            .flat_map(|a| a.evidence.clone())
            .take(MAX_EVIDENCE)
            .collect(),
        affected: Vec::new(),
        rejected: rejected(case, &none, &[]),
        cause: none.cause,
        plan: Vec::new(),
        advice: Some("Read the log lines in the evidence list and decide by hand.".to_owned()),
        edges: Vec::new(),
        near_tie: None,
        recent_changes: case.changes().into_iter().map(SpecChange::words).collect(),
        seen_before: None,
        doubt: None,
    }
}
