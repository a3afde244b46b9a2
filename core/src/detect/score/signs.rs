//! Known signatures in the lines of one container, once and repeated.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::detect::score::quote::{Quote, push_bounded};
use crate::detect::signatures::Signature;
use crate::detect::{Finding, peer};
use crate::domain::anomaly::AnomalyDetail;
use crate::domain::container::ContainerRef;
use crate::domain::log::LogLine;
use crate::domain::severity::Severity;

/// A signature seen this often within [`PERSIST_WINDOW`] persists: it is raised to high.
const PERSIST_COUNT: usize = 3;
/// See [`PERSIST_COUNT`].
const PERSIST_WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// A signature is told again after this long, so that "quiet" can be seen.
const REPEAT: SignedDuration = SignedDuration::from_secs(5);

/// What is remembered of one signature.
#[derive(Debug, Default)]
struct Seen {
    recent: VecDeque<Quote>,
    told: Option<(Timestamp, Severity)>,
}

/// The signatures that one process showed; there are as many as the set of signatures has.
#[derive(Debug, Default)]
pub struct Signs {
    seen: HashMap<Arc<str>, Seen>,
}

impl Signs {
    /// A new process: what its predecessor repeated is no longer counted against it.
    pub fn process_started(&mut self) {
        self.seen.clear();
    }

    /// A line shows a signature.
    pub fn line(
        &mut self,
        signature: &Signature,
        line: &LogLine,
        of: &ContainerRef,
    ) -> Option<Finding> {
        if !self.seen.contains_key(&signature.name) {
            self.seen.insert(Arc::clone(&signature.name), Seen::default());
        }
        let seen = self.seen.get_mut(&signature.name)?;
        push_bounded(&mut seen.recent, Quote::of(line), PERSIST_COUNT);
        let persists = signature.severity > Severity::Low
            && seen.recent.len() == PERSIST_COUNT
            && seen
                .recent
                .front()
                .is_some_and(|q| line.at.duration_since(q.at()) <= PERSIST_WINDOW);
        let severity =
            if persists { signature.severity.max(Severity::High) } else { signature.severity };
        let due = seen
            .told
            .is_none_or(|(at, told)| severity > told || line.at.duration_since(at) >= REPEAT);
        if !due {
            return None;
        }
        seen.told = Some((line.at, severity));
        let peers = if signature.peer { peer::candidates(&line.text) } else { Vec::new() };
        let to = peers.first().map(|p| format!(" ({p})")).unwrap_or_default();
        Some(Finding {
            kind: signature.kind(),
            severity,
            score: if persists { 0.9 } else { 0.6 },
            summary: format!("{}: {}{to}", of.name, signature.words),
            observed_at: line.at,
            evidence: seen.recent.iter().map(|q| q.evidence(of)).collect(),
            detail: AnomalyDetail {
                signature: Some(signature.name.to_string()),
                class: Some(signature.class),
                words: Some(signature.words.to_string()),
                // All that the line may mean: diagnosis knows which of them is a sibling.
                peer: (!peers.is_empty()).then(|| peers.join(",")),
                ..AnomalyDetail::default()
            },
        })
    }
}
