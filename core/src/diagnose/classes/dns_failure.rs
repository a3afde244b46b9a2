//! `dns_failure`: a name does not resolve: a typo in a setting, a lost network (a class of its own),
//! or a name of the world outside, which nothing here can mend.

use crate::diagnose::classes::shared::{CHANGED, told};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions, proof};
use crate::domain::failure::FailureClass;
use crate::domain::spec::{SpecChange, SpecField};

pub(super) const RULE: Rule = Rule { class: FailureClass::DnsFailure, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::DnsFailure;
    let mut hypothesis = told(case, class, true)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let peers: Vec<&str> = case
        .signature(class)
        .and_then(|line| line.detail.peer.as_deref())
        .map(|peers| peers.split(',').collect())
        .unwrap_or_default();
    // A setting that changed and names the host which does not resolve.
    let names_it = |c: &&SpecChange| {
        let hosts =
            facts.container.env.get(&c.name).map(|v| v.hosts.as_slice()).unwrap_or_default();
        c.field == SpecField::Env
            && hosts.iter().any(|h| peers.contains(&h.split(':').next().unwrap_or(h)))
    };
    let typo: Vec<&SpecChange> = case.changes().into_iter().filter(names_it).collect();
    if typo.is_empty() {
        return Some(hypothesis.advising(format!(
            "Check the host name in the settings of {name} and its networks; a name outside comes back by itself or not at all."
        )));
    }
    hypothesis.score += CHANGED;
    let hypothesis = hypothesis.proved_by(typo.iter().map(|c| proof::change(&facts.container, c)));
    match actions::settings_back(&facts.container, case.good(), &typo) {
        Some(action) => Some(hypothesis.planning(vec![action])),
        None => Some(hypothesis.advising(format!("Correct the setting of {name} that changed."))),
    }
}
