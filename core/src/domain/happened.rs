//! What happened, in words, for a list that people read: what the engine told of containers, and
//! what sentinel-tui told of itself.

use std::fmt;

use jiff::Timestamp;

use crate::domain::event::{Event, FixWord, IncidentWire};
use crate::domain::ids::IncidentId;
use crate::domain::life::LifeKind;

/// What something that happened is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matter {
    /// A process began.
    Start,
    /// A process ended, was sent a signal, was frozen.
    End,
    /// A health check's verdict.
    Health,
    /// A memory limit was hit.
    Memory,
    /// A container was made, removed, renamed, changed.
    Change,
    /// A network.
    Network,
    /// An incident.
    Incident,
    /// A fix.
    Fix,
    /// A silence.
    Silence,
    /// The kill switch, a circuit.
    Brakes,
    /// A part of sentinel-tui, its watch, its log streams.
    Part,
    /// A tool that was called by hand.
    Tool,
}

impl Matter {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Start,
        Self::End,
        Self::Health,
        Self::Memory,
        Self::Change,
        Self::Network,
        Self::Incident,
        Self::Fix,
        Self::Silence,
        Self::Brakes,
        Self::Part,
        Self::Tool,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Health => "health",
            Self::Memory => "oom",
            Self::Change => "change",
            Self::Network => "network",
            Self::Incident => "incident",
            Self::Fix => "fix",
            Self::Silence => "silence",
            Self::Brakes => "brakes",
            Self::Part => "part",
            Self::Tool => "tool",
        }
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How it is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good news.
    Good,
    /// News.
    Plain,
    /// Worth a look.
    Doubtful,
    /// Bad news.
    Bad,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// About what.
    pub matter: Matter,
    /// How it is to be seen.
    pub tone: Tone,
    /// Name of the container, if it is about one.
    pub container: Option<String>,
    /// The incident, if it is about one.
    pub incident: Option<IncidentId>,
    /// What, in words.
    pub words: String,
}

impl Happened {
    /// What the engine told of a container.
    pub fn life(container: &str, kind: &LifeKind, at: Timestamp) -> Self {
        let (matter, tone) = match kind {
            LifeKind::Start | LifeKind::Restart | LifeKind::Unpause => (Matter::Start, Tone::Good),
            LifeKind::Die { exit_code: 0 } => (Matter::End, Tone::Plain),
            LifeKind::Die { .. } => (Matter::End, Tone::Bad),
            LifeKind::Kill { .. } | LifeKind::Stop | LifeKind::Pause => {
                (Matter::End, Tone::Doubtful)
            }
            LifeKind::Healthy => (Matter::Health, Tone::Good),
            LifeKind::Unhealthy => (Matter::Health, Tone::Bad),
            LifeKind::Oom => (Matter::Memory, Tone::Bad),
            LifeKind::Connect { .. } => (Matter::Network, Tone::Plain),
            LifeKind::Disconnect { .. } | LifeKind::NetworkGone { .. } => {
                (Matter::Network, Tone::Doubtful)
            }
            LifeKind::Create | LifeKind::Destroy | LifeKind::Rename | LifeKind::Update => {
                (Matter::Change, Tone::Plain)
            }
            LifeKind::ImageGone => (Matter::Change, Tone::Doubtful),
        };
        let container = Some(container.to_owned());
        Self { at, matter, tone, container, incident: None, words: kind.words() }
    }

