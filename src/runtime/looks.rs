//! Whose logs front ends read, so that they can be fetched from elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sentinel_core::domain::ids::ContainerId;
use tokio::sync::Notify;

/// Logs that are kept up to date at a time; the one that was read longest ago gives way.
const LOOKS: usize = 64;
/// A log that nobody has read for this long is not kept up to date any more.
const LOOKED_AT: Duration = Duration::from_secs(30);

/// Whose logs were read, and when.
#[derive(Debug, Default)]
pub(super) struct Looks {
    last: Mutex<HashMap<ContainerId, Instant>>,
    new: Notify,
}

impl Looks {
    /// Waits until a log is read that was not before.
    pub(super) async fn new_one(&self) {
        self.new.notified().await;
    }

    pub(super) fn note(&self, container: &ContainerId) {
        self.note_at(container, Instant::now());
    }

    fn note_at(&self, container: &ContainerId, now: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = last.get_mut(container) {
            *at = now;
            return;
        }
        if last.len() >= LOOKS
            && let Some(oldest) = last.iter().min_by_key(|(_, at)| **at).map(|(id, _)| id.clone())
        {
            last.remove(&oldest);
        }
        last.insert(container.clone(), now);
        self.new.notify_one();
    }

    pub(super) fn recent(&self, now: Instant) -> Vec<ContainerId> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.saturating_duration_since(*at) <= LOOKED_AT);
        last.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_that_are_read_are_bounded_and_fade() {
        let (looks, begin) = (Looks::default(), Instant::now());
        for number in 0..LOOKS + 10 {
            let id = ContainerId(number.to_string());
            looks.note_at(&id, begin + Duration::from_millis(number as u64));
        }
        let recent = looks.recent(begin + Duration::from_secs(1));
        assert_eq!(recent.len(), LOOKS);
        assert!(!recent.contains(&"0".into()) && recent.contains(&"73".into()));
        looks.note_at(&"73".into(), begin + Duration::from_secs(20));
        assert_eq!(looks.recent(begin + Duration::from_secs(40)), ["73".into()]);
    }
}
