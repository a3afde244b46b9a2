//! How states are said: a symbol, a word and a meaning for each, so that none needs colour.

use sentinel_core::domain::container::{Container, Health, RunState};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::log::Level;
use sentinel_core::domain::plan::{FixState, Risk};
use sentinel_core::domain::severity::Severity;

use crate::tui::glyphs::Glyphs;
use crate::tui::role::Role;

/// A state as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its symbol, one column.
    pub glyph: &'static str,
    /// Its word.
    pub word: String,
    /// Its meaning.
    pub role: Role,
}

fn shown(glyph: &'static str, word: impl Into<String>, role: Role) -> Shown {
    Shown { glyph, word: word.into(), role }
}

/// Whether a container is down through a fault, as far as the engine's fields say.
pub fn is_failed(container: &Container) -> bool {
    match container.state {
        RunState::Dead => true,
        // 143 and 130 are what SIGTERM and SIGINT leave behind: stopped, not broken.
        RunState::Exited => {
            container.oom_killed
                || !container.error.is_empty()
                || !matches!(container.exit_code, 0 | 130 | 143)
        }
        RunState::Created => !container.error.is_empty(),
        RunState::Running | RunState::Paused | RunState::Restarting | RunState::Removing => false,
    }
}

/// The engine's state of a container.
pub fn of_container(container: &Container, glyphs: &Glyphs) -> Shown {
    match container.state {
        RunState::Running if container.health == Health::Unhealthy => {
            shown(glyphs.up, "running", Role::Error)
        }
        RunState::Running if container.health == Health::Starting => {
            shown(glyphs.pending, "running", Role::Warn)
        }
        RunState::Running => shown(glyphs.up, "running", Role::Ok),
        RunState::Paused => shown(glyphs.paused, "paused", Role::Warn),
        RunState::Restarting => shown(glyphs.pending, "restarting", Role::Warn),
        RunState::Removing => shown(glyphs.pending, "removing", Role::Dim),
        RunState::Created if container.error.is_empty() => {
            shown(glyphs.ended, "created", Role::Dim)
        }
        RunState::Created => shown(glyphs.down, "no start", Role::Error),
        RunState::Dead => shown(glyphs.down, "dead", Role::Error),
        RunState::Exited if container.oom_killed => shown(glyphs.down, "OOM killed", Role::Error),
        RunState::Exited if is_failed(container) => {
            shown(glyphs.down, format!("exited {}", container.exit_code), Role::Error)
        }
        RunState::Exited => {
            shown(glyphs.ended, format!("exited {}", container.exit_code), Role::Dim)
        }
    }
}

/// What the health check of a container says.
pub fn of_health(container: &Container, glyphs: &Glyphs) -> Shown {
    if container.state != RunState::Running {
        return shown("", glyphs.nothing, Role::Dim);
    }
    match container.health {
        Health::None => shown("", glyphs.nothing, Role::Dim),
        Health::Starting => shown("", "starting", Role::Warn),
        Health::Healthy => shown("", "healthy", Role::Ok),
        Health::Unhealthy => shown("", "unhealthy", Role::Error),
    }
}

/// The state of an incident; `decides` says whether its plan can be decided here.
pub fn of_incident(incident: &Incident, decides: bool, glyphs: &Glyphs) -> Shown {
    match incident.state {
        IncidentState::Detected => shown(glyphs.pending, "detected", Role::Warn),
        IncidentState::Diagnosing => shown(glyphs.pending, "diagnosing", Role::Warn),
        IncidentState::AwaitingApproval => {
            let staged =
                incident.plan.as_ref().is_some_and(sentinel_core::domain::plan::Plan::is_staged);
            let word = match (staged, decides) {
                (true, true) => "approve?",
                (true, false) => "staged",
                (false, _) => "needs you",
            };
            shown(glyphs.attention, word, Role::Strong)
        }
        IncidentState::Fixing => shown(glyphs.pending, "fixing", Role::Info),
        IncidentState::Verifying => shown(glyphs.pending, "verifying", Role::Info),
        IncidentState::Resolved => shown(glyphs.pass, "resolved", Role::Ok),
        IncidentState::Escalated => shown(glyphs.attention, "escalated", Role::Error),
        IncidentState::Dismissed => shown(glyphs.ended, "dismissed", Role::Dim),
        IncidentState::ResolvedExternally => match last_words(incident) {
            Some(words) if words.contains("removed") => shown(glyphs.ended, "removed", Role::Dim),
            Some(words) if words.contains("stopped") => shown(glyphs.ended, "stopped", Role::Dim),
            _ => shown(glyphs.pass, "recovered", Role::Ok),
        },
    }
}

/// Why an incident ended, in the words of its timeline.
pub fn last_words(incident: &Incident) -> Option<&str> {
    let ended = |state: IncidentState| state == incident.state && state.is_closed();
    incident.timeline.iter().rev().find(|e| e.state.is_some_and(ended)).map(|e| e.what.as_str())
}

/// A severity in four letters.
pub fn of_severity(severity: Severity) -> Shown {
    match severity {
        Severity::Critical => shown("", "CRIT", Role::Critical),
        Severity::High => shown("", "HIGH", Role::Error),
        Severity::Medium => shown("", "MED ", Role::Warn),
        Severity::Low => shown("", "LOW ", Role::Info),
    }
}

/// A risk.
pub fn of_risk(risk: Risk) -> Shown {
    let role = match risk {
        Risk::R0 | Risk::R1 => Role::Ok,
        Risk::R2 => Role::Warn,
        Risk::R3 => Role::Error,
        Risk::R4 => Role::Critical,
    };
    shown("", risk.to_string(), role)
}

/// Where a step of a plan is.
pub fn of_fix(state: FixState, glyphs: &Glyphs) -> Shown {
    let (glyph, role) = match state {
        FixState::Staged => (glyphs.attention, Role::Strong),
        FixState::Approved | FixState::Applying | FixState::Undoing => (glyphs.pending, Role::Info),
        FixState::Applied => (glyphs.pass, Role::Ok),
        FixState::Failed => (glyphs.fail, Role::Error),
        FixState::Rejected | FixState::Expired | FixState::Stale | FixState::Skipped => {
            (glyphs.ended, Role::Dim)
        }
        FixState::Undone => (glyphs.ended, Role::Warn),
    };
    shown(glyph, state.as_str(), role)
}

/// The letter and meaning of a level; a space for none.
pub fn of_level(level: Option<Level>) -> Shown {
    match level {
        None => shown("", " ", Role::Dim),
        Some(Level::Trace) => shown("", "T", Role::LevelDebug),
        Some(Level::Debug) => shown("", "D", Role::LevelDebug),
        Some(Level::Info) => shown("", "I", Role::LevelInfo),
        Some(Level::Warn) => shown("", "W", Role::LevelWarn),
        Some(Level::Error) => shown("", "E", Role::LevelError),
        Some(Level::Fatal) => shown("", "F", Role::LevelError),
    }
}