    /// What sentinel-tui told, if it is something that such a list is for: lines, readings and
    /// each change of an incident are not.
    pub fn told(event: &Event, at: Timestamp) -> Option<Self> {
        let incident = |i: &IncidentWire, tone, verb: &str| {
            let words = format!("incident {verb}: {}", i.title);
            Some((Matter::Incident, tone, Some(i.root.clone()), Some(i.id.clone()), words))
        };
        let fix = |f: &FixWord, tone, verb: &str| {
            let words = format!("fix {verb}: {} (by {})", f.tool, f.by);
            Some((Matter::Fix, tone, Some(f.target.clone()), Some(f.incident_id.clone()), words))
        };
        let plain = |matter, tone, words: String| Some((matter, tone, None, None, words));
        let (matter, tone, container, incident, words) = match event {
            Event::MonitorStarted { engine, watched, .. } => plain(
                Matter::Part,
                Tone::Good,
                format!("watching {} containers of {}", watched.len(), engine.name),
            ),
            Event::IncidentOpened { incident: i } => incident(i, Tone::Bad, "opened"),
            Event::IncidentReopened { incident: i } => incident(i, Tone::Bad, "reopened"),
            Event::IncidentResolved { incident: i } => incident(i, Tone::Good, "resolved"),
            Event::IncidentEscalated { incident: i } => incident(i, Tone::Bad, "escalated"),
            Event::IncidentDismissed { incident: i } => incident(i, Tone::Plain, "dismissed"),
            Event::FixStaged { incident_id, fix } => Some((
                Matter::Fix,
                Tone::Doubtful,
                Some(fix.target.clone()),
                Some(incident_id.clone()),
                format!("fix staged: {} ({})", fix.tool, fix.risk),
            )),
            Event::FixApproved(f) => fix(f, Tone::Plain, "approved"),
            Event::FixEdited(f) => fix(f, Tone::Plain, "edited"),
            Event::FixRejected(f) => fix(f, Tone::Plain, "rejected"),
            Event::FixExpired(f) => fix(f, Tone::Doubtful, "lapsed"),
            Event::FixStale(f) => fix(f, Tone::Doubtful, "void"),
            Event::FixApplying(f) => fix(f, Tone::Plain, "under way"),
            Event::FixApplied(f) => fix(f, Tone::Good, "applied"),
            Event::FixFailed(f) => fix(f, Tone::Bad, "failed"),
            Event::FixUndone(f) => fix(f, Tone::Doubtful, "taken back"),
            Event::Verification { incident_id, passed, checks, .. } => {
                let good = checks.iter().filter(|c| c.passed).count();
                let (tone, verb) =
                    if *passed { (Tone::Good, "verified") } else { (Tone::Bad, "not verified") };
                let words = format!("fix {verb}: {good} of {} checks passed", checks.len());
                Some((Matter::Fix, tone, None, Some(incident_id.clone()), words))
            }
            Event::NotActing { incident_id, reason, .. } => Some((
                Matter::Incident,
                Tone::Plain,
                None,
                Some(incident_id.clone()),
                format!("not acting: {reason}"),
            )),
            Event::Silenced { silence } => {
                let words = format!("{} is silenced by {}", silence.service, silence.by);
                plain(Matter::Silence, Tone::Doubtful, words)
            }
            Event::SilenceEnded { service, by } => {
                plain(Matter::Silence, Tone::Plain, format!("silence of {service} ended by {by}"))
            }
            Event::HealingHalted { halt } => {
                plain(Matter::Brakes, Tone::Bad, format!("kill switch on, by {}", halt.by))
            }
            Event::HealingResumed { by, .. } => {
                plain(Matter::Brakes, Tone::Good, format!("kill switch off, by {by}"))
            }
            Event::CircuitOpened { server, failures, .. } => plain(
                Matter::Brakes,
                Tone::Bad,
                format!("{server} is left alone after {failures} calls that failed"),
            ),
            Event::CircuitClosed { server } => {
                plain(Matter::Brakes, Tone::Good, format!("{server} answers again"))
            }
            Event::LogDropped { container, count, reason } => Some((
                Matter::Part,
                Tone::Doubtful,
                Some(container.clone()),
                None,
                format!("{count} log lines lost: {reason}"),
            )),
            Event::Degraded { part, detail } => {
                plain(Matter::Part, Tone::Bad, format!("{part} degraded: {detail}"))
            }
            Event::Recovered { part, detail } => {
                plain(Matter::Part, Tone::Good, format!("{part} recovered: {detail}"))
            }
            other => decided(other),
        }?;
        Some(Self { at, matter, tone, container, incident, words })
    }
}

/// Matter, tone, container, incident and words.
type Parts = (Matter, Tone, Option<String>, Option<IncidentId>, String);

/// What people decided beforehand or put off.
fn decided(event: &Event) -> Option<Parts> {
    let plain = |matter, tone, words: String| Some((matter, tone, None, None, words));
    match event {
        Event::FixSnoozed { incident_id, by, times, .. } => Some((
            Matter::Fix,
            Tone::Plain,
            None,
            Some(incident_id.clone()),
            format!("fix put off for the {times}. time (by {by})"),
        )),
        Event::SnoozeEnded { incident_id, reason, .. } => Some((
            Matter::Fix,
            Tone::Plain,
            None,
            Some(incident_id.clone()),
            format!("fix comes back: {reason}"),
        )),
        Event::Granted { grant } => {
            plain(Matter::Fix, Tone::Doubtful, format!("allowed beforehand: {}", grant.words()))
        }
        Event::GrantUsed { grant, incident_id } => Some((
            Matter::Fix,
            Tone::Doubtful,
            None,
            Some(incident_id.clone()),
            format!("a permission was used: {}", grant.words()),
        )),
        Event::GrantEnded { grant, by, reason } => plain(
            Matter::Fix,
            Tone::Plain,
            format!("a permission ended ({reason}, by {by}): {}", grant.words()),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_bad_and_an_end_without_failure_is_not() {
        let life =
            |code| Happened::life("api", &LifeKind::Die { exit_code: code }, Timestamp::UNIX_EPOCH);
        assert_eq!((life(1).matter, life(1).tone), (Matter::End, Tone::Bad));
        assert_eq!(life(0).tone, Tone::Plain);
        assert_eq!(life(137).words, "died with exit status 137");
    }

    #[test]
    fn what_sentinel_tells_is_listed_and_a_log_line_is_not() {
        let at = Timestamp::UNIX_EPOCH;
        let closed = Event::CircuitClosed { server: "docker-control".to_owned() };
        let told = Happened::told(&closed, at).unwrap();
        assert_eq!(told.words, "docker-control answers again");
        let usage = Event::Snapshot { containers: vec![], incidents: vec![], missed: 3 };
        assert_eq!(Happened::told(&usage, at), None);
    }
}
