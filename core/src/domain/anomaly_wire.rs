//! An anomaly as events carry it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use crate::domain::evidence::Evidence;
use crate::domain::ids::AnomalyId;
use crate::domain::severity::Severity;

/// An anomaly on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AnomalyWire {
    /// Its id.
    pub id: AnomalyId,
    /// Service name.
    pub service: String,
    /// Container name.
    pub container: String,
    /// What.
    pub kind: AnomalyKind,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub score: f64,
    /// One sentence.
    pub summary: String,
    /// When it could be observed.
    pub observed_at: Timestamp,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Figures and names behind the sentence.
    #[serde(default, skip_serializing_if = "AnomalyDetail::is_empty")]
    pub detail: AnomalyDetail,
}

impl From<&Anomaly> for AnomalyWire {
    fn from(a: &Anomaly) -> Self {
        Self {
            id: a.id.clone(),
            service: a.container.service.clone(),
            container: a.container.name.clone(),
            kind: a.kind,
            severity: a.severity,
            score: a.score,
            summary: a.summary.clone(),
            observed_at: a.observed_at,
            evidence: a.evidence.clone(),
            detail: a.detail.clone(),
        }
    }
}
