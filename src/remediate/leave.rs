//! Leave to act on the targets of a plan, where several instances watch one engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::plan::Plan;
use sentinel_core::domain::signal::NO_LEAVE;

use crate::ports::{Lease, Leases};

/// Who gives leave, and to whom.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// Nobody does: then everything may be done.
    pub(crate) leases: Option<&'a Arc<dyn Leases>>,
    /// Whether a person approved.
    pub(crate) by_person: bool,
}

impl Asking<'_> {
    /// Takes leave for every target; `Err` says why there is none.
    pub(crate) async fn take(self, plan: &Plan) -> Result<Leave, String> {
        let Some(leases) = self.leases else { return Ok(Leave(None)) };
        let targets: BTreeSet<ContainerId> =
            plan.steps.iter().map(|step| step.target.id.clone()).collect();
        match leases.take(targets.into_iter().collect(), self.by_person).await {
            Ok(lease) => Ok(Leave(Some(lease))),
            Err(why) => Err(format!("{NO_LEAVE}: {why}")),
        }
    }
}

/// Leave that was taken.
pub(crate) struct Leave(Option<Box<dyn Lease>>);

impl Leave {
    /// Whether it still holds, right before an act.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let Some(lease) = &self.0 else { return Ok(()) };
        lease.holds().await.map_err(|why| format!("{NO_LEAVE} any more: {why}"))
    }

    /// The work is over.
    pub(crate) async fn end(self, acted: bool) {
        if let Some(lease) = self.0 {
            lease.end(acted).await;
        }
    }
}
