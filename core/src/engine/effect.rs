//! What the engine asks of the shell around it.

use std::sync::Arc;

use crate::consult::brief::Brief;
use crate::consult::triage::{Batch, Judged};
use crate::detect::score::learned::ServiceKey;
use crate::domain::audit::AuditRecord;
use crate::domain::brakes::KeptBrakes;
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, IncidentId};
use crate::domain::incident::Incident;
use crate::domain::plan::{Approved, Plan, Undo};
use crate::domain::quiet::Silence;
use crate::domain::rehearsal::Rehearsal;
use crate::domain::spec::History;

/// Work for the shell, to be taken up in order. Not `Clone`: an approved plan inside is spent
/// by moving it.
#[derive(Debug)]
pub enum Effect {
    /// Tell everybody.
    Emit(Box<Event>),
    /// Make an incident durable.
    Save(Arc<Incident>),
    /// Append to the audit trail.
    Audit(Box<AuditRecord>),
    /// Look at a container; the answer comes as `Inspected` or `Gone`.
    Inspect(ContainerId),
    /// Remember how a service is configured and what changed.
    Remember {
        /// Which.
        service: ServiceKey,
        /// What.
        history: Box<History>,
    },
    /// Keep the silences that are in force.
    SaveSilences(Vec<Silence>),
    /// Have a batch of anomalies judged; the answer comes as `Signal::Model`.
    Triage(Box<Batch>),
    /// Have an incident analysed; the answer comes as `Signal::Model`.
    Analyze {
        /// Which.
        incident: IncidentId,
        /// What the analyst is shown.
        brief: Arc<Brief>,
    },
    /// Nobody needs the analysis of an incident any more.
    CallOff(IncidentId),
    /// Have a closed incident explained; the answer comes as `Signal::Model`.
    Explain(Arc<Incident>),
    /// Keep what triage said.
    SaveJudged(Vec<Judged>),
    /// Keep the kill switch and what is known of failing servers.
    SaveBrakes(Box<KeptBrakes>),
    /// First make the incident and these records durable, then run the plan. If that cannot be
    /// written, nothing is called and the plan is stale.
    Apply {
        /// The plan.
        plan: Approved<Plan>,
        /// The incident as it is now.
        incident: Arc<Incident>,
        /// What the audit trail must say before the first call.
        records: Vec<AuditRecord>,
    },
    /// First make the incident and these records durable, then run the inverses of what was
    /// applied. If that cannot be written, nothing is called, and `UndoDone` says so.
    Undo {
        /// The plan whose applied steps are taken back.
        plan: Approved<Undo>,
        /// The incident as it is now.
        incident: Arc<Incident>,
        /// What the audit trail must say before the first call.
        records: Vec<AuditRecord>,
    },
    /// Look whether a plan could run as it stands, without calling anything that changes
    /// something, and answer a request with that and what is known already.
    Rehearse {
        /// Which.
        request: u64,
        /// The plan. It is not approved.
        plan: Box<Plan>,
        /// What is known already.
        rehearsal: Box<Rehearsal>,
    },
    /// Answer a request.
    Reply {
        /// Which.
        request: u64,
        /// The sentence for the person who asked.
        outcome: Result<String, String>,
    },
}
