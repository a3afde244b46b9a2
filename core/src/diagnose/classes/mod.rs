//! One file per class of failure: what it needs to be seen, what excludes it, what mends it.

use crate::diagnose::{Case, Hypothesis};

mod crash;
mod crash_loop;
mod dependency;
mod found_down;
mod log_errors;
mod oom;
mod start_failure;
mod unhealthy;

/// A class looks at a case and offers an explanation, or none.
pub type Judge = fn(&Case<'_>) -> Option<Hypothesis>;

/// All classes. The order does not matter: scores decide.
pub const ALL: &[Judge] = &[
    crash::judge,
    crash_loop::judge,
    dependency::judge,
    found_down::judge,
    log_errors::judge,
    oom::judge,
    start_failure::judge,
    unhealthy::judge,
];
