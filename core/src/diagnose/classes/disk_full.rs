//! `disk_full`: a file system that it writes to is full. Nothing is pruned without a person, volumes
//! never.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis, proof};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::DiskFull, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::DiskFull, true)?;
    let facts = case.facts()?;
    let line = case.signature(FailureClass::DiskFull)?;
    let said: String = line.evidence.iter().map(|e| e.excerpt.as_str()).collect();
    // The mount that the line names, the longest path first.
    let mut mounts: Vec<_> = facts.container.mounts.iter().collect();
    mounts.sort_by_key(|m| std::cmp::Reverse(m.target.len()));
    let named = mounts.into_iter().find(|m| m.target != "/" && said.contains(&m.target));
    let name = &case.subject.name;
    if said.contains("/dev/shm") {
        let size = facts.container.shm_size.map_or_else(|| "64 MiB".to_owned(), |s| s.to_string());
        return Some(hypothesis.advising(format!(
            "/dev/shm of {name} is full ({size}): recreate it with a larger --shm-size."
        )));
    }
    let Some(mount) = named else {
        return Some(hypothesis.advising(
            "Free space on the named path (host, volume or the container's own layer); never prune volumes blindly.",
        ));
    };
    let field = format!("{} is a {} ({})", mount.target, mount.kind, mount.source);
    let found = proof::inspect(&facts.container, "mounts", line.observed_at, field.clone());
    Some(hypothesis.proved_by([found]).advising(format!(
        "{field}: free space there or make it larger; never prune volumes blindly."
    )))
}
