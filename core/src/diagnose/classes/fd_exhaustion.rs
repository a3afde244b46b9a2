//! `fd_exhaustion`: it ran out of file descriptors. A restart frees them; a higher limit is set where
//! it is deployed from. Out of them on the whole host: nothing here helps.

use crate::diagnose::classes::shared::{AT_THE_LIMIT, LAST_WORD, measured, told};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::FdExhaustion, judge, excluded: silent };

/// The kernel's words for the whole host (ENFILE).
const HOST_WIDE: &str = "too many open files in system";

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let class = FailureClass::FdExhaustion;
    let reading = measured(case, class, AT_THE_LIMIT);
    let line = told(case, class, true);
    let host_wide = case.signature(class).is_some_and(|l| {
        l.evidence.iter().any(|e| e.excerpt.to_ascii_lowercase().contains(HOST_WIDE))
    });
    let hypothesis = match (line, reading) {
        (Some(line), Some(reading)) => {
            let mut both = line.proved_by(reading.evidence);
            both.score = both.score.max(LAST_WORD);
            both
        }
        (line, reading) => line.or(reading)?,
    };
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
    // A new process begins with none of them in use.
    let action = if facts.container.is_up() {
        actions::restart(&facts.container, why)
    } else {
        actions::start(&facts.container, why)
    };
    Some(hypothesis.planning(vec![action]))
}
