//! `image_pull_failure`: an image could not be fetched.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule =
    Rule { class: FailureClass::ImagePullFailure, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::ImagePullFailure, false)?;
    let name = &case.subject.name;
    Some(hypothesis.advising(format!(
        "Check registry, tag and credentials of the image that {name} asks for, then try again; pin it by digest."
    )))
}
