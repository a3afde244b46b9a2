//! `fd_exhaustion`: it ran out of file descriptors. A restart frees them; a higher limit is set where
//! it is deployed from. Out of them on the whole host: nothing here helps.

use crate::diagnose::classes::shared::{anew, told_or_measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::FdExhaustion, judge, excluded: silent };

/// The kernel's words for the whole host (ENFILE).
const HOST_WIDE: &str = "too many open files in system";

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::FdExhaustion;
    let host_wide = case.signature(class).is_some_and(|l| {
        l.evidence.iter().any(|e| e.excerpt.to_ascii_lowercase().contains(HOST_WIDE))
    });
    let hypothesis = told_or_measured(case, class)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let limit = facts.container.nofile.map(|n| format!(" (nofile={n})")).unwrap_or_default();
    if host_wide {
        return Some(hypothesis.advising(
            "The whole host is out of file descriptors: find who holds them; raise fs.file-max.",
        ));
    }
    if case.last(AnomalyKind::CrashLoop).is_some() {
        return Some(hypothesis.advising(format!(
            "Look for files and connections that {name} never closes, or raise its limit{limit}."
        )));
    }
    let why = format!(
        "{name} has used up its file descriptors{limit}; a restart frees them, a leak comes back"
    );
    Some(hypothesis.planning(vec![anew(&facts.container, why)]))
}
