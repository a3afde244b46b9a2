//! `bad_deploy`: it fails since its image, command, settings or mounts changed.
//!
//! Where only settings changed and their old values are known, these are proposed; an image goes
//! back by hand. It needs a death or a failing health check after the change: a line alone blames
//! no deploy.

use crate::diagnose::classes::{Rule, shared};
use crate::diagnose::{Case, Hypothesis, actions, proof};
use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::failure::FailureClass;
use crate::domain::spec::{SpecChange, SpecField};

pub(super) const RULE: Rule =
    Rule { class: FailureClass::BadDeploy, judge, excluded: |case| Some(excluded(case)) };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let facts = case.facts()?;
    let sign = sign(case)?;
    let changes: Vec<&SpecChange> =
        case.deployed().into_iter().filter(|c| c.at <= sign.observed_at).collect();
    let newest = changes.last()?;
    let name = &case.subject.name;
    let what = changes.iter().map(|c| c.words()).collect::<Vec<_>>().join("; ");
    let loops = case.last(AnomalyKind::CrashLoop).is_some();
    let seconds = sign.observed_at.duration_since(newest.at).as_secs().max(0);
    let cause = format!(
        "{name} {} since it was changed {} before: {what}",
        if sign.kind == AnomalyKind::Unhealthy { "fails its health check" } else { "dies" },
        span(seconds)
    );
    let proofs = changes.iter().map(|c| proof::change(&facts.container, c));
    let score = if loops { 0.95 } else { 0.85 };
    let hypothesis = Hypothesis::of(case, FailureClass::BadDeploy, score, cause)
        .proved_by(sign.evidence.clone())
        .proved_by(facts.last_words(2))
        .proved_by(proofs);
    let only_settings = changes.iter().all(|c| c.field == SpecField::Env);
    let back =
        only_settings.then(|| actions::settings_back(&facts.container, case.good(), &changes));
    if let Some(action) = back.flatten() {
        return Some(hypothesis.planning(vec![action]));
    }
    let image = changes.iter().rev().find(|c| c.field == SpecField::Image);
    let advice = match image.and_then(|c| c.old.as_deref()) {
        Some(old) => format!(
            "Run {name} with {old} again, as before the change (set the image back where it is deployed from), then look into the new one."
        ),
        None => format!("Take back what changed of {name}, or correct it: {what}."),
    };
    Some(hypothesis.advising(advice))
}

/// The fault behind which a deploy may stand.
fn sign<'a>(case: &Case<'a>) -> Option<&'a Anomaly> {
    let memory = case.last(AnomalyKind::OomKill).is_some();
    let looping = case.last(AnomalyKind::CrashLoop);
    let first = looping.or_else(|| case.own(AnomalyKind::Death).next()).filter(|_| !memory);
    first.or_else(|| case.own(AnomalyKind::Unhealthy).next())
}

fn span(seconds: i64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) }
}

fn excluded(case: &Case<'_>) -> String {
    let deployed = case.deployed();
    let Some(newest) = deployed.last() else {
        return "nothing of its image, command, settings or mounts changed in the ten minutes before"
            .to_owned();
    };
    let changed = newest.without_values();
    if sign(case).is_none() {
        format!("it changed ({changed}), but nothing of it failed behind that")
    } else {
        format!("the change ({}) came after the fault", shared::quoted(&changed))
    }
}
