//! The handle as the bus sees it.

use futures_util::future::BoxFuture;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::event::Event;
use sentinel_core::domain::ids::FixId;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::snapshot::Snapshot;

use crate::ports::{Front, PortError};
use crate::runtime::handle::Handle;

impl Front for Handle {
    fn state(&self, missed: u64) -> Event {
        self.snapshot_event(missed)
    }

    fn knows(&self, command: &Command) -> bool {
        let snapshot = self.snapshot();
        match command {
            Command::Approve { fix, .. }
            | Command::Reject { fix, .. }
            | Command::Edit { fix, .. }
            | Command::DryRun { fix }
            | Command::Snooze { fix, .. }
            | Command::Grant { fix, .. }
            | Command::Undo { fix, .. } => has_fix(&snapshot, fix),
            Command::Dismiss { incident, .. } => {
                snapshot.incidents.iter().any(|known| &known.id == incident)
            }
            Command::Revoke { grant, .. } => {
                snapshot.brakes.grants.iter().any(|known| known.id == *grant)
            }
            Command::Halt { .. } | Command::Resume { .. } | Command::Silence { .. } => true,
        }
    }

    fn ask(&self, by: Actor, command: Command) -> BoxFuture<'_, Result<String, PortError>> {
        Box::pin(async move {
            self.command(by, command).await.map_err(|error| PortError(error.to_string()))
        })
    }
}

fn has_fix(snapshot: &Snapshot, fix: &FixId) -> bool {
    let plans = snapshot.incidents.iter().flat_map(|i| i.plan.iter().chain(i.carried_out()));
    plans.flat_map(|plan| &plan.steps).any(|step| &step.id == fix)
}
