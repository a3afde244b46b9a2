//! Everything that may go into a [`crate::session::Session`]: how it begins, and what it is given
//! then. Serializable; borrowed where the run loop records, owned where a replay reads.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::consult::triage::Judged;
use crate::detect::score::learned::ServiceKey;
use crate::detect::signatures::Signatures;
use crate::domain::brakes::KeptBrakes;
use crate::domain::incident::Incident;
use crate::domain::past::Past;
use crate::domain::quiet::Silence;
use crate::domain::signal::Signal;
use crate::domain::spec::History;
use crate::engine::Settings;

/// What the stream tells beyond the incidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Every log line.
    #[serde(default)]
    pub logs: bool,
    /// Every reading.
    #[serde(default)]
    pub usage: bool,
}

/// How a session begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// Names the run (host and start): ids of anomalies come from it.
    pub run: String,
    /// The engine's settings.
    pub settings: Settings,
    /// Known failures in log lines.
    pub signatures: Arc<Signatures>,
    /// Incidents of earlier runs.
    pub earlier: Vec<Incident>,
    /// What the stream tells beyond the incidents.
    #[serde(default)]
    pub announced: Announced,
}

/// One thing that a session is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input<'a> {
    /// A signal: one turn.
    Signal(Cow<'a, Signal>),
    /// What an earlier run learned of a service's log.
    Learned {
        /// Which.
        service: Cow<'a, ServiceKey>,
        /// As the store has it.
        content: Cow<'a, str>,
    },
    /// How services were configured.
    Histories(Cow<'a, [(ServiceKey, History)]>),
    /// Silences of an earlier run that still last.
    Silences(Cow<'a, [Silence]>),
    /// The kill switch and the failing servers, as an earlier run left them.
    Brakes(Cow<'a, KeptBrakes>),
    /// What triage said in earlier runs.
    Judged(Cow<'a, [Judged]>),
    /// Incidents of earlier runs that have ended, in short.
    Past(Cow<'a, [Past]>),
    /// The wall clock jumped.
    ClockJumped(SignedDuration),
    /// The record of a keeper that ended.
    Adopted(Cow<'a, [Incident]>),
    /// Whether this instance is the one that acts from now on.
    Elected(bool),
    /// The run is about to end: nothing new is begun.
    StandDown,
    /// The recording ends here, and why. Nothing for the core.
    End(Cow<'a, str>),
}
