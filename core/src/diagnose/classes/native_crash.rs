//! `native_crash`: a fatal signal of its own making (SEGV, ABRT, ILL, BUS, FPE). Started once; if
//! it comes back, the loop is a class of its own.

use crate::diagnose::classes::{Rule, transient_crash};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::NativeCrash, judge, excluded };

/// Whether an exit status is that of a fatal signal which a process earns by itself.
pub(super) fn is_fatal_signal(code: i64) -> bool {
    matches!(code, 132 | 134 | 135 | 136 | 139)
}

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let code = case.last(AnomalyKind::Death)?.detail.exit_code?;
    is_fatal_signal(code).then(|| transient_crash::one_death(case, FailureClass::NativeCrash))?
}

fn excluded(case: &Case<'_>) -> Option<String> {
    let code = case.last(AnomalyKind::Death)?.detail.exit_code?;
    Some(format!("exit status {code} is that of no fatal signal"))
}
