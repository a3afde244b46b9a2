//! `credentials_rejected`: a peer refused its name or password. Secrets are never changed
//! without a person.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule =
    Rule { class: FailureClass::CredentialsRejected, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::CredentialsRejected, true)?;
    let name = &case.subject.name;
    Some(hypothesis.advising(format!(
        "Compare the credentials of {name} with those of its peer; a person has to change them, on both sides."
    )))
}
