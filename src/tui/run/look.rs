//! Looks things up for the lists, beside the UI. Each look is one bounded answer, and none is
//! begun but by a key or once in a few seconds.

use sentinel_core::domain::ids::ContainerId;
use tokio::sync::mpsc;

use crate::runtime::handle::Handle;
use crate::tui::listing::look::{Look, Seen};
use crate::tui::message::Msg;
use crate::tui::run::Runner;

impl Runner {
    /// Looks something up. What is at hand comes back at once.
    pub(super) fn look(&mut self, generation: u64, look: Look) -> Option<Msg> {
        let (handle, answer) = (self.handle.clone(), self.answer.clone());
        let operator = self.operator.clone();
        let examine = self.examine.clone();
        let look = match look {
            Look::Events(after) => {
                let seen = Seen::Events(self.handle.recent_events(after));
                return Some(Msg::Seen { generation, seen });
            }
            other => other,
        };
        self.tasks.spawn(async move {
            let seen = match look {
                Look::Patterns(containers) => {
                    patterns(&handle, generation, containers, &answer).await;
                    Seen::PatternsEnd
                }
                Look::Events(after) => Seen::Events(handle.recent_events(after)),
                Look::Audit(before) => Seen::Audit(handle.audit_page(before).await),
                Look::CheckAudit => Seen::AuditChecked(handle.check_audit().await),
                Look::Tool(call) => {
                    Seen::Tool(handle.read_tool(&operator, call).await.map(Box::new))
                }
                Look::Doctor => Seen::Doctor(match examine {
                    Some(examine) => Some((examine.0)().await),
                    None => None,
                }),
                Look::Past(before) => Seen::Past(handle.past_incidents(before).await),
            };
            send(&answer, generation, seen).await;
        });
        None
    }
}

/// One container after the other: the run loop does other things in between.
async fn patterns(
    handle: &Handle,
    generation: u64,
    containers: Vec<ContainerId>,
    answer: &mpsc::Sender<Msg>,
) {
    for container in containers {
        let found = handle.patterns(container).await;
        let found = found.map(|patterns| patterns.map(Box::new)).map_err(|e| e.to_string());
        let failed = found.is_err();
        send(answer, generation, Seen::Patterns(found)).await;
        if failed {
            // A run loop that is too busy for one is not asked for the others.
            return;
        }
    }
}

async fn send(answer: &mpsc::Sender<Msg>, generation: u64, seen: Seen) {
    if answer.send(Msg::Seen { generation, seen }).await.is_err() {
        tracing::debug!("what was looked up came after the terminal UI had ended");
    }
}
