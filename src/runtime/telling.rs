//! What the run loop tells front ends beside the stream: life events, in the list of what happened
//! and as marks in the log; and kinds of line, when somebody asks.

use jiff::Timestamp;
use sentinel_core::domain::happened::Happened;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};
use sentinel_core::domain::log_pattern::LogPatterns;
use tokio::sync::oneshot;

use crate::runtime::rings::Range;
use crate::runtime::run::Loop;

/// Newest lines of a log that are sorted by kind when somebody asks: a few milliseconds.
const LINES_SORTED: usize = 5_000;

impl Loop {
    /// Keeps what the engine told of a container, and marks it in the log.
    pub(super) fn lived(&mut self, event: &LifeEvent) {
        let Some(name) = self.core.name_of(&event.container).map(str::to_owned) else { return };
        self.recent.lock().push(Happened::life(&name, &event.kind, event.at));
        // What is made has no log yet, and what is removed has none any more.
        if !matches!(event.kind, LifeKind::Create | LifeKind::Destroy | LifeKind::ImageGone) {
            let words = format!("{name} {}", event.kind.words());
            self.lock_rings().mark(&event.container, event.at, &words);
        }
    }

    /// Answers which kinds of line a container wrote.
    pub(super) fn sort_out(
        &mut self,
        container: &ContainerId,
        reply: oneshot::Sender<Option<LogPatterns>>,
    ) {
        let kept = self.lock_rings().read(container, Range::Tail(LINES_SORTED)).entries;
        let patterns = self.core.patterns(container, &kept, Timestamp::now());
        // Whoever asked may have given up waiting.
        drop(reply.send(patterns));
    }
}
