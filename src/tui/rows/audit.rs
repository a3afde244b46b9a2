//! Audit records, newest first.

use sentinel_core::domain::audit::AuditEntry;

use crate::tui::rows::wanted::wanted;
use crate::tui::state::State;
use crate::tui::terms::Terms;

/// The rows.
pub(super) fn rows(state: &State, terms: Option<&Terms>) -> Vec<u64> {
    let fits = |entry: &&AuditEntry| {
        let Some(record) = &entry.record else { return terms.is_none() };
        let value = |field: &str| match field {
            "who" => vec![record.actor.to_string()],
            "what" => vec![
                record.action.as_str().to_owned(),
                record.call.as_ref().map(|c| c.tool.clone()).unwrap_or_default(),
            ],
            "on" => vec![record.target.clone()],
            _ => vec![record.incident.0.clone()],
        };
        let tool = record.call.as_ref().map(|c| c.tool.as_str()).unwrap_or_default();
        let words = format!(
            "{} {} {} {tool} {} {} {}",
            entry.n,
            record.actor,
            record.action.as_str(),
            record.target,
            record.incident,
            record.reason
        );
        wanted(terms, value, &words)
    };
    state.listings.audit.kept.iter().filter(fits).map(|e| e.n).collect()
}
