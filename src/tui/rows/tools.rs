//! The tools of the MCP servers: what each may do.

use sentinel_core::domain::not_acting::NotActing;
use sentinel_core::domain::plan::Risk;
use sentinel_core::domain::tool::{ReadCall, Tool, ToolCall};
use sentinel_core::policy::risk;

use crate::tui::rows::wanted::wanted;
use crate::tui::state::State;
use crate::tui::terms::Terms;

/// Why a server's tools are not used at present, if so.
pub fn circuit<'s>(state: &'s State, server: &str) -> Option<&'s jiff::Timestamp> {
    let held = state.snapshot.brakes.held.iter();
    held.filter(|h| h.name == server && h.code == NotActing::CircuitOpen && h.until > state.now)
        .map(|h| &h.until)
        .next()
}

/// The least risk of a call: what its arguments or target add is known only with a plan.
pub fn risk_of(tool: &Tool) -> Risk {
    risk::of(&ToolCall::new(&tool.name, []), None, Some(tool))
}

/// Whether it can be called from here: it only reads, by our own table and by its server.
pub fn is_callable(tool: &Tool) -> bool {
    ReadCall::new(ToolCall::new(&tool.name, []), tool).is_some()
}

/// A tool by its row.
pub fn at(state: &State, key: u64) -> Option<&Tool> {
    state.snapshot.tools.get(usize::try_from(key).ok()?)
}

/// The rows, by server and name.
pub(super) fn rows(state: &State, terms: Option<&Terms>) -> Vec<u64> {
    let fits = |(_, tool): &(usize, &Tool)| {
        let value = |field: &str| match field {
            "server" => vec![tool.server.clone()],
            "risk" => vec![risk_of(tool).to_string()],
            _ if is_callable(tool) => vec!["read".to_owned()],
            _ => vec!["change".to_owned()],
        };
        wanted(terms, value, &format!("{} {} {}", tool.server, tool.name, tool.description))
    };
    let mut rows: Vec<(usize, &Tool)> =
        state.snapshot.tools.iter().enumerate().filter(fits).collect();
    rows.sort_by_key(|(_, t)| (t.server.as_str(), t.name.as_str()));
    rows.into_iter().map(|(at, _)| at as u64).collect()
}
