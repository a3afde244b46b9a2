//! `new_error`: an error that is known by its words but belongs to no class of its own.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::NewError, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::NewError, false)?;
    let name = &case.subject.name;
    Some(
        hypothesis
            .advising(format!("Read the quoted lines of {name}; what changed before they began?")),
    )
}
