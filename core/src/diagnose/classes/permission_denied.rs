//! `permission_denied`: it may not use a file or a right that it needs. Ownership is never
//! changed without a person.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule =
    Rule { class: FailureClass::PermissionDenied, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::PermissionDenied, true)?;
    let name = &case.subject.name;
    Some(hypothesis.advising(format!(
        "Give {name} the right to the path or object that the line names: its owner, the user it runs as, or the mount."
    )))
}
