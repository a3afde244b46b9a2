//! What becomes of log lines: kept in the rings, remembered as judged.

use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::log::LogLine;

use crate::ports::LogCursor;
use crate::runtime::hands::Hands;
use crate::runtime::run::Loop;
use crate::runtime::storing::Job;

impl Loop {
    /// Lines go to the rings, marked where they are evidence; what was judged is remembered
    /// before anything that follows from it is saved.
    pub(super) async fn keep(&mut self, lines: &[LogLine], anomalies: &[Anomaly], hands: &Hands) {
        {
            let mut rings = self.lock_rings();
            for line in lines {
                rings.push(line.clone());
            }
            for anomaly in anomalies {
                for address in anomaly.evidence.iter().filter_map(|e| e.line.as_ref()) {
                    rings.accuse(&address.container, address.seq, &anomaly.id);
                }
            }
        }
        for line in lines.iter().filter(|l| !l.history) {
            let cursor = self.cursors.entry(line.container.clone()).or_insert((line.at, true));
            *cursor = (cursor.0.max(line.at), true);
        }
        if !anomalies.is_empty() {
            self.save_cursors(hands).await;
        }
    }

    pub(super) async fn save_cursors(&mut self, hands: &Hands) {
        let fresh: Vec<LogCursor> = self
            .cursors
            .iter_mut()
            .filter(|(_, (_, new))| *new)
            .map(|(container, (at, new))| {
                *new = false;
                LogCursor { container: container.clone(), at: *at }
            })
            .collect();
        if !fresh.is_empty() {
            hands.queue(Job::Cursors(fresh)).await;
        }
    }
}
