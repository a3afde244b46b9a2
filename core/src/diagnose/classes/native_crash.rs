//! `native_crash`: a fatal signal of its own making (SEGV, ABRT, ILL, BUS, FPE). Started once; if
//! it comes back, the loop is a class of its own.

use crate::diagnose::classes::Rule;
use crate::diagnose::classes::one_death::{is_fatal_signal, one_death};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::NativeCrash, judge, excluded };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let code = case.last(AnomalyKind::Death)?.detail.exit_code?;
    is_fatal_signal(code).then(|| one_death(case, FailureClass::NativeCrash))?
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let code = case.last(AnomalyKind::Death)?.detail.exit_code?;
    Some(format!("exit status {code} is that of no fatal signal"))
}
