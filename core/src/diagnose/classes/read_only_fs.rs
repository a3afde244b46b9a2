//! `read_only_fs`: a file system that it writes to is read-only: by design (`--read-only`, a `:ro`
//! mount), or because the disk under it fails.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::ReadOnlyFs, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::ReadOnlyFs, true)?;
    let facts = case.facts()?;
    let at = case.signature(FailureClass::ReadOnlyFs)?.observed_at;
    let name = &case.subject.name;
    let fixed = facts.container.mounts.iter().find(|m| !m.writable);
    let (why, advice) = if facts.container.read_only_root {
        (
            "its root file system is read-only by its own settings".to_owned(),
            format!("Give {name} a tmpfs or a volume at the path that it writes to."),
        )
    } else if let Some(mount) = fixed {
        (
            format!("{} is mounted read-only", mount.target),
            format!("Mount {} of {name} writable, or let it write elsewhere.", mount.target),
        )
    } else {
        return Some(hypothesis.advising(
            "Nothing of its settings says read-only: look at the disk under it (dmesg, SMART).",
        ));
    };
    let found = proof::inspect(&facts.container, "read-only", at, format!("{name}: {why}"));
    Some(hypothesis.proved_by([found]).advising(advice))
}
