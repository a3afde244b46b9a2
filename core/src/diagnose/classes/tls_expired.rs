//! `tls_expired`: a certificate is not valid, or a clock is wrong. No restart helps.

use crate::diagnose::classes::shared::told;
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::TlsExpired, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = told(case, FailureClass::TlsExpired, true)?;
    let name = &case.subject.name;
    Some(hypothesis.advising(format!(
        "Renew the certificate that the line of {name} names, or set the clock right; a restart of {name} only helps once the file is new."
    )))
}
