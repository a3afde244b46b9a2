//! `port_conflict`: a port that it needs is taken. Who holds it decides what is right: a person.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::PortConflict, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::PortConflict;
    // The engine's own words: what a process prints never gets there.
    let refused = case.last(AnomalyKind::StartFailure).filter(|f| f.detail.class == Some(class));
    let hypothesis = match refused {
        Some(failed) => Hypothesis::of(case, class, 0.96, failed.summary.clone())
            .proved_by(failed.evidence.clone()),
        None => told(case, class, true)?,
    };
    let name = &case.subject.name;
    let Some((holder, port)) = holder(case) else {
        return Some(hypothesis.advising(format!(
            "Find who holds the port that {name} wants and stop it, or change the port."
        )));
    };
    let words = format!("{} publishes port {port} of the host", holder.container.of.name);
    let found = proof::inspect(&holder.container, "ports", case.first_sign(), words);
    Some(hypothesis.proved_by([found]).advising(format!(
        "{} holds port {port}: stop it if it is a stale copy, or give one of the two another port.",
        holder.container.of.name
    )))
}

/// The running container that publishes a port of the host which the subject wants, too.
fn holder<'a>(case: &Case<'a>) -> Option<(&'a crate::diagnose::world::Facts, String)> {
    let own = case.facts()?;
    let wanted: Vec<&str> = own
        .container
        .ports
        .iter()
        .map(|p| p.host_port.as_str())
        .filter(|p| !p.is_empty())
        .collect();
    case.world.containers.values().filter(|f| f.container.is_up()).find_map(|f| {
        if f.container.of.id == case.subject.id {
            return None;
        }
        let port = f.container.ports.iter().find(|p| wanted.contains(&p.host_port.as_str()))?;
        Some((f, port.host_port.clone()))
    })
}
