//! `log_silence`: a periodic writer fell silent while it runs. Whether it hangs or idles only
//! a look at its health, processor and peers tells.

use crate::diagnose::classes::shared::{MEASURED, measured};
use crate::diagnose::classes::{Rule, silent};
use crate::diagnose::{Case, Hypothesis};
use crate::domain::failure::FailureClass;

pub(super) const RULE: Rule = Rule { class: FailureClass::LogSilence, judge, excluded: silent };

fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let hypothesis = measured(case, FailureClass::LogSilence, MEASURED)?;
    let name = &case.subject.name;
    Some(hypothesis.advising(format!(
        "Check whether {name} still works: its health, its processor, its peers."
    )))
}
