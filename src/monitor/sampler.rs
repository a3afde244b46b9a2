//! Reads the resources of all running containers, round after round, no faster than the engine
//! can bear: the statistics API is what costs a Docker engine most.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::usage::UsageSample;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::monitor::client::Reader;
use crate::monitor::usage::{Counters, usage};
use crate::ports::Inbox;

/// Readings under way at the same time.
const AT_ONCE: usize = 4;
/// One reading may take this long; the next round tries again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rates need two readings: the second comes soon, so that the screen is not empty for long.
const SECOND_ROUND: Duration = Duration::from_millis(700);
/// Rounds are stretched so that reading takes at most this share of the time.
const SHARE: u32 = 4;

/// Reads until the list's owner has gone.
pub(super) async fn sample(
    reader: Reader,
    inbox: Inbox,
    every: Duration,
    mut running: watch::Receiver<Vec<ContainerId>>,
) {
    let mut counters: HashMap<ContainerId, Counters> = HashMap::new();
    let mut round = 0_u32;
    loop {
        let ids = running.borrow_and_update().clone();
        counters.retain(|id, _| ids.contains(id));
        let began = Instant::now();
        let mut readings = stream::iter(ids)
            .map(|id| {
                let reader = reader.clone();
                async move { (timeout(PATIENCE, reader.stats(&id)).await, id) }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((reading, id)) = readings.next().await {
            // Without one it stopped, or the engine is away: the event stream tells, not this.
            let Ok(Ok(Some(raw))) = reading else { continue };
            let at = raw
                .read
                .as_deref()
                .and_then(|t| t.parse::<Timestamp>().ok())
                .filter(|t| *t > Timestamp::UNIX_EPOCH)
                .unwrap_or_else(Timestamp::now);
            let before = counters.entry(id.clone()).or_default();
            let first = *before == Counters::default();
            if let Some(usage) = usage(&raw, at, before)
                // A first reading has memory but no rates; a zero would be a lie in the chart.
                && !first
            {
                inbox.usage(UsageSample { container: id, at, usage });
            }
        }
        round = round.saturating_add(1);
        let pause = if round == 1 { SECOND_ROUND } else { every.max(began.elapsed() * SHARE) };
        tokio::select! {
            () = sleep_until(began + pause) => {}
            changed = running.changed() => {
                if changed.is_err() {
                    return;
                }
                // Something started or stopped: look soon, but not at every single change.
                tokio::time::sleep(SECOND_ROUND.min(every)).await;
            }
        }
    }
}
