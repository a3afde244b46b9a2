//! One cause, one anomaly: what shows within seconds of each other in one container is told once,
//! and again only when it is worse than was told, or when it lasts.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::detect::Finding;
use crate::domain::anomaly::AnomalyKind;
use crate::domain::evidence::Evidence;
use crate::domain::severity::Severity;

/// What shows this soon after the last sign has the same cause.
const TOGETHER: SignedDuration = SignedDuration::from_secs(10);
/// Two kinds of sign within this time agree.
const AGREE: SignedDuration = SignedDuration::from_secs(60);
/// Kinds and pieces of evidence that are kept.
const KEPT: usize = 6;

/// What shows in one container at present.
#[derive(Clone, Debug, Default)]
pub struct Episode {
    told: Option<(Timestamp, Severity)>,
    last: Option<Timestamp>,
    /// Medium signs lately, by kind.
    signs: VecDeque<(Timestamp, AnomalyKind, String)>,
    evidence: VecDeque<Evidence>,
}

impl Episode {
    /// A known signature was told: what else the same cause brings about is no news unless it is
    /// worse.
    pub fn known(&mut self, at: Timestamp, severity: Severity) {
        self.enter(at);
        self.tell(at, severity);
    }

    /// What becomes of a finding: told as it is, raised because two kinds agree, or left out
    /// because its cause was told. `repeats`: it lasts, and has its own pace.
    pub fn take(&mut self, mut finding: Finding, repeats: bool) -> Option<Finding> {
        let at = finding.observed_at;
        self.enter(at);
        for piece in &finding.evidence {
            if self.evidence.len() == KEPT {
                self.evidence.pop_front();
            }
            if !self.evidence.iter().any(|e| e.id == piece.id) {
                self.evidence.push_back(piece.clone());
            }
        }
        if let Some(other) = self.agreeing(&finding) {
            finding.severity = Severity::High;
            finding.summary = format!("{}; and {other}", finding.summary);
            finding.evidence = self.evidence.iter().cloned().collect();
        }
        let news = self.told.is_none_or(|(_, told)| finding.severity > told);
        if !news && !repeats {
            return None;
        }
        self.tell(at, finding.severity);
        Some(finding)
    }

    fn enter(&mut self, at: Timestamp) {
        if self.last.is_none_or(|last| at.duration_since(last) > TOGETHER) {
            self.told = None;
            self.evidence.clear();
        }
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    fn tell(&mut self, at: Timestamp, severity: Severity) {
        let severity = self.told.map_or(severity, |(_, told)| told.max(severity));
        self.told = Some((at, severity));
    }

    /// What another kind of sign said, if this one is the second of medium weight.
    fn agreeing(&mut self, finding: &Finding) -> Option<String> {
        if finding.severity != Severity::Medium {
            return None;
        }
        let at = finding.observed_at;
        self.signs
            .retain(|(seen, kind, _)| at.duration_since(*seen) <= AGREE && *kind != finding.kind);
        if let Some((.., other)) = self.signs.pop_front() {
            self.signs.clear();
            return Some(other);
        }
        if self.signs.len() == KEPT {
            self.signs.pop_front();
        }
        self.signs.push_back((at, finding.kind, finding.summary.clone()));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::anomaly::AnomalyDetail;

    fn finding(second: i64, kind: AnomalyKind, severity: Severity) -> Finding {
        Finding {
            kind,
            severity,
            score: 0.5,
            summary: format!("{kind:?}"),
            observed_at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
            evidence: Vec::new(),
            detail: AnomalyDetail::default(),
        }
    }

    #[test]
    fn what_comes_together_is_told_once_and_when_it_is_worse() {
        let mut episode = Episode::default();
        let mut take = |second, kind, severity| {
            episode.take(finding(second, kind, severity), false).map(|f| f.severity)
        };
        assert_eq!(take(0, AnomalyKind::TemplateBurst, Severity::Low), Some(Severity::Low));
        assert_eq!(take(1, AnomalyKind::TemplateBurst, Severity::Low), None);
        assert_eq!(take(2, AnomalyKind::NewTemplate, Severity::Medium), Some(Severity::Medium));
        assert_eq!(take(3, AnomalyKind::TemplateBurst, Severity::Low), None);
        assert_eq!(take(60, AnomalyKind::TemplateBurst, Severity::Low), Some(Severity::Low));
    }

    #[test]
    fn two_kinds_of_medium_signs_are_high() {
        let mut episode = Episode::default();
        let first = episode.take(finding(0, AnomalyKind::LogSilence, Severity::Medium), false);
        assert_eq!(first.map(|f| f.severity), Some(Severity::Medium));
        let second =
            episode.take(finding(30, AnomalyKind::NewTemplate, Severity::Medium), false).unwrap();
        assert_eq!(second.severity, Severity::High);
        assert_eq!(second.summary, "NewTemplate; and LogSilence");
        // The same kind twice is one sign.
        let mut episode = Episode::default();
        for second in [0, 20] {
            let told =
                episode.take(finding(second, AnomalyKind::NewValue, Severity::Medium), false);
            assert_eq!(told.map(|f| f.severity), Some(Severity::Medium));
        }
    }
}
