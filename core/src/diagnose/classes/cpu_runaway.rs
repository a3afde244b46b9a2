//! `cpu_runaway`: it spins at its quota, or all of the host's processors, without more work to do. A
//! restart ends that; whether it may be lost a person decides.
//!
//! Backups, builds and migrations use the processor on purpose.

use crate::diagnose::classes::shared::{AT_THE_LIMIT, measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, actions};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::CpuRunaway, judge, excluded: silent };

/// Words of lines that say that it works hard on purpose.
const BUSY: &[&str] = &[
    "backup", "build", "compil", "migrat", "reindex", "vacuum", "compact", "import", "export",
    "batch", "snapshot", "dump",
];

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = measured(case, FailureClass::CpuRunaway, AT_THE_LIMIT)?;
    let facts = case.facts()?;
    let name = &case.subject.name;
    let said = |text: &str| {
        let text = text.to_ascii_lowercase();
        BUSY.iter().any(|word| text.contains(word))
    };
    let busy = facts.tail.iter().any(|l| said(&l.text)) || said(&facts.container.command);
    if busy || !facts.container.is_up() {
        return Some(hypothesis.advising(format!(
            "{name} seems to work hard on purpose; wait for its end, or give it a processor limit."
        )));
    }
    let why = format!("{name} uses up its processor without more to do");
    Some(hypothesis.planning(vec![actions::restart(&facts.container, why)]))
}
